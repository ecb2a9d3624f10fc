import i18next from "i18next";
import { beforeEach, describe, expect, it } from "vitest";

import type { Alert } from "@/api/types";
import type { MessageCode } from "@/i18n/alert-texts";
import { alertTexts } from "@/i18n/en-alerts";
import { alertTexts as thaiTexts } from "@/i18n/th-alerts";
import { MockFleet } from "@/testing/fleet";

import { kindOf } from "./alert-kinds";
import { beganAt, seenText, spanText, stepsOf } from "./alert-text";

const [base] = new MockFleet(Date.parse("2026-11-23T16:30:00Z")).alerts.slice(-1);
if (base === undefined) throw new Error("the fleet has an alert");
const alertOf = (change: Partial<Alert>): Alert => ({ ...base, ...change });
const words = (language: "en" | "th" = "en") => ({ t: i18next.t, language });
const codes = Object.keys(alertTexts.why.sentence) as MessageCode[];
const params = {
  since: "2026-11-23T15:18:00+00:00",
  hold_s: 1800,
  battery_count: 24,
  string_id: "DC-SRC-01-UPS-01-STR-02",
  p50_days: 300,
  ml_p50_days: 100,
  twin_p50_days: 700,
  source: "fused",
  float_current_ratio: 3.4,
  over_room_c: 12.1,
  rise_c_per_h: null,
};

