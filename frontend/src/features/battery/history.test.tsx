import { screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import i18next from "i18next";
import { http, HttpResponse } from "msw";
import { expect, it } from "vitest";

import { batteryDetail, seriesOf } from "@/testing/answers";
import { MockFleet } from "@/testing/fleet";
import { problem } from "@/testing/handlers";
import { showPage } from "@/testing/render";
import { server } from "@/testing/server";

import { History } from "./history";

const HOUR = 3_600_000;
const fleet = new MockFleet();
const battery = fleet.need("BAT-DC-SRC-01-UPS-01-STR-02-007");
const detail = batteryDetail(fleet, battery, Date.now());

interface Span {
  start: number;
  end: number;
}

/** Show the charts at an address; `requested` lists the spans that were read. */
function show(address = "/") {
  const requested: Span[] = [];
  server.use(
    http.get("*/api/v1/batteries/:id/telemetry", ({ request }) => {
      const params = new URL(request.url).searchParams;
      const [start, end] = [Date.parse(params.get("start") ?? ""), Date.parse(params.get("end") ?? "")];
      requested.push({ start, end });
      return HttpResponse.json(seriesOf(battery, start, end, 24));
    }),
  );
  const page = showPage({ path: "/", element: <History battery={detail} alerts={[]} />, address });
  const range = () => {
    const params = new URLSearchParams(page.router.state.location.search);
    return { from: params.get("from"), to: params.get("to") };
  };
  /** Ends of a fixed range in the address. */
  const instants = () => ({ from: Number(range().from), to: Number(range().to) });
  return { ...page, requested, range, instants };
}

const button = (name: string) => screen.getByRole("button", { name });
const press = (name: string) => userEvent.click(button(name));
const widthOf = (span: Span | undefined) => (span === undefined ? Number.NaN : span.end - span.start);

it("shows the last day of four channels until another range is chosen", async () => {
  const { requested } = show();
  const figures = await screen.findAllByRole("figure");
  expect(figures.map((figure) => figure.querySelector("figcaption")?.textContent)).toEqual([
    "Voltage V",
    "Resistance mΩ",
    "Temperature °C",
    "Current A",
  ]);
  expect(requested.map(widthOf)).toEqual([24 * HOUR]);
  expect(screen.getAllByRole("button", { pressed: true })).toEqual([button("24 h")]);
});

it("says how many points of which resolution are shown, and in which zone", async () => {
  show();
  await screen.findAllByRole("figure");
  expect(
    screen.getByText(/^21 points, averages over 1 h · Bangkok time \(UTC\+7\) · Data gaps are left open\.$/),
  ).toBeVisible();
});

it.each([
  ["raw", "21 points, raw readings ·"],
  ["5m", "21 points, averages over 5 min ·"],
  ["6h", "21 points, averages over 6 h ·"],
  ["14d", "21 points, averages over 14 d ·"],
])("names the width of a point of %s", async (resolution, text) => {
  server.use(
    http.get("*/api/v1/batteries/:id/telemetry", () =>
      HttpResponse.json({ ...seriesOf(battery, Date.now() - 24 * HOUR, Date.now(), 24), resolution }),
    ),
  );
  showPage({ path: "/", element: <History battery={detail} alerts={[]} />, address: "/" });
  await screen.findAllByRole("figure");
  expect(screen.getByText(new RegExp(`^${text}`))).toBeVisible();
});

it.each([
  ["1 h", "now-1h", HOUR],
  ["7 d", "now-7d", 7 * 24 * HOUR],
  ["1 y", "now-1y", 365 * 24 * HOUR],
])("reads %s and holds it in the address", async (name, from, width) => {
  const { requested, range } = show();
  await screen.findAllByRole("figure");
  await press(name);
  expect(range()).toEqual({ from, to: "now" });
  await waitFor(() => expect(widthOf(requested.at(-1))).toBe(width));
  expect(button(name)).toHaveAttribute("aria-pressed", "true");
  expect(button("24 h")).toHaveAttribute("aria-pressed", "false");
});

it("opens at the range of the address and keeps what else the address holds", async () => {
  const { router, requested } = show("/?from=now-6h&to=now&tab=charts");
  await screen.findAllByRole("figure");
  expect(requested.map(widthOf)).toEqual([6 * HOUR]);
  expect(button("6 h")).toHaveAttribute("aria-pressed", "true");
  await press("30 d");
  expect(router.state.location.search).toBe("?from=now-30d&to=now&tab=charts");
});

it("moves earlier by half a width, and no preset is pressed then", async () => {
  const { instants } = show(`/?from=${Date.now() - 10 * HOUR}&to=${Date.now() - 6 * HOUR}`);
  const before = instants();
  await screen.findAllByRole("figure");
  await press("Earlier");
  expect(instants()).toEqual({ from: before.from - 2 * HOUR, to: before.to - 2 * HOUR });
  expect(screen.queryAllByRole("button", { pressed: true })).toEqual([]);
});

it("moves later, but there is nothing later than now", async () => {
  const { instants } = show(`/?from=${Date.now() - 10 * HOUR}&to=${Date.now() - 6 * HOUR}`);
  const before = instants();
  await screen.findAllByRole("figure");
  await press("Later");
  expect(instants()).toEqual({ from: before.from + 2 * HOUR, to: before.to + 2 * HOUR });
  await press("24 h");
  expect(button("Later")).toBeDisabled();
  expect(button("Earlier")).toBeEnabled();
});

it("zooms out to twice the width", async () => {
  const { instants, requested } = show(`/?from=${Date.now() - 10 * HOUR}&to=${Date.now() - 6 * HOUR}`);
  const before = instants();
  await screen.findAllByRole("figure");
  await press("Zoom out");
  expect(instants()).toEqual({ from: before.from - 2 * HOUR, to: before.to + 2 * HOUR });
  await waitFor(() => expect(widthOf(requested.at(-1))).toBe(8 * HOUR));
});

it("shows why there is no history, and reads again on Retry", async () => {
  const { requested } = show();
  server.use(
    http.get("*/api/v1/batteries/:id/telemetry", () => problem(503, "database_unavailable", "The database is away."), {
      once: true,
    }),
  );
  const alert = await screen.findByRole("alert");
  expect(alert).toHaveTextContent("The database is away.");
  expect(screen.queryByRole("figure")).toBeNull();
  await userEvent.click(within(alert).getByRole("button", { name: "Retry" }));
  expect(await screen.findAllByRole("figure")).toHaveLength(4);
  expect(requested).toHaveLength(1);
});

it("speaks Thai", async () => {
  await i18next.changeLanguage("th");
  show();
  await screen.findAllByRole("figure");
  expect(screen.getByRole("group", { name: "ประวัติ" })).toContainElement(button("24 ชม."));
  expect(screen.getByText(/^21 จุด, ค่าเฉลี่ยราย 1 ชม\. · เวลากรุงเทพฯ/)).toBeVisible();
});
