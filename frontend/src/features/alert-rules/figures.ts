import type { TFunction } from "i18next";

import type { AlertRule } from "@/api/types";
import { unitText } from "@/i18n";

/** Fewest digits that a limit is shown with, by unit; it has more where it needs them. */
const decimals: Readonly<Record<string, number>> = { V: 2, "°C": 1, "mA/Ah": 1 };
const MOST_DECIMALS = 4;

/** A limit with its unit, exactly as it is set. */
export function limitText(value: number, unit: string | null, t: TFunction): string {
  if (unit === "s") return durationText(value, t);
  if (unit === "d" && Number.isInteger(value)) return t("battery.days", { count: value });
  const number = numberText(value, unit);
  return unit === null ? number : `${number} ${unitText(unit)}`;
}

export function numberText(value: number, unit: string | null): string {
  const fewest = unit === null ? 0 : (decimals[unit] ?? 0);
  const exact = Number(value.toFixed(MOST_DECIMALS));
  const short = exact.toFixed(fewest);
  return Number(short) === exact ? short.replace(/^-(0(\.0+)?)$/, "$1") : String(exact);
}

const steps = [
  ["d", 86_400],
  ["h", 3600],
  ["min", 60],
  ["s", 1],
] as const;

/** A duration without rounding, as `1 h 30 min`; a hold that is cut to hours would mislead who changes it. */
export function durationText(seconds: number, t: TFunction): string {
  const parts: string[] = [];
  let left = Math.round(Math.max(0, seconds) * 10) / 10;
  for (const [unit, length] of steps) {
    // A day alone reads better in hours.
    if (unit === "d" && left < 2 * length) continue;
    const count = unit === "s" ? Number(left.toFixed(1)) : Math.floor(left / length);
    if (count === 0) continue;
    left -= count * length;
    parts.push(`${count} ${t(`unit.${unit}`)}`);
  }
  return parts.length === 0 ? `0 ${t("unit.s")}` : parts.join(" ");
}

const countSignals: readonly string[] = ["mains_losses_24h"];
const flagSignals: readonly string[] = ["mains_lost", "hvac_loss", "current_contradicted", "mode_contradicted"];

/** Whether a rule counts events, so that its limits lie between two whole numbers. */
export function isCount({ signal }: Pick<AlertRule, "signal">): boolean {
  return countSignals.includes(signal);
}

/** Whether a rule looks at a state that is reported, so that its limits have no meaning as figures. */
export function isFlag({ signal }: Pick<AlertRule, "signal">): boolean {
  return flagSignals.includes(signal);
}
