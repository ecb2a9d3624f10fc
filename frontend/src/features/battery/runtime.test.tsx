import { screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import i18next from "i18next";
import { http, HttpResponse } from "msw";
import { expect, it } from "vitest";

import { batteryDetail } from "@/testing/answers";
import { MockFleet } from "@/testing/fleet";
import { problem } from "@/testing/handlers";
import { showPage } from "@/testing/render";
import { server } from "@/testing/server";
import { runtimeOf } from "@/testing/twin";

import type { Runtime } from "./queries";
import { RuntimeCard } from "./runtime";

const fleet = new MockFleet();
const ID = "BAT-DC-SRC-01-UPS-01-STR-02-007";
const battery = batteryDetail(fleet, fleet.need(ID), Date.now());

/** Show the card; the result lists the loads in watts that it requests, null for the present one. */
function show(answer: (powerW: string | null) => Response) {
  const loads: (string | null)[] = [];
  server.use(
    http.get("*/api/v1/strings/:id/runtime", ({ params, request }) => {
      expect(params.id).toBe(battery.string_id);
      const powerW = new URL(request.url).searchParams.get("power_w");
      loads.push(powerW);
      return answer(powerW);
    }),
  );
  showPage({ path: "/", element: <RuntimeCard battery={battery} /> });
  return loads;
}

const usual = (powerW: string | null) => HttpResponse.json(runtimeOf(battery.string_id, powerW, Date.now()));

function changed(change: Partial<Omit<Runtime, "simulation">>, simulation: Partial<Runtime["simulation"]> = {}) {
  const runtime = runtimeOf(battery.string_id, null, Date.now());
  return () => HttpResponse.json({ ...runtime, ...change, simulation: { ...runtime.simulation, ...simulation } });
}

async function simulate(load: string): Promise<void> {
  await userEvent.clear(screen.getByLabelText("Simulated load"));
  await userEvent.type(screen.getByLabelText("Simulated load"), load);
  await userEvent.click(screen.getByRole("button", { name: "Simulate" }));
}

it("names the string and starts from its present load", async () => {
  const loads = show(usual);
  expect(screen.getByRole("heading", { name: "Runtime of UPS-01-STR-02" })).toBeVisible();
  expect(await screen.findByText("about 41 min")).toBeVisible();
  expect(loads).toEqual([null]);
});

it("requests the simulated load in watts and says that it is a given one", async () => {
  const loads = show(usual);
  await screen.findByText("about 41 min");
  await simulate("12.5");
  expect(await screen.findByText("about 66 min")).toBeVisible();
  expect(loads).toEqual([null, "12500"]);
  expect(screen.getByTestId("runtime")).toHaveTextContent("P10–P90: 53–79 min · at 12.5 kW");
});

it("simulates on Enter too", async () => {
  const loads = show(usual);
  await userEvent.type(screen.getByLabelText("Simulated load"), "82{Enter}");
  expect(await screen.findByText("about 10 min")).toBeVisible();
  expect(loads).toContain("82000");
});

it("returns to the present load when the field is emptied", async () => {
  show(usual);
  await simulate("41");
  expect(await screen.findByText("about 20 min")).toBeVisible();
  await userEvent.clear(screen.getByLabelText("Simulated load"));
  expect(await screen.findByText("about 41 min")).toBeVisible();
  expect(screen.getByRole("button", { name: "Simulate" })).toBeDisabled();
});

it.each(["0", "-5", "4001", "1e9"])("offers no simulation of a load of %s kW", async (load) => {
  const loads = show(usual);
  await userEvent.type(screen.getByLabelText("Simulated load"), load);
  expect(screen.getByRole("button", { name: "Simulate" })).toBeDisabled();
  await userEvent.keyboard("{Enter}");
  await screen.findByText("about 41 min");
  expect(loads).toEqual([null]);
});

it("takes the largest load that the gateway takes", async () => {
  const loads = show(usual);
  await simulate("4000");
  await waitFor(() => expect(loads).toContain("4000000"));
});

it("gives a minimum, and names no limiting battery, where the simulation does not reach the cut-off", async () => {
  show(changed({ withheld_count: 0, unknown_batteries: [] }, { reaches_cut_off: false, runtime_p50_s: 36_000 }));
  expect(await screen.findByText("at least 600 min")).toBeVisible();
  const card = screen.getByTestId("runtime");
  expect(card).not.toHaveTextContent(/Limited by|no current estimate/);
  expect(within(card).queryByRole("link")).toBeNull();
});

it("points out that this battery is the limiting one, without a link to itself", async () => {
  show(changed({ withheld_count: 0, unknown_batteries: [] }, { limiting_battery_id: ID }));
  expect(await screen.findByText("Limited by this battery.")).toBeVisible();
  expect(within(screen.getByTestId("runtime")).queryByRole("link")).toBeNull();
});

it("gives a load that is known as a current in amperes, without the sign of the discharge", async () => {
  show(changed({ load: { basis: "present", current_a: -74.24, power_w: null } }));
  expect(await screen.findByText(/at the present load of 74\.2 A/)).toBeVisible();
});

it("counts the batteries without an estimate and names each with the reason", async () => {
  const unknown: Runtime["unknown_batteries"] = [
    { battery_id: "BAT-DC-SRC-01-UPS-01-STR-02-003", reason: "sensor_fault" },
    { battery_id: "BAT-DC-SRC-01-UPS-01-STR-02-004", reason: "reading_too_old" },
  ];
  show(changed({ withheld_count: 2, unknown_batteries: unknown }));
  expect(await screen.findByText(/^2 of 24 batteries have no current estimate/)).toBeVisible();
  const items = within(screen.getByRole("list", { name: "Batteries without a current estimate" })).getAllByRole(
    "listitem",
  );
  expect(items.map((item) => item.textContent)).toEqual([
    "UPS-01-STR-02-003: A sensor of this battery is at fault; see its alerts.",
    "UPS-01-STR-02-004: The latest reading is too old.",
  ]);
});

it("says why a load cannot be simulated, and keeps the field for another one", async () => {
  show((powerW) => (powerW === null ? usual(null) : problem(422, "simulation_refused", "The load is too high.")));
  await screen.findByText("about 41 min");
  await simulate("3999");
  expect(await screen.findByRole("alert")).toHaveTextContent("The load is too high.");
  expect(screen.queryByTestId("runtime")).toBeNull();
  expect(screen.getByLabelText("Simulated load")).toHaveValue(3999);
});

it("says that the server is away", async () => {
  show(() => HttpResponse.error());
  expect(await screen.findByRole("alert")).toHaveTextContent("The server is not responding.");
});

it("speaks Thai, in estimates and in problems", async () => {
  await i18next.changeLanguage("th");
  show((powerW) => (powerW === null ? usual(null) : problem(404, "runtime_unknown", "No runtime.")));
  expect(await screen.findByText("ประมาณ 41 นาที")).toBeVisible();
  expect(screen.getByTestId("runtime")).toHaveTextContent("ที่โหลดของการคายประจุครั้งล่าสุด 20.0 kW");
  await userEvent.type(screen.getByLabelText("โหลดจำลอง"), "5");
  await userEvent.click(screen.getByRole("button", { name: "จำลอง" }));
  expect(await screen.findByRole("alert")).toHaveTextContent("ข้อมูลไม่เพียงพอสำหรับคำนวณระยะเวลาสำรองไฟ");
});
