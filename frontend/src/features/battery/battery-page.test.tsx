import { screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { http } from "msw";
import { act } from "react";
import { expect, it } from "vitest";

import { liveStore } from "@/realtime/connection";
import { MockFleet } from "@/testing/fleet";
import { createHandlers, problem } from "@/testing/handlers";
import { renderPage } from "@/testing/render";
import { server } from "@/testing/server";

import { BatteryPage } from "./battery-page";

const ID = "BAT-DC-SRC-01-UPS-01-STR-02-007";

function open(id = ID) {
  return renderPage({ path: "/batteries/:batteryId", element: <BatteryPage />, address: `/batteries/${id}` });
}

const valueOf = (name: string) => screen.getAllByText(name)[0]?.parentElement as HTMLElement;

it("shows status with its reason, and live values with their age", async () => {
  open();
  expect(await screen.findByRole("heading", { level: 1, name: ID })).toBeVisible();
  expect(screen.getByText("Critical", { selector: "h1 + span" })).toBeVisible();
  expect(within(screen.getByTestId("live-values")).getByText("47.8 °C")).toBeVisible();
  expect(within(valueOf("Temperature")).getByText(/ ago$/)).toBeVisible();
});

it("gives no number for charge, health and life without evidence, but the reason", async () => {
  open();
  await screen.findByTestId("live-values");
  for (const name of ["State of charge (SOC)", "State of health (SOH)"]) {
    expect(valueOf(name)).toHaveTextContent("No estimate yet");
    expect(valueOf(name)).toHaveTextContent("Requires a discharge or capacity test");
    expect(valueOf(name)).not.toHaveTextContent(/\d/);
  }
  expect(valueOf("Remaining useful life (RUL)")).toHaveTextContent("No prediction yet");
});

it("follows the live store", async () => {
  const { fleet } = open();
  await screen.findByTestId("live-values");
  const battery = fleet.need(ID);
  battery.voltage_v = 12.34;
  const index = fleet.strings.findIndex((string) => string.string_id === battery.string_id);
  act(() => {
    const update = fleet.report(index, Date.now() + 1000);
    if (update !== null) liveStore.applyUpdate(update);
  });
  await waitFor(() => expect(screen.getByTestId("live-voltage").textContent).toMatch(/^12\.3/));
});

it("shows a battery that never reported as without data", async () => {
  open("BAT-DC-HDY-01-REC-01-STR-02-024");
  expect(await screen.findByText("No data", { selector: "h1 + span" })).toBeVisible();
  expect(screen.getByTestId("live-voltage")).toHaveTextContent("–");
});

it.each([
  "alerts",
  "batteries",
  "batteries/:id/telemetry",
  "batteries/:id/twin",
  "batteries/:id/discharges",
  "batteries/:id/rul",
  "batteries/:id/alert-rules",
  "strings/:id/runtime",
])("says that the answer of %s is missing, and asks again on demand", async (path) => {
  const { fleet } = open();
  server.use(http.get(`*/api/v1/${path}`, () => problem(503, "database_unavailable", "The database is away.")));
  expect(await screen.findByRole("alert")).toHaveTextContent("The database is away.");
  server.use(...createHandlers(fleet));
  await userEvent.click(screen.getByRole("button", { name: "Retry" }));
  await waitFor(() => expect(screen.queryByRole("alert")).toBeNull());
});

it("says that the charts mark no alerts because there are none to be had", async () => {
  open();
  server.use(http.get("*/api/v1/alerts", () => problem(503, "database_unavailable", "The database is away.")));
  expect(await screen.findByText(/so the charts do not mark any/)).toBeVisible();
});

it("says since when its alerts are not refreshed", async () => {
  const { cache } = open();
  await screen.findByText("Alert rules");
  await waitFor(() => expect(cache.isFetching()).toBe(0));
  server.use(http.get("*/api/v1/alerts", () => problem(503, "database_unavailable", "The database is away.")));
  await act(() => cache.invalidateQueries({ queryKey: ["alerts"] }));
  expect(await screen.findByText(/^Could not refresh/)).toBeVisible();
});

it("says beside a normal status what the rules cannot judge, and why", async () => {
  const fleet = new MockFleet();
  const id = "BAT-DC-SRC-01-UPS-01-STR-01-003";
  fleet.need(id).notJudged = [
    { signal: "temperature", reason: "never_measured" },
    { signal: "voltage_vs_string", reason: "too_few_peers" },
  ];
  renderPage({ path: "/batteries/:batteryId", element: <BatteryPage />, address: `/batteries/${id}` }, fleet);
  expect(await screen.findByText("Normal", { selector: "h1 + span" })).toBeVisible();
  expect(screen.getByText("2 not judged")).toBeVisible();
  const items = within(screen.getByTestId("not-judged")).getAllByRole("listitem");
  expect(items.map((item) => item.textContent)).toEqual([
    "Temperaturenever measured",
    "Voltage against its stringfewer than three batteries of the string have current values to compare",
  ]);
});

it("says nothing of the kind where everything is judged", async () => {
  open();
  await screen.findByTestId("live-values");
  expect(screen.queryByTestId("not-judged")).toBeNull();
  expect(screen.queryByText(/not judged/)).toBeNull();
});
