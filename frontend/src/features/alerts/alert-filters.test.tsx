import { screen, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import i18next from "i18next";
import { http, HttpResponse } from "msw";
import { beforeEach, expect, it, vi } from "vitest";

import { alertTypes } from "@/i18n";
import { MockFleet } from "@/testing/fleet";
import { createHandlers, problem } from "@/testing/handlers";
import { renderPage, showPage } from "@/testing/render";
import { server } from "@/testing/server";

import { AlertFilters } from "./alert-filters";
import { AlertsPage } from "./alerts-page";

beforeEach(() => server.use(...createHandlers(new MockFleet())));

function show(search = "") {
  const change = vi.fn<(params: URLSearchParams) => void>();
  showPage({ path: "/", element: <AlertFilters params={new URLSearchParams(search)} onChange={change} /> });
  return { latest: () => change.mock.calls.at(-1)?.[0].toString() };
}

const choose = (label: string, option: string) => userEvent.selectOptions(screen.getByLabelText(label), option);
const optionsOf = (label: string) =>
  within(screen.getByLabelText(label))
    .getAllByRole("option")
    .map((option) => option.textContent);

it("shows what the address holds", async () => {
  show("state=pending&severity=warning&location_id=DC-KKN-01&type=voltage_low");
  await screen.findByRole("option", { name: "Khon Kaen" });
  expect(screen.getByLabelText("State")).toHaveDisplayValue("Unacknowledged");
  expect(screen.getByLabelText("Severity")).toHaveDisplayValue("Warning");
  expect(screen.getByLabelText("Location")).toHaveDisplayValue("Khon Kaen");
  expect(screen.getByLabelText("Type")).toHaveDisplayValue("Low voltage");
});

it("offers every state, severity, location and type", async () => {
  show();
  await screen.findByRole("option", { name: "Hat Yai" });
  expect(optionsOf("State")).toEqual(["Active", "Unacknowledged", "Acknowledged", "Cleared", "Resolved", "All"]);
  expect(optionsOf("Severity")).toEqual(["Any", "Critical", "Warning", "Info"]);
  expect(optionsOf("Location")).toHaveLength(10);
  expect(optionsOf("Type")).toHaveLength(1 + alertTypes.length);
});

it.each(["en", "th"])("names all 18 types in %s", async (language) => {
  await i18next.changeLanguage(language);
  show();
  const names = optionsOf(i18next.t("alerts.type"));
  expect(names).toHaveLength(1 + 18);
  expect(new Set(names).size).toBe(1 + 18);
  for (const name of names) expect(name).not.toMatch(/_|type\./);
  await screen.findByRole("option", { name: "Hat Yai" });
});

it("adds a choice to the address and keeps the others", async () => {
  const { latest } = show("severity=critical&battery_id=BAT-1");
  await choose("Type", "Thermal runaway");
  expect(latest()).toBe("severity=critical&battery_id=BAT-1&type=thermal_runaway");
});

it("takes Any and the usual state out of the address", async () => {
  const { latest } = show("state=all&severity=critical");
  await choose("Severity", "Any");
  expect(latest()).toBe("state=all");
  await choose("State", "Active");
  expect(latest()).toBe("severity=critical");
});

it("still offers state, severity and type while the locations cannot be read", async () => {
  server.use(http.get("*/api/v1/locations", () => HttpResponse.error()));
  const { latest } = show();
  expect(optionsOf("Location")).toEqual(["Any"]);
  await choose("State", "Cleared");
  expect(latest()).toBe("state=cleared");
});

it("speaks Thai", async () => {
  await i18next.changeLanguage("th");
  const { latest } = show();
  await choose("ความรุนแรง", "วิกฤต");
  expect(latest()).toBe("severity=critical");
});

const page = { path: "/alerts/:alertId?", element: <AlertsPage /> };

it("reads from the gateway what the address filters by", async () => {
  renderPage({ ...page, address: "/alerts?severity=warning&type=resistance_drift&location_id=DC-KKN-01" });
  await screen.findByTestId("alert-list");
  const rows = screen.getAllByTestId(/^alert-\d+$/);
  expect(rows).toHaveLength(3);
  for (const row of rows) expect(row).toHaveTextContent(/Warning.*Resistance drift.*DC-KKN-01/);
});

it("opens the drawer beside the filtered list, and closes it with the filters kept", async () => {
  const { router } = renderPage({ ...page, address: "/alerts?severity=critical" });
  const row = await screen.findByTestId("alert-2");
  await userEvent.click(within(row).getByRole("button", { name: /Resistance drift/ }));
  expect(router.state.location.pathname + router.state.location.search).toBe("/alerts/2?severity=critical");
  expect(await screen.findByRole("complementary", { name: "Alert 2" })).toBeVisible();
  await userEvent.keyboard("{Escape}");
  expect(router.state.location.pathname + router.state.location.search).toBe("/alerts?severity=critical");
  expect(screen.queryByRole("complementary")).toBeNull();
});

it("resets filters that match nothing", async () => {
  const { router } = renderPage({ ...page, address: "/alerts?type=thermal_runaway" });
  await userEvent.click(await screen.findByRole("button", { name: "Reset filters" }));
  expect(router.state.location.search).toBe("");
  expect(await screen.findByTestId("alert-1")).toBeVisible();
});

it("keeps the chosen location in sight when the locations cannot be loaded, and loads them again", async () => {
  server.use(http.get("*/api/v1/locations", () => problem(503, "database_unavailable", "The database is away.")));
  show("location_id=DC-KKN-01");
  expect(await screen.findByRole("alert")).toHaveTextContent("The list of locations could not be loaded.");
  expect(screen.getByLabelText("Location")).toHaveDisplayValue("DC-KKN-01");
  server.use(...createHandlers(new MockFleet()));
  await userEvent.click(screen.getByRole("button", { name: "Retry" }));
  expect(await screen.findByDisplayValue("Khon Kaen")).toBeVisible();
  expect(screen.queryByRole("alert")).toBeNull();
});
