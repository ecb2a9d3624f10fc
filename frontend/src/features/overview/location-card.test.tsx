import { screen } from "@testing-library/react";
import i18next from "i18next";
import { http } from "msw";
import { expect, it } from "vitest";

import type { Location } from "@/api/types";
import { MockFleet } from "@/testing/fleet";
import { createHandlers, problem } from "@/testing/handlers";
import { showPage } from "@/testing/render";
import { server } from "@/testing/server";

import { LocationCard } from "./location-card";

type Stats = NonNullable<Location["stats"]>;

async function show(locationId: string, change: (stats: Stats) => Partial<Stats> | null = () => ({})) {
  const fleet = new MockFleet();
  server.use(...createHandlers(fleet));
  const location = fleet.location(locationId, Date.now());
  if (!location?.stats) throw new Error(`no figures of ${locationId}`);
  const changes = change(location.stats);
  const stats = changes === null ? null : { ...location.stats, ...changes };
  showPage({ path: "/", element: <LocationCard location={{ ...location, stats }} fillBy="status" /> });
  return screen.findByRole("link");
}

it.each([
  [3, "3 due within 90 days"],
  [0, null],
])("mentions %d batteries that are due only where there are any", (due, text) => {
  const fleet = new MockFleet();
  server.use(...createHandlers(fleet));
  const location = fleet.location("DC-SRC-01", Date.now());
  if (location === null) throw new Error("no location");
  const predictions = {
    location_id: "DC-SRC-01",
    total: 216,
    predicted: 200,
    withheld: 16,
    due_within_90_days: due,
    shortest_p10_days: 41,
  };
  showPage({ path: "/", element: <LocationCard location={location} fillBy="status" predictions={predictions} /> });
  if (text === null) expect(screen.queryByText(/due within/)).toBeNull();
  else expect(screen.getByText(text)).toBeVisible();
});

it("is one link with name, id, worst battery and age", async () => {
  const card = await show("DC-SRC-01");
  expect(card).toHaveAttribute("href", "/locations/DC-SRC-01");
  expect(card).toHaveTextContent("SrirachaDC-SRC-01");
  expect(card).toHaveTextContent(/29\.4 °C.*Worst: UPS-01-STR-02-00[78]\d+ s ago/);
});

it("shows lost mains", async () => {
  expect(await show("DC-CNX-01")).toHaveTextContent("Mains lost");
});

it("gives the minutes left of each system on battery, and of no other", async () => {
  const card = await show("DC-CNX-01");
  expect(await screen.findByText("UPS-01")).toBeVisible();
  expect(card).toHaveTextContent(/UPS-01Warning: 2[67] min \(1[89]–3[45]\) at 384 A/);
  expect(card).not.toHaveTextContent("REC-01");
});

it.each([true, null])("does not claim lost mains while mains are %s", async (mains) => {
  const card = await show("DC-CNX-01", ({ environment }) => ({
    environment: environment === null ? null : { ...environment, mains },
  }));
  expect(card).toHaveTextContent("Chiang Mai");
  expect(card).not.toHaveTextContent("Mains lost");
});

it("marks a room temperature that is stale", async () => {
  const card = await show("DC-SRC-01", ({ environment }) => ({
    environment: environment === null ? null : { ...environment, is_stale: true },
  }));
  expect(card).toHaveTextContent("29.4 °C (stale)");
});

it("shows no temperature of a room without sensors, and no worst battery where none is in question", async () => {
  const card = await show("DC-NTB-01", () => ({ environment: null, worst_battery_id: null }));
  expect(card).not.toHaveTextContent(/°C|Worst/);
});

it("says that a location has never reported, instead of counting zero", async () => {
  const card = await show("DC-SRC-01", () => null);
  expect(screen.getAllByText("No data received")).toHaveLength(2);
  expect(card).not.toHaveTextContent(/°C|Critical|Worst/);
});

it("speaks Thai, in the description of the map too", async () => {
  await i18next.changeLanguage("th");
  expect(await show("DC-CNX-01")).toHaveTextContent("ไฟฟ้าดับ");
  expect(screen.getByRole("img", { name: "Chiang Mai: ปกติ 216 เตือน 0 วิกฤต 0 ไม่มีข้อมูล 0" })).toBeInTheDocument();
});

it("says that its map could not be loaded", async () => {
  const fleet = new MockFleet();
  const location = fleet.location("DC-SRC-01", Date.now());
  if (location === null) throw new Error("no location");
  server.use(http.get("*/api/v1/locations/:id", () => problem(503, "database_unavailable", "The database is away.")));
  showPage({ path: "/", element: <LocationCard location={location} fillBy="status" /> });
  expect(await screen.findByText("Could not load the map. Trying again.")).toBeVisible();
});
