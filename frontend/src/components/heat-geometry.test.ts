import { expect, it } from "vitest";

import { CELL_HEIGHT, cellsOf, GAP, heightOf } from "./heat-geometry";

const strings = Array.from({ length: 9 }, () => 24);

it.each([240, 251, 290, 333, 600])("fills %d px with whole pixels, one gap between adjacent cells", (width) => {
  for (const row of cellsOf(strings, width)) {
    expect(row).toHaveLength(24);
    expect(row[0]?.x).toBe(0);
    row.forEach((cell, i) => {
      expect([cell.x, cell.width].every(Number.isInteger)).toBe(true);
      const next = row[i + 1];
      expect(cell.x + cell.width + GAP).toBe(next?.x ?? width + GAP);
    });
    const widths = row.map((cell) => cell.width);
    expect(Math.max(...widths) - Math.min(...widths)).toBeLessThanOrEqual(1);
  }
});

it("puts strings below each other", () => {
  const cells = cellsOf(strings, 300);
  expect(cells.map((row) => row[0]?.y)).toEqual(strings.map((_, i) => i * (CELL_HEIGHT + GAP)));
  expect(heightOf(9)).toBe(9 * (CELL_HEIGHT + GAP));
});

it("lays a short string out in the columns of the longest", () => {
  const [long, short] = cellsOf([24, 6], 300);
  expect(short?.map(({ x }) => x)).toEqual(long?.slice(0, 6).map(({ x }) => x));
});

it("survives having no room and no strings", () => {
  expect(cellsOf([], 300)).toEqual([]);
  expect(cellsOf([24], 0)[0]?.every(({ width }) => width > 0)).toBe(true);
});
