/** Fewer others say nothing of what is usual; the alert rules demand as many. */
const FEWEST_OTHERS = 3;

export interface Comparison {
  own: number | null;
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
  return {
    own: own === undefined ? null : valueOf(own),
    others: values.length,
    median: (lower + upper) / 2,
    low,
    high,
  };
}
