import type { AlertRule, EffectiveRule, OverrideIn } from "@/api/types";

/** The values that an override can set. */
export const valueNames = ["raise_value", "clear_value", "hold_s", "clear_hold_s", "enabled"] as const;
export type ValueName = (typeof valueNames)[number];

export interface Values {
  raise_value: number;
  clear_value: number;
  hold_s: number;
  clear_hold_s: number;
  enabled: boolean;
}

/** What an override sets at its scope; what it leaves out comes from the wider scope. */
export type Settings = Pick<OverrideIn, "scope" | "scope_id"> & { [K in ValueName]?: Values[K] | null };
export type Origin = EffectiveRule["origin"][string];

/** Values in force, and the scope that each comes from. */
export interface Effective {
  values: Values;
  origin: Record<ValueName, Origin>;
}

const byDefault: Origin = { scope: "default", scope_id: null };

/** The band of a rule of which one side may be missing: that one keeps the distance of the defaults. */
export function bandOf(
  rule: Pick<AlertRule, "raise_value" | "clear_value">,
  raise: number | null,
  clear: number | null,
): { raise: number; clear: number } {
  const width = rule.raise_value - rule.clear_value;
  const completed = raise ?? (clear === null ? rule.raise_value : rounded(clear + width));
  return { raise: completed, clear: clear ?? rounded(completed - width) };
}

/**
 * Merge what is set for a rule, value by value, the nearest scope first, as the gateway does. Raise and clear value
 * belong together: the nearest scope that sets one of them sets both.
 */
export function resolve(rule: AlertRule, nearestFirst: readonly Settings[]): Effective {
  const band = nearestFirst.find((set) => isSet(set.raise_value) || isSet(set.clear_value));
  const { raise, clear } = bandOf(rule, band?.raise_value ?? null, band?.clear_value ?? null);
  const hold = nearestFirst.find((set) => isSet(set.hold_s));
  const clearHold = nearestFirst.find((set) => isSet(set.clear_hold_s));
  const enabled = nearestFirst.find((set) => isSet(set.enabled));
  return {
    values: {
      raise_value: raise,
      clear_value: clear,
      hold_s: hold?.hold_s ?? rule.hold_s,
      clear_hold_s: clearHold?.clear_hold_s ?? rule.clear_hold_s,
      enabled: enabled?.enabled ?? true,
    },
    origin: {
      raise_value: originOf(band),
      clear_value: originOf(band),
      hold_s: originOf(hold),
      clear_hold_s: originOf(clearHold),
      enabled: originOf(enabled),
    },
  };
}

/** The gateway's own answer for a battery, in the same shape. */
export function effectiveOf(rule: EffectiveRule): Effective {
  const origin = (name: ValueName) => rule.origin[name] ?? byDefault;
  return {
    values: {
      raise_value: rule.raise_value,
      clear_value: rule.clear_value,
      hold_s: rule.hold_s,
      clear_hold_s: rule.clear_hold_s,
      enabled: rule.enabled,
    },
    origin: {
      raise_value: origin("raise_value"),
      clear_value: origin("clear_value"),
      hold_s: origin("hold_s"),
      clear_hold_s: origin("clear_hold_s"),
      enabled: origin("enabled"),
    },
  };
}

function isSet<T>(value: T | null | undefined): value is T {
  return value !== null && value !== undefined;
}

function originOf(set: Settings | undefined): Origin {
  return set === undefined ? byDefault : { scope: set.scope, scope_id: set.scope_id };
}

/** Sums and differences of limits without the noise of binary fractions. */
function rounded(value: number): number {
  return Number(value.toFixed(9));
}
