import { describe, expect, it } from "vitest";

import type { AlertRule, RuleOverride } from "@/api/types";
import { alertRules } from "@/testing/rules";

import { bandOf, resolve } from "./effective";
import { chainOf, isAllowed, overridesFor, overridesWithin, scopeOf, subjectCount } from "./scopes";
import { rulesAt } from "./scope-view";

const [voltage, , , , current] = alertRules as [AlertRule, AlertRule, AlertRule, AlertRule, AlertRule];
const STRING = "DC-CNX-01-UPS-01-STR-01";
const member = (stringId: string, position: number, model = "M1") => ({
  battery_id: `BAT-${stringId}-00${position}`,
  string_id: stringId,
  location_id: stringId.slice(0, 9),
  model_id: model,
});
const fleet = [
  member(STRING, 1),
  member(STRING, 2),
  member("DC-CNX-01-UPS-01-STR-02", 1, "M2"),
  member("DC-SRC-01-UPS-01-STR-01", 1),
];

function override(scope: RuleOverride["scope"], id: string, values: Partial<RuleOverride>): RuleOverride {
  return {
    override_id: 1,
    rule_id: voltage.rule_id,
    scope,
    scope_id: id,
    updated_at: "2026-11-18T04:00:00Z",
    updated_by: null,
    ...values,
  };
}

describe("resolve", () => {
  it("takes each value from the nearest scope that sets it", () => {
    const { values, origin } = resolve(voltage, [
      override("battery", "B", { enabled: false }),
      override("string", "S", { hold_s: 60 }),
      override("location", "L", { hold_s: 120, clear_hold_s: 30 }),
      override("model", "M", { raise_value: 12.5, clear_value: 13, enabled: true }),
    ]);
    expect(values).toEqual({ raise_value: 12.5, clear_value: 13, hold_s: 60, clear_hold_s: 30, enabled: false });
    expect(origin).toEqual({
      raise_value: { scope: "model", scope_id: "M" },
      clear_value: { scope: "model", scope_id: "M" },
      hold_s: { scope: "string", scope_id: "S" },
      clear_hold_s: { scope: "location", scope_id: "L" },
      enabled: { scope: "battery", scope_id: "B" },
    });
  });

  it("never combines the raise value of one scope with the clear value of another", () => {
    const { values, origin } = resolve(voltage, [
      override("string", "S", { raise_value: 12.8 }),
      override("location", "L", { clear_value: 12.7 }),
    ]);
    expect([values.raise_value, values.clear_value]).toEqual([12.8, 13]);
    expect(origin.clear_value).toEqual({ scope: "string", scope_id: "S" });
  });

  it("keeps a hold of zero and a limit of zero: they are values", () => {
    const { values } = resolve(voltage, [override("string", "S", { hold_s: 0, raise_value: 0 })]);
    expect([values.hold_s, values.raise_value]).toEqual([0, 0]);
  });

  it("completes a band at the usual distance, without the noise of binary fractions", () => {
    expect(bandOf(voltage, null, 13.1)).toEqual({ raise: 12.9, clear: 13.1 });
    expect(bandOf(voltage, null, null)).toEqual({ raise: 13, clear: 13.2 });
  });
});

describe("scopes", () => {
  it("reads the address and ignores what is no scope", () => {
    expect(scopeOf(`string:${STRING}`)).toEqual({ kind: "string", id: STRING });
    for (const text of [null, "", "system:X", "string:", "STR-01"]) expect(scopeOf(text)).toBeNull();
  });

  it("knows the wider scopes of each; the model only where there is one", () => {
    const kinds = (kind: "battery" | "string" | "location" | "model", id: string) =>
      chainOf({ kind, id }, fleet).map((scope) => `${scope.kind}:${scope.id}`);
    expect(kinds("battery", `BAT-${STRING}-001`)).toEqual([
      `battery:BAT-${STRING}-001`,
      `string:${STRING}`,
      "location:DC-CNX-01",
      "model:M1",
    ]);
    expect(kinds("location", "DC-CNX-01")).toEqual(["location:DC-CNX-01"]);
    expect(kinds("location", "DC-SRC-01")).toEqual(["location:DC-SRC-01", "model:M1"]);
    expect(kinds("model", "M2")).toEqual(["model:M2"]);
  });

  it("applies no model to a rule that judges strings", () => {
    expect(isAllowed(current, "model")).toBe(false);
    const rule = { ...current, overrides: [override("model", "M1", { raise_value: 4 })] };
    expect(overridesFor(rule, chainOf({ kind: "string", id: STRING }, fleet))).toEqual([]);
  });

  it("finds what has values of its own within a scope: nearer ones, and models that are not everywhere in it", () => {
    const rule = {
      ...voltage,
      overrides: [
        override("string", STRING, { hold_s: 60 }),
        override("battery", `BAT-${STRING}-002`, { hold_s: 90 }),
        override("model", "M2", { hold_s: 30 }),
        override("string", "DC-SRC-01-UPS-01-STR-01", { hold_s: 40 }),
      ],
    };
    const within = (kind: "location" | "string" | "model", id: string) =>
      overridesWithin(rule, { kind, id }, fleet).map((one) => one.scope_id);
    expect(within("location", "DC-CNX-01")).toEqual([STRING, `BAT-${STRING}-002`, "M2"]);
    expect(within("string", STRING)).toEqual([`BAT-${STRING}-002`]);
    expect(within("model", "M2")).toEqual([]);
    expect(within("model", "M1")).toEqual([STRING, `BAT-${STRING}-002`, "DC-SRC-01-UPS-01-STR-01"]);
  });

  it("counts what a rule judges in a scope", () => {
    const location = { kind: "location", id: "DC-CNX-01" } as const;
    expect([subjectCount(voltage, location, fleet), subjectCount(current, location, fleet)]).toEqual([3, 2]);
  });
});

describe("rulesAt", () => {
  it("shows the defaults of every rule where no scope is chosen, whatever is overridden", () => {
    const views = rulesAt(alertRules, null, { fleet: [], ofBattery: null });
    expect(views).toHaveLength(alertRules.length);
    expect(views[0]?.effective.values.raise_value).toBe(13);
  });

  it("computes a string from its own and its location's overrides", () => {
    const [first] = rulesAt(alertRules, { kind: "string", id: STRING }, { fleet, ofBattery: null });
    expect(first?.effective.values).toMatchObject({ raise_value: 12.9, clear_value: 13.1, hold_s: 600 });
    expect(first?.effective.origin.raise_value).toEqual({ scope: "location", scope_id: "DC-CNX-01" });
    expect(first?.effective.origin.hold_s).toEqual({ scope: "string", scope_id: STRING });
  });

  it("believes the gateway's answer for a battery", () => {
    const answer = { ...voltage, raise_value: 12.34, enabled: true, origin: {} };
    const scope = { kind: "battery", id: `BAT-${STRING}-001` } as const;
    const views = rulesAt(alertRules, scope, { fleet, ofBattery: [answer] });
    expect(views[0]?.effective.values.raise_value).toBe(12.34);
    expect(views.map(({ rule }) => rule.subject)).not.toContain("string");
  });
});
