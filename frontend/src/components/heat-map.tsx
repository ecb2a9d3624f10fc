import { useEffect, useRef } from "react";

import type { HealthStatus } from "@/api/types";
import { useLiveLookup, useNow } from "@/realtime/hooks";
import { type LiveLookup, statusNow } from "@/realtime/live-store";
import { usePreferences } from "@/stores/preferences";

import { fillOf, type LiveFillBy } from "./heat-fill";
import { type Cell, cellsOf, heightOf } from "./heat-geometry";

interface HeatMapProps {
  /** Battery ids, one row per string, by position; null where there is none. */
  rows: readonly (readonly (string | null)[])[];
  fillBy: LiveFillBy;
  label: string;
}

/** One canvas for a location's batteries; 1,944 cells cost one redraw per frame. */
export function HeatMap({ rows, fillBy, label }: HeatMapProps) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const find = useLiveLookup();
  const now = useNow(5000);
  const theme = usePreferences((state) => state.theme);

  useEffect(() => {
    const element = canvas.current;
    if (element === null) return;
    const paint = () => draw(element, rows, fillBy, find, Date.now());
    paint();
    const observer = new ResizeObserver(paint);
    observer.observe(element);
    return () => observer.disconnect();
  }, [rows, fillBy, find, now, theme]);

  return (
    <div role="img" aria-label={label}>
      <canvas ref={canvas} className="block w-full" style={{ height: heightOf(rows.length) }} />
    </div>
  );
}

function draw(
  element: HTMLCanvasElement,
  rows: readonly (readonly (string | null)[])[],
  fillBy: LiveFillBy,
  find: LiveLookup,
  now: number,
): void {
  const context = element.getContext("2d");
  if (context === null) return;
  const ratio = window.devicePixelRatio || 1;
  const cells = cellsOf(
    rows.map((row) => row.length),
    element.clientWidth,
  );
  element.width = element.clientWidth * ratio;
  element.height = heightOf(rows.length) * ratio;
  context.scale(ratio, ratio);
  const style = getComputedStyle(element);
  const colour = (name: string) => style.getPropertyValue(name);
  rows.forEach((row, y) => {
    row.forEach((batteryId, x) => {
      const cell = cells[y]?.[x];
      if (cell === undefined || batteryId === null) return;
      const value = find(batteryId);
      const status = statusNow(value, now);
      const fill = fillOf(value, status, fillBy, now);
      if (fill === null) hatch(context, cell, colour("--border-strong"));
      else {
        context.fillStyle = fill.startsWith("--") ? colour(fill) : fill;
        context.fillRect(cell.x, cell.y, cell.width, cell.height);
      }
      mark(context, cell, status, fillBy, colour);
    });
  });
}

/** No data: an outline and a stroke, not a colour. */
function hatch(context: CanvasRenderingContext2D, { x, y, width, height }: Cell, colour: string): void {
  context.strokeStyle = colour;
  context.lineWidth = 1;
  context.strokeRect(x + 0.5, y + 0.5, width - 1, height - 1);
  context.beginPath();
  context.moveTo(x, y + height);
  context.lineTo(x + width, y);
  context.stroke();
}

/** A shape beside the colour: a cross for critical, a triangle for a warning, whatever the cells are coloured by. */
function mark(
  context: CanvasRenderingContext2D,
  { x, y, width, height }: Cell,
  status: HealthStatus,
  fillBy: LiveFillBy,
  colour: (name: string) => string,
): void {
  if (status !== "critical" && status !== "warning") return;
  if (fillBy !== "status") {
    context.strokeStyle = colour(`--${status}-fill`);
    context.lineWidth = 2;
    context.strokeRect(x + 1, y + 1, width - 2, height - 2);
    return;
  }
  const middle = x + width / 2;
  const arm = Math.min(width, height) / 2 - 2.5;
  context.beginPath();
  if (status === "critical") {
    context.strokeStyle = colour("--on-critical");
    context.lineWidth = 1.5;
    context.moveTo(middle - arm, y + height / 2 - arm);
    context.lineTo(middle + arm, y + height / 2 + arm);
    context.moveTo(middle + arm, y + height / 2 - arm);
    context.lineTo(middle - arm, y + height / 2 + arm);
    context.stroke();
  } else {
    context.fillStyle = colour("--on-warning");
    context.moveTo(middle, y + height / 2 - arm);
    context.lineTo(middle + arm, y + height / 2 + arm);
    context.lineTo(middle - arm, y + height / 2 + arm);
    context.fill();
  }
}
