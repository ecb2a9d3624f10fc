/** How long a string or system lasts, as of now: what the gateway computed, less the time that has passed since. */

import type { ListedRuntime, NoRuntimeReason, StringMode, SystemOut } from "@/api/types";

const TOO_OLD_ON_BATTERY_MS = 3 * 60_000;
const TOO_OLD_MS = 15 * 60_000;
const WARNING_BELOW_S = 30 * 60;
const CRITICAL_BELOW_S = 10 * 60;

export interface RuntimeLeft {
  lowS: number;
  medianS: number;
  highS: number;
  /** By the P10: it is the one to plan with while the battery is all there is. */
  level: "normal" | "warning" | "critical";
}

export function isOnBattery(mode: StringMode | null): boolean {
  return mode === "discharge" || mode === "test";
}

/** Whether one of its strings in service is. */
export function isSystemOnBattery({ strings }: SystemOut): boolean {
  return strings.some(({ retired_at: at, state }) => at === null && isOnBattery(state.mode));
}

/** The runtime from now on, or why there is none; one that a page kept for too long is none either. */
export function runtimeLeft(runtime: ListedRuntime, onBattery: boolean, now: number): RuntimeLeft | NoRuntimeReason {
  if (runtime.reason !== null) return runtime.reason;
  const { runtime_p10_s: low, runtime_p50_s: median, runtime_p90_s: high, at } = runtime;
  if (low === null || median === null || high === null || at === null) return "not_computed_yet";
  const ageMs = Math.max(0, now - Date.parse(at));
  if (ageMs > (onBattery ? TOO_OLD_ON_BATTERY_MS : TOO_OLD_MS)) return "too_old";
  const left = (seconds: number) => Math.max(0, onBattery ? seconds - ageMs / 1000 : seconds);
  return {
    lowS: left(low),
    medianS: left(median),
    highS: left(high),
    level: onBattery ? levelOf(left(low)) : "normal",
  };
}

function levelOf(lowS: number): RuntimeLeft["level"] {
  if (lowS < CRITICAL_BELOW_S) return "critical";
  return lowS < WARNING_BELOW_S ? "warning" : "normal";
}
