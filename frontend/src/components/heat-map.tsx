import { useEffect, useRef } from "react";

import type { HealthStatus } from "@/api/types";
import { liveStore } from "@/realtime/connection";
import { useLiveVersion, useNow } from "@/realtime/hooks";
import { type LiveValue, statusNow } from "@/realtime/live-store";
import { usePreferences } from "@/stores/preferences";

import { fillOf, type FillBy } from "./heat-fill";

interface HeatMapProps {
  /** Battery ids, a row a string. */
  rows: readonly (readonly string[])[];
  fillBy: FillBy;
  label: string;
}

const GAP = 1;
const MAX_CELL = 12;

/** One canvas for a location's batteries; 1,944 cells cost one redraw a frame. */
export function HeatMap({ rows, fillBy, label }: HeatMapProps) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const version = useLiveVersion();
  const now = useNow(5000);
  const theme = usePreferences((state) => state.theme);

  useEffect(() => {
    const element = canvas.current;
    if (element === null) return;
    const paint = () => draw(element, rows, fillBy, (id) => liveStore.get(id), Date.now());
    paint();
    const observer = new ResizeObserver(paint);
    observer.observe(element);
    return () => observer.disconnect();
  }, [rows, fillBy, version, now, theme]);

  return (
    // eslint-disable-next-line jsx-a11y/no-interactive-element-to-noninteractive-role -- this canvas only shows
    <canvas ref={canvas} role="img" aria-label={label} className="block w-full" style={{ height: heightOf(rows) }} />
  );
}

function heightOf(rows: readonly (readonly string[])[]): number {
  return rows.length * (MAX_CELL + GAP);
}

function draw(
  element: HTMLCanvasElement,
  rows: readonly (readonly string[])[],
  fillBy: FillBy,
  find: (batteryId: string) => LiveValue | undefined,
  now: number,
): void {
  const context = element.getContext("2d");
  if (context === null) return;
  const ratio = window.devicePixelRatio || 1;
  const width = element.clientWidth;
  const height = heightOf(rows);
  element.width = width * ratio;
  element.height = height * ratio;
  context.scale(ratio, ratio);
  const style = getComputedStyle(element);
  const columns = Math.max(1, ...rows.map((row) => row.length));
  // Borders on whole pixels: cells differ by one at most, and the row fills the card.
  const left = (x: number) => Math.round((x * width) / columns);
  rows.forEach((row, y) => {
    row.forEach((batteryId, x) => {
      const value = find(batteryId);
      const status = statusNow(value, now);
      paintCell(
        context,
        style,
        left(x),
        y * (MAX_CELL + GAP),
        left(x + 1) - left(x) - GAP,
        fillOf(value, status, fillBy, now),
        status,
      );
    });
  });
}

function paintCell(
  context: CanvasRenderingContext2D,
  style: CSSStyleDeclaration,
  x: number,
  y: number,
  width: number,
  fill: string | null,
  status: HealthStatus,
): void {
  if (fill === null) {
    // Nothing known: an outline and a stroke, not a colour.
    context.strokeStyle = style.getPropertyValue("--border-strong");
    context.lineWidth = 1;
    context.strokeRect(x + 0.5, y + 0.5, width - 1, MAX_CELL - 1);
    context.beginPath();
    context.moveTo(x, y + MAX_CELL);
    context.lineTo(x + width, y);
    context.stroke();
    return;
  }
  context.fillStyle = fill.startsWith("--") ? style.getPropertyValue(fill) : fill;
  context.fillRect(x, y, width, MAX_CELL);
  if (status === "critical") {
    context.strokeStyle = style.getPropertyValue("--on-critical");
    context.lineWidth = 1.5;
    context.beginPath();
    context.moveTo(x + 3, y + 3);
    context.lineTo(x + width - 3, y + MAX_CELL - 3);
    context.moveTo(x + width - 3, y + 3);
    context.lineTo(x + 3, y + MAX_CELL - 3);
    context.stroke();
  }
}
