/** Fewer others say nothing of what is usual; the alert rules demand as many. */
const FEWEST_OTHERS = 3;

/** Standard deviation of a normal distribution over its median absolute deviation. */
const SD_PER_MAD = 1.4826;

export interface Comparison {
  own: number | null;
  /** How many robust standard deviations of the others it is from their median; null where they are all alike. */
  deviation: number | null;
  others: number;
  median: number;
  low: number;
  high: number;
}

/** A value beside those of others; null where too few of them are known. */
export function comparisonOf<T>(
  own: T | undefined,
  others: readonly T[],
  valueOf: (item: T) => number | null,
): Comparison | null {
  const values = others.map(valueOf).filter((value) => value !== null);
  if (values.length < FEWEST_OTHERS) return null;
  const middle = medianOf(values);
  const value = own === undefined ? null : valueOf(own);
  const sd = SD_PER_MAD * medianOf(values.map((other) => Math.abs(other - middle)));
  return {
    own: value,
    deviation: value === null || sd === 0 ? null : (value - middle) / sd,
    others: values.length,
    median: middle,
    low: Math.min(...values),
    high: Math.max(...values),
  };
}

/** The median of at least one value. */
function medianOf(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const [lower = Number.NaN, upper = Number.NaN] = [sorted[(sorted.length - 1) >> 1], sorted[sorted.length >> 1]];
  return (lower + upper) / 2;
}
