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
  values.sort((a, b) => a - b);
  const [low, high] = [values[0], values.at(-1)];
  const upper = values[values.length >> 1];
  const lower = values[(values.length - 1) >> 1];
  if (values.length < FEWEST_OTHERS || low === undefined || high === undefined) return null;
  if (upper === undefined || lower === undefined) return null;
  const middle = (lower + upper) / 2;
  const value = own === undefined ? null : valueOf(own);
  const sd = SD_PER_MAD * medianOf(values.map((other) => Math.abs(other - middle)));
  return {
    own: value,
    deviation: value === null || sd === 0 ? null : (value - middle) / sd,
    others: values.length,
    median: middle,
    low,
    high,
  };
}

function medianOf(values: number[]): number {
  values.sort((a, b) => a - b);
  const [lower = 0, upper = 0] = [values[(values.length - 1) >> 1], values[values.length >> 1]];
  return (lower + upper) / 2;
}
