/** Where the cells of a heat map lie: one row per string, as wide as the canvas allows. */

export const CELL_HEIGHT = 12;
export const GAP = 1;
const LEAST_WIDTH = 2;

export interface Cell {
  x: number;
  y: number;
  width: number;
  height: number;
}

export function heightOf(rowCount: number): number {
  return rowCount * (CELL_HEIGHT + GAP);
}

/** The whole width is shared out in whole pixels, so that edges stay sharp; the longest row decides for all. */
export function cellsOf(rowLengths: readonly number[], canvasWidth: number): Cell[][] {
  const columns = Math.max(1, ...rowLengths);
  const pitch = Math.max(LEAST_WIDTH + GAP, (canvasWidth + GAP) / columns);
  return rowLengths.map((length, row) =>
    Array.from({ length }, (_, column) => {
      const x = Math.round(column * pitch);
      return {
        x,
        y: row * (CELL_HEIGHT + GAP),
        width: Math.round((column + 1) * pitch) - GAP - x,
        height: CELL_HEIGHT,
      };
    }),
  );
}
