import { screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import i18next from "i18next";
import { http, HttpResponse } from "msw";
import { afterEach, beforeEach, expect, it, vi } from "vitest";

import type { BatteryRul, RulEntry } from "@/api/types";
import { problem } from "@/testing/handlers";
import { daysOf, noDays, rulEntryOf } from "@/testing/predictions";
import { showPage } from "@/testing/render";
import { server } from "@/testing/server";

import { RemainingLife } from "./remaining-life";

const DAY_MS = 86_400_000;
const now = Date.parse("2026-12-01T05:00:00Z");
const usual = rulEntryOf({ position: 8 }, now);

beforeEach(() => void vi.useFakeTimers({ toFake: ["Date"], now }));
afterEach(() => void vi.useRealTimers());

/** A prediction of which the dates are known: it counts from 1 December 2026, Bangkok. */
const dated: Partial<RulEntry> = {
  as_of: "2026-11-30T17:00:00Z",
  predicted_at: "2026-11-30T18:00:00Z",
  fused: daysOf(470, 1050, 1690),
};

async function show(change: Partial<RulEntry> | null, record: Partial<BatteryRul> = {}) {
  const latest = change === null ? null : { ...usual, ...change };
  const items = latest === null ? [] : [latest];
  const answer: BatteryRul = {
    battery_id: "B",
    latest,
    missing_reason: null,
    items,
    total: items.length,
    skip: 0,
    limit: 366,
    ...record,
  };
  server.use(http.get("*/api/v1/batteries/:id/rul", () => HttpResponse.json(answer)));
  showPage({ path: "/", element: <RemainingLife batteryId="B" /> });
  const heading = await screen.findByRole("heading", { name: i18next.t("rul.title") });
  const card = heading.closest("section") as HTMLElement;
  await waitFor(() => expect(card.querySelector("[data-testid]")).not.toBeNull());
  return card;
}

it("gives the end as dates and the quantiles in words", async () => {
  const card = await show(dated);
  expect(card).toHaveTextContent("80 % capacity between March 2028 and July 2031, most likely around October 2029.");
  expect(card).toHaveTextContent(/P10 469 days · P50 2\.8 years · P90 4\.6 years/);
});

it("gives it in Thai with the Buddhist year", async () => {
  await i18next.changeLanguage("th");
  const card = await show(dated);
  expect(card).toHaveTextContent("ระหว่าง มีนาคม 2571 ถึง กรกฎาคม 2574 โดยน่าจะราว ตุลาคม 2572");
  expect(card).toHaveTextContent("ความต้านทานที่สูงกว่าค่าตั้งต้น23 % (ค่ากลางของทั้งหมด 8 %)สั้นลงราว 210 วัน");
});

it.each([
  [daysOf(470, 1050, 1690, 1690), "possibly later than July 2031"],
  [daysOf(470, 1690, 1900, 1690), "80 % capacity from March 2028 on, more likely than not later than July 2031."],
  [daysOf(1690, 1900, 2100, 1690), "80 % capacity later than July 2031."],
])("does not name an end beyond what the data reach", async (fused, text) => {
  const card = await show({ ...dated, fused });
  expect(card).toHaveTextContent(text);
  expect(card).toHaveTextContent(/P90 longer than 4\.6 years/);
  expect(card).not.toHaveTextContent("between March");
});

it("takes what has passed since off the days, and says that the end may have come", async () => {
  const card = await show({
    as_of: new Date(now - 40 * DAY_MS).toISOString(),
    predicted_at: new Date(now - 40 * DAY_MS).toISOString(),
    fused: daysOf(30, 90, 200),
  });
  expect(card).toHaveTextContent(/P10 0 days · P50 50 days · P90 160 days/);
  expect(card).toHaveTextContent("80 % may have been reached already.");
  expect(card).toHaveTextContent(/Not renewed since/);
});

it("says which sources stand behind it, with their weights and the model's version", async () => {
  const card = await show({ twin_weight: 0.6 });
  expect(card).toHaveTextContent(
    /from the digital twin and the model · weight of the twin 60 %, of the model 40 % · model 2026.* · evidence of the twin: from a discharge/,
  );
});

it("says why it is withheld, hatched and without any number of days", async () => {
  const none = noDays("sensor_fault");
  const card = await show({ source: "none", fused: none, twin: none, ml: none, reasons: [] });
  const withheld = screen.getByTestId("rul-withheld");
  expect(withheld).toHaveTextContent("No prediction of remaining life");
  expect(withheld).toHaveTextContent("A sensor of this battery is at fault; see its alerts.");
  expect(withheld).toHaveTextContent("not a sign of good condition");
  expect(withheld.querySelector(".hatched")).not.toBeNull();
  expect(card.querySelector("[class*=ok-fill], [class*=ok-text]")).toBeNull();
  expect(card).not.toHaveTextContent(/\d (days|years)/);
  expect(card.querySelector("[data-band]")).toBeNull();
  expect(card).toHaveTextContent("1 prediction was withheld.");
});

it("translates the reasons that the model gives as sentences", async () => {
  await i18next.changeLanguage("th");
  const none = noDays("only 12 days have readings; 30 are needed");
  await show({ source: "none", fused: none, twin: noDays("twin_unavailable"), ml: none, reasons: [] });
  expect(screen.getByTestId("rul-withheld")).toHaveTextContent("มีค่าที่วัดได้เพียง 12 วัน จากที่ต้องมี 30 วัน");
});

it("says that it was never predicted", async () => {
  await show(null, { missing_reason: "not_predicted_yet" });
  expect(screen.getByTestId("rul-withheld")).toHaveTextContent("It has not been predicted since it was installed.");
});

it("says that a retired battery is not predicted again", async () => {
  expect(await show({}, { missing_reason: "retired" })).toHaveTextContent("its prediction is no longer renewed");
});

it("gives both values of a conflict and the test that would settle it", async () => {
  await show({
    is_conflict: true,
    difference_pct: 48.6,
    conflict_advice: "partial_discharge_test",
    twin: daysOf(300, 400, 500),
    ml: daysOf(1000, 1500, 1826.25, 1500),
  });
  expect(screen.getByTestId("rul-conflict")).toHaveTextContent(
    /twin expects 400 days, the model longer than 4\.1 years: the medians differ by 49 %.*Partial discharge test:/,
  );
});

it("does not speak of a conflict where there is none", async () => {
  await show({});
  expect(screen.queryByTestId("rul-conflict")).toBeNull();
});

it("draws a band per source, and a reason where one does not speak", async () => {
  await show({ source: "twin", ml: noDays("no_champion") });
  const rows = within(screen.getByTestId("rul-fan")).getAllByRole("listitem");
  expect(rows.map((row) => row.querySelectorAll("[data-band]").length)).toEqual([1, 1, 0]);
  expect(rows[2]).toHaveTextContent("ModelNo prediction: No model is in service.");
  expect(rows[2]?.querySelector(".hatched")).not.toBeNull();
});

it("shows the medians of contradicting sources apart", async () => {
  await show({ twin: daysOf(900, 1000, 1100), ml: daysOf(90, 100, 110), fused: daysOf(90, 600, 1100) });
  const rows = within(screen.getByTestId("rul-fan")).getAllByRole("listitem");
  const medianOf = (row: HTMLElement | undefined) =>
    Number.parseFloat(row?.querySelector<HTMLElement>("[data-median]")?.style.left ?? "NaN");
  expect(medianOf(rows[1]) - medianOf(rows[2])).toBeGreaterThan(50);
  expect(medianOf(rows[0])).toBeGreaterThan(medianOf(rows[2]));
});

it("marks no median that lies beyond the data", async () => {
  await show({ fused: daysOf(400, 900, 1000, 900) });
  const [fused] = within(screen.getByTestId("rul-fan")).getAllByRole("listitem");
  expect(fused?.querySelector("[data-median]")).toBeNull();
  expect(fused).toHaveTextContent("→");
});

it("lists reasons as bars to either side, with values and the median of the fleet", async () => {
  await show({});
  const [first, second] = within(screen.getByTestId("rul-reasons")).getAllByRole("listitem");
  expect(first).toHaveTextContent("Resistance above its baseline23 % (fleet median 8 %)about 210 days shorter");
  expect(first?.querySelector("[data-effect]")).toHaveAttribute("data-effect", "shorter");
  expect(second).toHaveTextContent("Mean temperature, last year23.4 °C (fleet median 25.1 °C)about 90 days longer");
  expect(second?.querySelector("[data-effect]")).toHaveAttribute("data-effect", "longer");
});

it("gives the service's own sentence for a feature that it does not know, and says what is unknown", async () => {
  await i18next.changeLanguage("th");
  await show({
    reasons: [
      { feature: "novel_x", effect_days: -9, value: 1, fleet_norm: 2, sentence: "its x is high: about 9 days shorter" },
      { feature: "discharge_sag_mv", effect_days: -5, value: null, fleet_norm: 12, sentence: "" },
    ],
  });
  const [first, second] = within(screen.getByTestId("rul-reasons")).getAllByRole("listitem");
  expect(first).toHaveTextContent("its x is high: about 9 days shorter");
  expect(second).toHaveTextContent("ไม่ทราบค่า (ค่ากลางของทั้งหมด 12 mV)");
});

it("says what widens the range", async () => {
  const card = await show({ widened_because: ["12% of the model's inputs are unknown", "something new"] });
  expect(card).toHaveTextContent("12 % of the model's inputs are unknown.");
  expect(card).toHaveTextContent("something new");
});

it.each([
  [
    { peer_deviation: 2.14, peer_deviation_of: "voltage_under_load" },
    "2.1 standard deviations, mostly by its voltage under load",
  ],
  [{ peer_deviation: 3, peer_deviation_of: "novelty" }, "3.0 standard deviations, mostly by its novelty"],
  [{ peer_deviation: null, peer_deviation_of: null }, "Deviation from its string: unknown"],
])("says how far it stands from its string", async (change, text) => {
  expect(await show(change)).toHaveTextContent(text);
});

it("gives earlier predictions as a table, the withheld ones too", async () => {
  const withheld = {
    ...usual,
    predicted_at: "2026-10-01T18:00:00Z",
    source: "none" as const,
    fused: noDays("no_history"),
  };
  const latest = { ...usual, ...dated, fused: daysOf(470, 1050, 1690, 1690) };
  const card = await show({}, { latest, items: [latest, withheld], total: 400 });
  expect(card).toHaveTextContent("1 prediction; median end October 2029.");
  expect(card).toHaveTextContent("The latest 2 of 400 predictions.");
  await userEvent.click(screen.getByRole("button", { name: "Show table" }));
  const rows = within(screen.getByRole("region", { name: "Earlier predictions of the end" })).getAllByRole("row");
  expect(rows[1]).toHaveTextContent("1 Dec 2026March 2028October 2029later than July 2031");
  expect(rows[2]).toHaveTextContent("2 Oct 2026No prediction: The battery has no daily history yet.");
});

it("says that it could not be loaded, and that access is missing", async () => {
  server.use(http.get("*/api/v1/batteries/:id/rul", () => problem(403, "forbidden", "No.")));
  showPage({ path: "/", element: <RemainingLife batteryId="B" /> });
  expect(await screen.findByRole("alert")).toHaveTextContent("You do not have access to this.");
});
