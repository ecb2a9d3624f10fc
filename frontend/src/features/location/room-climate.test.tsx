import { render, screen } from "@testing-library/react";
import i18next from "i18next";
import { expect, it } from "vitest";

import type { LocationDetail } from "@/api/types";
import { MockFleet } from "@/testing/fleet";

import { RoomClimate } from "./room-climate";

type Room = NonNullable<NonNullable<LocationDetail["stats"]>["environment"]>;

function show(change: Partial<Room> | null) {
  const location = new MockFleet().location("DC-SRC-01", Date.now());
  if (!location?.stats?.environment) throw new Error("the room has sensors");
  const environment = change === null ? null : { ...location.stats.environment, ...change };
  return render(<RoomClimate location={{ ...location, systems: [], stats: { ...location.stats, environment } }} />);
}

const fact = (name: string) => screen.getByText(name, { selector: "dt" }).nextElementSibling;

it("gives temperature, humidity and mains with the age of the reading", () => {
  show({ ambient_c: 29.44, humidity_pct: 58.4, mains: true });
  expect(fact("Room")).toHaveTextContent("29.4 °C");
  expect(fact("Humidity")).toHaveTextContent("58 %");
  expect(fact("Mains")).toHaveTextContent("available");
  expect(screen.getByText("20 s ago")).toBeVisible();
});

it.each([
  ["running", "running", "ทำงาน"],
  ["degraded", "degraded", "ทำงานไม่เต็มที่"],
  ["failed", "failed", "ขัดข้อง"],
  ["off", "off", "ปิด"],
] as const)("names an air conditioning that is %s in both languages", async (hvac, english, thai) => {
  const { unmount } = show({ hvac });
  expect(fact("HVAC")?.textContent).toBe(english);
  unmount();
  await i18next.changeLanguage("th");
  show({ hvac });
  expect(fact("เครื่องปรับอากาศ")?.textContent).toBe(thai);
});

it("sets lost mains apart", () => {
  show({ mains: false });
  expect(screen.getByText("lost", { selector: "strong" })).toBeVisible();
});

it("shows a dash for what was not measured, never a good state", () => {
  show({ ambient_c: null, humidity_pct: null, hvac: null, mains: null });
  for (const name of ["Room", "Humidity", "HVAC", "Mains"]) expect(fact(name)?.textContent).toBe("–");
});

it("dims stale values but not their age", () => {
  show({ is_stale: true, time: new Date(Date.now() - 3 * 3_600_000).toISOString() });
  expect(fact("Room")?.closest("dl")).toHaveClass("opacity-60");
  expect(screen.getByText("3 h ago").closest(".opacity-60")).toBeNull();
});

it("says that a room has never reported", () => {
  show(null);
  expect(screen.getByText("Room: No data received")).toBeVisible();
  expect(screen.queryByRole("term")).toBeNull();
});
