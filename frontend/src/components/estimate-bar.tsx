import clsx from "clsx";

import type { Estimate } from "@/api/types";

const WIDTH = 120;
const HEIGHT = 10;

interface EstimateBarProps {
  estimate: Estimate;
  from: number;
  to: number;
  /** A line to compare with, such as 80 % of rated capacity. */
  limit?: number;
}

/** An estimate's 90 % interval on its scale; hatched and hollow while it is only assumed. */
export function EstimateBar({ estimate, from, to, limit }: EstimateBarProps) {
  const { value_pct: value, low_pct: low, high_pct: high, provenance } = estimate;
  if (value === null || low === null || high === null) return null;
  const position = (percent: number) => ((Math.min(Math.max(percent, from), to) - from) / (to - from)) * 100;
  const assumed = provenance === "prior_only";
  return (
    <div aria-hidden className="relative my-1 rounded-sm bg-surface-2" style={{ maxWidth: WIDTH, height: HEIGHT }}>
      <span
        className={clsx(
          "absolute inset-y-0 rounded-sm",
          assumed ? "hatched border border-border-strong" : "bg-ok-fill",
        )}
        style={{ left: `${position(low)}%`, width: `${Math.max(2, position(high) - position(low))}%` }}
      />
      {!assumed && (
        <span className="absolute -inset-y-0.5 w-0.5 bg-text" style={{ left: `calc(${position(value)}% - 1px)` }} />
      )}
      {limit !== undefined && (
        <span
          className="absolute -inset-y-0.5 border-l border-dashed border-critical-text"
          style={{ left: `${position(limit)}%` }}
        />
      )}
    </div>
  );
}
