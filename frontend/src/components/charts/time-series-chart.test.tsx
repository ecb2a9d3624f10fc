import { render, screen, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import i18next from "i18next";
import { expect, it } from "vitest";

import type { TelemetrySeries } from "@/api/types";
import { seriesOf } from "@/testing/answers";
import { MockFleet } from "@/testing/fleet";

import { TimeSeriesChart } from "./time-series-chart";

const END = Date.parse("2026-11-23T18:00:00Z");
const START = END - 24 * 3_600_000;
const fleet = new MockFleet(END);
const battery = fleet.need("BAT-DC-CNX-01-UPS-01-STR-01-001");

function show(series: TelemetrySeries, channel: "voltage_v" | "temperature_c" = "voltage_v") {
  return render(
    <TimeSeriesChart
      name={channel === "voltage_v" ? "Voltage" : "Temperature"}
      series={series}
      channel={channel}
      from={START}
      to={END}
      marks={[{ value: 13.62, label: "float limit" }]}
      alerts={[fleet.strike(battery.battery_id)]}
      onZoom={() => undefined}
    />,
  );
}

it("names the channel with its unit and sums it up in words", () => {
  show(seriesOf(battery, START, END, 24));
  const figure = screen.getByRole("figure");
  expect(figure).toHaveTextContent(/^Voltage V/);
  expect(figure).toHaveTextContent(/Voltage: 13\.\d\d V to 13\.\d\d V, latest 13\.\d\d V/);
});

it("gives the same values as a table that leaves gaps out", async () => {
  const series = seriesOf(battery, START, END, 24);
  show(series);
  await userEvent.click(screen.getByRole("button", { name: "Show table" }));
  const table = within(screen.getByRole("region", { name: "Voltage" })).getByRole("table");
  const [header, first, ...rest] = within(table).getAllByRole("row");
  expect(header).toHaveTextContent("TimeMinMeanMax");
  expect(first).toHaveTextContent("23 Nov 2026, 01:00");
  expect(first).toHaveTextContent((series.columns.voltage_v.mean[0] ?? 0).toFixed(2));
  expect(rest).toHaveLength(series.point_count - 1);
  await userEvent.click(screen.getByRole("button", { name: "Show chart" }));
  expect(screen.queryByRole("table")).toBeNull();
});

it("says that there are no readings instead of drawing an empty chart", () => {
  const series = seriesOf(battery, START, END, 24);
  const none = { mean: [], last: [], min: [], max: [] };
  show({ ...series, columns: { ...series.columns, temperature_c: none } }, "temperature_c");
  expect(screen.getByText("No readings in this range.")).toBeVisible();
  expect(screen.queryByRole("button")).toBeNull();
});

it("has Thai texts for a Thai user", async () => {
  await i18next.changeLanguage("th");
  show(seriesOf(battery, START, END, 24));
  expect(screen.getByRole("button", { name: "แสดงตาราง" })).toBeVisible();
  expect(screen.getByText(/ล่าสุด 13\.\d\d V/)).toBeVisible();
});
