import { describe, expect, it } from "vitest";

import type { AlertRule } from "@/api/types";
import { alertRules } from "@/testing/rules";

import { checkDraft } from "./checks";
import { type Draft, draftOf, requestOf, typedOf } from "./draft";

const NOW = Date.parse("2026-12-01T00:00:00Z");
const need = (ruleId: string): AlertRule => {
  const rule = alertRules.find((candidate) => candidate.rule_id === ruleId);
  if (rule === undefined) throw new Error(ruleId);
  return rule;
};
const check = (ruleId: string, change: Partial<Draft>, isAdmin = false) => {
  const rule = need(ruleId);
  return checkDraft(rule, typedOf({ ...draftOf(rule, undefined), ...change }), { isAdmin, now: NOW });
};

describe("checkDraft", () => {
  it("accepts a band with its clear value on the right side", () => {
    expect(check("voltage_low.float", { raise_value: "12.8", clear_value: "13" })).toEqual({});
    expect(check("voltage_low.float", { raise_value: "12,8", clear_value: "12.8" })).toEqual({});
  });

  it("refuses a clear value on the wrong side, below and above", () => {
    expect(check("voltage_low.float", { raise_value: "12.8", clear_value: "12.7" })).toEqual({
      clear_value: { code: "clearAbove", value: 12.8 },
    });
    expect(check("temperature_high.danger", { raise_value: "58", clear_value: "59" })).toEqual({
      clear_value: { code: "clearBelow", value: 58 },
    });
  });

  it("refuses what is no number, and what the signal cannot be", () => {
    expect(check("voltage_low.float", { raise_value: "12.x" })).toEqual({ raise_value: { code: "notNumber" } });
    expect(check("voltage_low.float", { raise_value: "1,234.5" })).toEqual({ raise_value: { code: "notNumber" } });
    expect(check("voltage_low.float", { raise_value: "25" })).toEqual({
      raise_value: { code: "bounds", low: 0, high: 20 },
    });
    expect(check("voltage_low.float", { raise_value: "19.9" })).toEqual({
      raise_value: { code: "boundsCompleted", value: 20.1, low: 0, high: 20 },
    });
  });

  it("keeps holds within three days", () => {
    expect(check("voltage_low.float", { hold_s: { amount: "72", unit: "h" } })).toEqual({});
    expect(check("voltage_low.float", { hold_s: { amount: "73", unit: "h" } })).toEqual({ hold_s: { code: "hold" } });
    expect(check("voltage_low.float", { clear_hold_s: { amount: "-1", unit: "s" } })).toEqual({
      clear_hold_s: { code: "hold" },
    });
  });

  it("needs a value, and an end in the future", () => {
    expect(check("voltage_low.float", { reason: "why" })).toEqual({ enabled: { code: "nothing" } });
    expect(check("voltage_low.float", { raise_value: "12.9", expires_at: "2026-12-01T06:59" })).toEqual({
      expires_at: { code: "past" },
    });
    // 07:01 in Bangkok is one minute after midnight UTC.
    expect(check("voltage_low.float", { raise_value: "12.9", expires_at: "2026-12-01T07:01" })).toEqual({});
  });

  it("lets nobody but an administrator beyond the floor of a life-safety rule", () => {
    expect(check("temperature_high.danger", { raise_value: "65" })).toEqual({});
    expect(check("temperature_high.danger", { raise_value: "65.1" })).toEqual({ raise_value: { code: "admin" } });
    expect(check("voltage_low.danger", { raise_value: "0.9" })).toEqual({ raise_value: { code: "admin" } });
    expect(check("temperature_high.danger", { enabled: "off" })).toEqual({ enabled: { code: "admin" } });
    expect(check("temperature_high.danger", { hold_s: { amount: "61", unit: "s" } })).toEqual({
      hold_s: { code: "admin" },
    });
    expect(check("voltage_low.float", { enabled: "off" })).toEqual({});
  });

  it("finds the floor behind a clear value alone, which moves the raise value with it", () => {
    expect(check("temperature_high.danger", { clear_value: "61" })).toEqual({ clear_value: { code: "admin" } });
  });

  it("asks an administrator for a reason and an end within 30 days", () => {
    const off = { enabled: "off" } as const;
    const needs = { reason: { code: "reasonNeeded" }, expires_at: { code: "expiryNeeded" } };
    expect(check("temperature_high.danger", off, true)).toEqual(needs);
    expect(check("temperature_high.danger", { ...off, reason: " ", expires_at: "2027-01-05T00:00" }, true)).toEqual(
      needs,
    );
    expect(check("temperature_high.danger", { ...off, reason: "test", expires_at: "2026-12-30T00:00" }, true)).toEqual(
      {},
    );
  });
});

it("sends all that is set at the scope, in seconds and UTC", () => {
  const rule = need("voltage_low.float");
  const [, override] = rule.overrides;
  const typed = typedOf({ ...draftOf(rule, override), raise_value: "12.8" });
  expect(requestOf(typed, { kind: "string", id: "S" })).toEqual({
    scope: "string",
    scope_id: "S",
    raise_value: 12.8,
    clear_value: null,
    hold_s: 600,
    clear_hold_s: null,
    enabled: null,
    reason: "charger under repair",
    expires_at: "2027-01-05T10:00:00.000Z",
  });
});
