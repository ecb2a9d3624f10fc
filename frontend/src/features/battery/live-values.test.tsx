import { screen, waitFor, within } from "@testing-library/react";
import i18next from "i18next";
import { act } from "react";
import { expect, it } from "vitest";

import type { BatteryDetail, Estimate } from "@/api/types";
import { liveStore } from "@/realtime/connection";
import { batteryDetail, latestOf } from "@/testing/answers";
import { MockFleet } from "@/testing/fleet";
import { showPage } from "@/testing/render";
import { capacity } from "@/testing/twin";

import { LiveValues } from "./live-values";

const ID = "BAT-DC-SRC-01-UPS-01-STR-02-007";

function show(change: Partial<BatteryDetail> = {}, fleet = new MockFleet()) {
  const battery = { ...batteryDetail(fleet, fleet.need(ID), Date.now()), ...change };
  showPage({ path: "/", element: <LiveValues battery={battery} /> });
  return { fleet, battery };
}

function showEstimate(name: "soc" | "soh", estimate: Estimate) {
  const fleet = new MockFleet();
  const { live } = batteryDetail(fleet, fleet.need(ID), Date.now());
  if (live === null) throw new Error("the battery has reported");
  show({ live: { ...live, [name]: estimate } }, fleet);
}

const valueOf = (name: string) => screen.getByText(name, { selector: "dt" }).parentElement as HTMLElement;

it("shows what the gateway has stored until live values arrive", async () => {
  const { fleet, battery } = show();
  expect(screen.getByTestId("live-voltage")).toHaveTextContent(`${battery.live?.voltage_v?.toFixed(2)} V`);
  expect(valueOf("Temperature")).toHaveTextContent("47.8 °C");
  fleet.need(ID).voltage_v = 12.5;
  fleet.need(ID).temperature_c = 51;
  act(() => liveStore.applySnapshot(latestOf(fleet, Date.now())));
  await waitFor(() => expect(screen.getByTestId("live-voltage")).toHaveTextContent("12.50 V"));
  expect(valueOf("Temperature")).toHaveTextContent("51.0 °C");
});

it("gives the resistance an age of its own, which is that of the measurement and not of the last reading", () => {
  show();
  expect(valueOf("Resistance")).toHaveTextContent(/\d\.\d\d mΩ\+38 % at 25 °C · 5 h ago/);
  expect(valueOf("Voltage")).toHaveTextContent(/\d+ s ago/);
});

it("dims values that are too old to show as current, and keeps their age", () => {
  const fleet = new MockFleet();
  fleet.need(ID).time -= 3 * 3_600_000;
  show({}, fleet);
  expect(screen.getByTestId("live-values")).toHaveClass("opacity-60");
  expect(valueOf("Voltage")).toHaveTextContent("3 h ago");
});

it("does not dim current values", () => {
  show();
  expect(screen.getByTestId("live-values")).not.toHaveClass("opacity-60");
});

it("shows dashes and no age for a battery that never reported", () => {
  show({ live: null });
  for (const name of ["Voltage", "Current", "Temperature"]) {
    expect(valueOf(name)).toHaveTextContent(`${name}–No data received`);
  }
  expect(valueOf("Resistance")).toHaveTextContent("–– at 25 °C · No data received");
  expect(valueOf("State of charge (SOC)")).toHaveTextContent("No estimate yet");
});

it.each([
  ["measured", "measured"],
  ["discharge_inferred", "from a discharge"],
  ["ohmic_inferred", "from resistance"],
] as const)("says of an estimate that it is %s", (provenance, text) => {
  showEstimate("soh", { ...capacity, provenance });
  expect(valueOf("State of health (SOH)")).toHaveTextContent(`84 %77–91 % · ${text}`);
});

it("says that an interval is not known instead of leaving it out", () => {
  showEstimate("soc", { ...capacity, value_pct: 97.6, low_pct: null, high_pct: null });
  expect(valueOf("State of charge (SOC)")).toHaveTextContent("98 %interval unknown");
});

it.each([
  ["twin_unavailable", "The digital twin is not responding."],
  ["reading_too_old", "The latest reading is too old."],
  ["no_evidence", "No discharge, test or resistance measurement yet"],
] as const)("gives the reason %s for a missing estimate", (reason, text) => {
  showEstimate("soc", { value_pct: null, low_pct: null, high_pct: null, provenance: null, reason });
  const charge = valueOf("State of charge (SOC)");
  expect(charge).toHaveTextContent("No estimate yet");
  expect(charge).toHaveTextContent(text);
});

it.each([
  [1, "1 day"],
  [1234.4, "1,234 days"],
])("gives a remaining life of %d days with its unit", (days, text) => {
  show({ rul_days: days });
  expect(within(valueOf("Remaining useful life (RUL)")).getByText(text)).toBeVisible();
});

it("takes a remaining life of zero as a prediction, not as a missing one", () => {
  show({ rul_days: 0 });
  expect(valueOf("Remaining useful life (RUL)")).toHaveTextContent("0 days");
});

it("speaks Thai", async () => {
  await i18next.changeLanguage("th");
  show({ rul_days: 90 });
  expect(valueOf("แรงดัน")).toHaveTextContent(/วินาทีที่แล้ว/);
  expect(valueOf("อายุการใช้งานคงเหลือ (RUL)")).toHaveTextContent("90 วัน");
  expect(valueOf("สุขภาพแบตเตอรี่ (SOH)")).toHaveTextContent("ยังประเมินไม่ได้");
});
