import i18next from "i18next";
import { expect, it } from "vitest";

import type { Alert, EffectiveRule } from "@/api/types";
import { MockFleet } from "@/testing/fleet";

import { limitText } from "./limit-text";

const [base] = new MockFleet().alerts.slice(-1);
if (base === undefined) throw new Error("the fleet has an alert");
const low: Alert = {
  ...base,
  type: "voltage_low",
  rule_id: "voltage_low.float",
  message_code: "voltage_low",
  message_params: { hold_s: 1800 },
  value: 12.41,
  threshold: 13,
  unit: "V",
};
const rule: EffectiveRule = {
  rule_id: "voltage_low.float",
  type: "voltage_low",
  severity: "warning",
  respond_within: "7d",
  signal: "voltage_v",
  direction: "below",
  unit: "V",
  gate: "float",
  raise_value: 13,
  clear_value: 13.2,
  hold_s: 1800,
  clear_hold_s: 600,
  enabled: true,
  origin: { raise_value: { scope: "location", scope_id: "DC-SRC-01" } },
  source: "EJ",
};
const textOf = (alert: Alert, known: EffectiveRule | null) => limitText(alert, known, { t: i18next.t, language: "en" });

it("gives limit, hold, gate and who set it", () => {
  expect(textOf(low, rule)).toBe(
    "Rule: Low voltage, below 13.00 V for 30 min, on float. Clears at 13.20 V. The limit is set for this data centre.",
  );
});

it("keeps the limit that raised the alert, and gives the present one beside it", () => {
  expect(textOf(low, { ...rule, raise_value: 12.5, enabled: false })).toContain(
    "below 13.00 V for 30 min, on float. Clears at 13.20 V. The limit has changed since: it is now 12.50 V. The rule is switched off now.",
  );
});

it("does without the rule", () => {
  expect(textOf(low, null)).toBe("Rule: Low voltage, below 13.00 V for 30 min.");
  expect(textOf({ ...low, rule_id: null }, null)).toBe("No limit: it was reported as it is.");
});

it("has no figure for a flag, but for a count", () => {
  const flag: Alert = {
    ...low,
    type: "hvac_failure",
    message_code: "hvac_failed",
    value: 2,
    threshold: 1.5,
    unit: null,
  };
  expect(textOf({ ...flag, message_params: { hold_s: 300 } }, null)).toBe("Rule: HVAC failure, as reported for 5 min.");
  const grid: Alert = { ...flag, type: "grid_instability", message_code: "grid_unstable", value: 5, threshold: 3 };
  expect(textOf({ ...grid, message_params: {} }, null)).toBe("Rule: Unstable mains, above 3.");
});
