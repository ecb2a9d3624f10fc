import { expect, it } from "vitest";

import { comparisonOf } from "./comparison";

const known = (value: number | null) => value;

it("compares with the median of the others that are known", () => {
  expect(comparisonOf(11.4, [13.75, null, 13.5, 13.25, 14], known)).toEqual({
    own: 11.4,
    // The others are 0.125, 0.125, 0.375 and 0.375 V from their median: 0.25 V in the middle.
    deviation: expect.closeTo((11.4 - 13.625) / (1.4826 * 0.25), 6) as number,
    others: 4,
    median: 13.625,
    low: 13.25,
    high: 14,
  });
  expect(comparisonOf<number | null>(undefined, [1, 9, 2], known)).toMatchObject({ own: null, median: 2 });
});

it("gives no deviation from others that are all alike", () => {
  expect(comparisonOf(11.4, [13.5, 13.5, 13.5], known)).toMatchObject({ median: 13.5, deviation: null });
});

it("compares with nothing where fewer than three are known", () => {
  expect(comparisonOf(11.4, [13.7, null, 13.5], known)).toBeNull();
});
