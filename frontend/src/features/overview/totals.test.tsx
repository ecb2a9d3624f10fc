import { screen, within } from "@testing-library/react";
import i18next from "i18next";
import { expect, it } from "vitest";

import type { FleetOverview, PredictionSummary } from "@/api/types";
import { overviewOf } from "@/testing/answers";
import { MockFleet } from "@/testing/fleet";
import { predictionSummaryOf } from "@/testing/predictions";
import { showPage } from "@/testing/render";

import { Totals } from "./totals";

function show(change: Partial<FleetOverview> = {}, predictions: Partial<PredictionSummary> | null = {}) {
  const fleet = new MockFleet();
  const overview = { ...overviewOf(fleet, Date.now()), ...change };
  const summary = predictions && { ...predictionSummaryOf(fleet, Date.now()), ...predictions };
  showPage({ path: "/", element: <Totals overview={overview} predictions={summary} /> });
}

const total = (name: string) => screen.getByText(name, { selector: "dt" }).parentElement as HTMLElement;

it("counts batteries with their locations and strings", () => {
  show({ battery_count: 1944, location_count: 1, string_count: 81 });
  expect(total("Batteries")).toHaveTextContent("1,9441 data centre, 81 strings");
});

it("leads from the counts to the alerts behind them", () => {
  show({ active_alert_count: 7, pending_alert_count: 3 });
  expect(total("Active alerts")).toHaveTextContent("3 unacknowledged");
  expect(within(total("Active alerts")).getByRole("link", { name: "7" })).toHaveAttribute("href", "/alerts");
  expect(within(total("Critical batteries")).getByRole("link", { name: "2" })).toHaveAttribute(
    "href",
    "/alerts?severity=critical",
  );
});

it("gives warnings and normal batteries beside the critical ones", () => {
  show({ status_counts: { normal: 1900, warning: 20, critical: 0, no_data: 24 }, not_judged_count: 25 });
  expect(total("Critical batteries")).toHaveTextContent("0Warning 20 · Normal 1,900");
  expect(total("No data")).toHaveTextContent(/^No data24Latest reading: \d+ s ago25 batteries not fully judged$/);
});

it("says that no reading was ever received", () => {
  show({ newest_reading_at: null });
  expect(total("No data")).toHaveTextContent("Latest reading: No data received");
});

it("gives an average health only with the number of batteries behind it", () => {
  show({ mean_soh_pct: 91.6, soh_evidence_count: 36, soh_reason: null });
  expect(total("Average SOH")).toHaveTextContent("92 %36 of 1,944 batteries have an estimate");
});

it("gives the reason for a missing average", () => {
  show({ mean_soh_pct: null, soh_reason: "twin_unavailable" });
  expect(total("Average SOH")).toHaveTextContent("No estimate yetThe digital twin is not responding.");
});

it("names every service that is down, and none otherwise", () => {
  show({ services: { twin: "down", ml: "down", simulator: "up" } });
  expect(screen.getByText("Unavailable: digital twin, RUL prediction")).toBeVisible();
});

it("says that nothing is stored while the disk is full, and warns before", () => {
  show({ disk: { state: "full", free_mb: 12, days_left: null } });
  expect(screen.getByRole("alert")).toHaveTextContent("The disk is full (12 MB free): no reading is stored");
});

it("tells for how many days the disk lasts", () => {
  show({ disk: { state: "low", free_mb: 1500, days_left: 3.42 } });
  expect(screen.getByRole("alert")).toHaveTextContent(
    "The disk is nearly full (1500 MB free). At the present rate it lasts for 3.4 days.",
  );
});

it("does not mention services while all of them are up", () => {
  show({ services: { twin: "up", ml: "up", simulator: "up" } });
  expect(total("Batteries")).toBeVisible();
  expect(screen.queryByText(/Unavailable/)).toBeNull();
});

it("speaks Thai", async () => {
  await i18next.changeLanguage("th");
  show({ pending_alert_count: 3, mean_soh_pct: 90, soh_evidence_count: 1 });
  expect(total("แบตเตอรี่")).toHaveTextContent("1,944ศูนย์ข้อมูล 9 แห่ง, 81 สตริง");
  expect(total("การแจ้งเตือนที่กำลังเกิด")).toHaveTextContent("ยังไม่รับทราบ 3 รายการ");
  expect(total("สุขภาพแบตเตอรี่ (SOH) เฉลี่ย")).toHaveTextContent("ประเมินได้ 1 จาก 1,944 ลูก");
});

it("leads from the number due within 90 days to those batteries, and to those without a prediction", () => {
  show({}, { due_within_90_days: 31, withheld: 14 });
  const due = total("RUL: due within 90 days");
  expect(within(due).getByRole("link", { name: "31" })).toHaveAttribute("href", "/remaining-life?due=90");
  expect(within(due).getByRole("link", { name: "14 batteries without a prediction" })).toHaveAttribute(
    "href",
    "/remaining-life?source=none",
  );
});

it("gives no count of batteries that are due while nothing is predicted", () => {
  show({}, { predicted: 0, withheld: 1944, due_within_90_days: 0 });
  expect(total("RUL: due within 90 days")).toHaveTextContent(
    /^RUL: due within 90 daysUnknown1,944 batteries without a prediction$/,
  );
});

it("says that the predictions could not be loaded", () => {
  show({}, null);
  expect(total("RUL: due within 90 days")).toHaveTextContent("UnknownThe predictions could not be loaded.");
});