const broken = /\{\{|undefined|NaN|null|Infinity|why\.|_/;

describe.each(["en", "th"] as const)("in %s", (language) => {
  beforeEach(async () => {
    await i18next.changeLanguage(language);
  });

  it.each(codes)("%s is a whole sentence with steps", (code) => {
    const unit = /rul_(warning|critical)/.test(code) ? "d" : "V";
    const alert = alertOf({ message_code: code, message_params: params, value: 12.41, threshold: 13, unit });
    const seen = seenText(alert, words(language));
    expect(seen).not.toBe(alert.message);
    expect(seen).not.toMatch(broken);
    expect(seen).toContain("DC-SRC-01");
    const steps = stepsOf(alert, i18next.t);
    expect(steps.length).toBeGreaterThanOrEqual(2);
    expect(steps.length).toBeLessThanOrEqual(4);
    for (const step of steps) expect(step).not.toMatch(broken);
    if (language === "th") expect(seen).toMatch(/[ก-๙]/);
  });

  it.each(codes)("%s falls back to the gateway's words where it lacks its figures", (code) => {
    const alert = alertOf({ message_code: code, message_params: {}, value: null, threshold: null, unit: null });
    const seen = seenText(alert, words(language));
    expect(seen).not.toMatch(/\{\{|undefined|NaN|why\./);
    const needs = kindOf(alert)?.needs ?? [];
    if (needs.some((name) => name !== "signs")) expect(seen).toBe(alert.message);
  });
});

it.each(codes)("%s asks for exactly the figures that its sentence shows", (code) => {
  const shown = [...alertTexts.why.sentence[code].matchAll(/\{\{(\w+)\}\}/g)].map(([, name]) => name);
  expect(shown.filter((name) => name !== "subject").sort()).toEqual(
    [...(kindOf({ message_code: code })?.needs ?? [])].sort(),
  );
});

it.each(Object.keys(alertTexts.why.steps) as (keyof typeof alertTexts.why.steps)[])(
  "has as many steps for %s in Thai",
  (advice) => {
    expect(thaiTexts.why.steps[advice].split("\n")).toHaveLength(alertTexts.why.steps[advice].split("\n").length);
  },
);

it("shows the gateway's words for a code that it does not know", () => {
  const alert = alertOf({ message_code: "brand_new", message: "Something new" });
  expect(seenText(alert, words())).toBe("Something new");
  expect(stepsOf(alert, i18next.t)).toEqual([]);
});

const seenOf = (change: Partial<Alert>) => seenText(alertOf(change), words());
const subject = "Battery UPS-01-STR-02-007 (DC-SRC-01)";

it("shows no figure for a flag", () => {
  const flag = { value: 1, threshold: 0.5, unit: null, battery_id: null, string_id: null };
  expect(seenOf({ ...flag, type: "hvac_failure", message_code: "hvac_failed" })).toBe(
    "Data centre DC-SRC-01 reported that its air conditioning failed or is off.",
  );
});

it("shows digits enough to tell a value from its limit", () => {
  const low = { type: "voltage_low", message_code: "voltage_low", unit: "V", threshold: 13 } as const;
  expect(seenOf({ ...low, value: 12.41 })).toBe(`${subject} fell to 12.41 V, below the limit of 13.00 V.`);
  expect(seenOf({ ...low, value: 12.996 })).toBe(`${subject} fell to 12.996 V, below the limit of 13.000 V.`);
});

it("gives differences from the string without their sign", () => {
  const code = { message_code: "discharge_weak_block", unit: "V", value: -1.234, threshold: -0.8 } as const;
  expect(seenOf(code)).toBe(`${subject} fell 1.23 V below its string during a discharge; the limit is 0.80 V below.`);
});

it("rounds what is left towards the worse", () => {
  const params = { source: "fused" };
  const rul = { type: "rul_critical", message_code: "rul_critical", message_params: params, unit: "d" } as const;
  expect(seenOf({ ...rul, value: 89.9, threshold: 90 })).toBe(
    `${subject} may reach its end of life in 89 days (P10); the limit is 90 days. The figure comes from the digital twin and the model.`,
  );
  const soh = { type: "soh_degraded", message_code: "soh_degraded", unit: "%", value: 79.6, threshold: 80 } as const;
  expect(seenOf({ ...soh, message_params: { provenance: "ohmic_inferred", source: "twin" } })).toBe(
    `The state of health of battery UPS-01-STR-02-007 (DC-SRC-01) is 79 %, below the limit of 80 %. Evidence: from resistance.`,
  );
});

it("names the signs of a runaway that were measured, and that there are none", () => {
  const runaway = { type: "thermal_runaway", message_code: "thermal_runaway" } as const;
  const signs = { float_current_ratio: 3.42, over_room_c: null, rise_c_per_h: 2 };
  expect(seenOf({ ...runaway, message_params: signs })).toBe(
    `${subject} shows signs of thermal runaway: float current 3.4 times its usual value, rising by 2.0 °C per hour.`,
  );
  expect(seenOf({ ...runaway, message_params: {} })).toContain("no figures were sent");
});

it("counts mains losses from the parameters", () => {
  const unstable = { message_code: "grid_unstable", unit: null, battery_id: null, string_id: null } as const;
  expect(seenOf({ ...unstable, value: null, message_params: { value: 5 } })).toBe(
    "Data centre DC-SRC-01 lost its mains supply 5 times within 24 h.",
  );
});

const NOW = Date.parse("2026-11-23T16:30:00Z");

it("counts from the beginning of the condition, not from the end of the hold", () => {
  const alert = alertOf({ raised_at: "2026-11-23T15:48:00Z", message_params: { since: "2026-11-23T15:18:00Z" } });
  expect(beganAt(alert)).toBe(Date.parse("2026-11-23T15:18:00Z"));
  expect(spanText(alert, NOW, words())).toBe("Since 23 Nov 2026, 22:18, held for 72 min.");
});

it("does not begin after it was raised, nor at a time that is none", () => {
  for (const since of ["2026-11-23T16:20:00Z", "yesterday"]) {
    const alert = alertOf({ raised_at: "2026-11-23T15:48:00Z", message_params: { since } });
    expect(beganAt(alert)).toBe(Date.parse("2026-11-23T15:48:00Z"));
  }
});

it("has the end of what has passed, its worst value and how often it came back", () => {
  const alert = alertOf({
    raised_at: "2026-11-23T15:48:00Z",
    cleared_at: "2026-11-23T16:18:00Z",
    is_active: false,
    peak_value: 51.26,
    episode_count: 5,
  });
  expect(spanText(alert, NOW, words())).toBe(
    "From 23 Nov 2026, 22:48 to 23 Nov 2026, 23:18, 30 min. Worst 51.3 °C. Came back 4 times.",
  );
});

it("puts safety first, by the urgency of the rule", () => {
  const steps = (message_code: string, rule_id: string) => stepsOf({ message_code, rule_id }, i18next.t);
  expect(steps("temperature_high", "temperature_high.warning")[0]).toMatch(/^Safety/);
  expect(steps("temperature_high", "temperature_high.stop_charge")[0]).toMatch(/^Danger/);
  expect(steps("thermal_runaway", "thermal_runaway.critical")[0]).toMatch(/^Danger/);
  expect(steps("mains_lost", "mains_outage.info")[0]).not.toMatch(/^(Safety|Danger)/);
});
