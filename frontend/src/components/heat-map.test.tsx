import { act, render, screen } from "@testing-library/react";
import { beforeEach, expect, it, vi } from "vitest";

import { liveStore } from "@/realtime/connection";
import { latestOf } from "@/testing/answers";
import { MockFleet } from "@/testing/fleet";

import { HeatMap } from "./heat-map";

const drawn: string[] = [];

beforeEach(() => {
  drawn.length = 0;
  const context = {
    scale: () => undefined,
    fillRect: () => drawn.push("fill"),
    strokeRect: () => drawn.push("outline"),
    beginPath: () => undefined,
    moveTo: () => undefined,
    lineTo: () => undefined,
    stroke: () => drawn.push("stroke"),
    fill: () => drawn.push("triangle"),
  };
  vi.spyOn(HTMLCanvasElement.prototype, "getContext").mockReturnValue(context as unknown as null);
});

const count = (what: string) => drawn.filter((name) => name === what).length;
const rowsOf = (fleet: MockFleet, stringId: string) => [
  (fleet.strings.find((string) => string.string_id === stringId)?.batteries ?? []).map((battery) => battery.battery_id),
];

it("has a name, since a canvas has no text", () => {
  render(<HeatMap rows={[["a"]]} fillBy="status" label="Phuket: 1 no data" />);
  expect(screen.getByRole("img", { name: "Phuket: 1 no data" })).toBeInTheDocument();
});

it("outlines a battery without data instead of colouring it", () => {
  render(<HeatMap rows={[["BAT-unknown-001", "BAT-unknown-002"]]} fillBy="status" label="x" />);
  expect(count("fill")).toBe(0);
  expect(count("outline")).toBe(2);
});

it("fills known batteries and puts a cross on the critical ones", () => {
  const fleet = new MockFleet();
  liveStore.applySnapshot(latestOf(fleet, Date.now()));
  render(<HeatMap rows={rowsOf(fleet, "DC-SRC-01-UPS-01-STR-02")} fillBy="status" label="x" />);
  expect(count("fill")).toBe(24);
  expect(count("stroke")).toBe(2);
});

it("puts a triangle on warnings, and an outline where colour shows a value", () => {
  const fleet = new MockFleet();
  liveStore.applySnapshot(latestOf(fleet, Date.now()));
  const rows = rowsOf(fleet, "DC-KKN-01-REC-01-STR-01");
  const { rerender } = render(<HeatMap rows={rows} fillBy="status" label="x" />);
  expect(count("triangle")).toBe(3);
  drawn.length = 0;
  rerender(<HeatMap rows={rows} fillBy="temperature_c" label="x" />);
  expect(count("triangle")).toBe(0);
  expect(count("outline")).toBe(3);
});

it("is drawn again when values arrive", async () => {
  const fleet = new MockFleet();
  render(<HeatMap rows={rowsOf(fleet, "DC-CNX-01-REC-01-STR-01")} fillBy="status" label="x" />);
  expect(count("fill")).toBe(0);
  act(() => liveStore.applySnapshot(latestOf(fleet, Date.now())));
  await vi.waitFor(() => expect(count("fill")).toBe(24));
});
