import { screen, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import i18next from "i18next";
import { http, HttpResponse } from "msw";
import { expect, it } from "vitest";

import { problem } from "@/testing/handlers";
import { showPage } from "@/testing/render";
import { server } from "@/testing/server";

import type { EffectiveRule } from "./queries";
import { RulesTable } from "./rules-table";

const rule: EffectiveRule = {
  rule_id: "temperature_high_critical",
  type: "temperature_high",
  severity: "critical",
  respond_within: "same_day",
  signal: "temperature_c",
  direction: "above",
  unit: "°C",
  gate: "always",
  raise_value: 45,
  clear_value: 42,
  hold_s: 60,
  clear_hold_s: 300,
  enabled: true,
  origin: { raise_value: { scope: "default", scope_id: null } },
  source: "domain",
};

async function rowOf(change: Partial<EffectiveRule>): Promise<(string | null)[]> {
  server.use(
    http.get("*/api/v1/batteries/BAT-1/alert-rules", () =>
      HttpResponse.json({ items: [{ ...rule, ...change }], total: 1, skip: 0, limit: 100 }),
    ),
  );
  showPage({ path: "/", element: <RulesTable batteryId="BAT-1" /> });
  const cells = await screen.findAllByRole("cell");
  return cells.map((cell) => cell.textContent);
}

it("gives rule, severity, threshold with unit, delay and source", async () => {
  expect(await rowOf({})).toEqual(["High temperature", "Critical", "> 45 °C", "60 s", "default"]);
  expect(within(screen.getByRole("region", { name: "Alert rules" })).getAllByRole("columnheader")).toHaveLength(5);
});

it("shows from which side a threshold is crossed", async () => {
  const cells = await rowOf({ type: "voltage_low", direction: "below", raise_value: 13.2, unit: "V", hold_s: 600 });
  expect(cells.slice(2, 4)).toEqual(["< 13.2 V", "10 min"]);
});

it("names the string whose threshold differs", async () => {
  const cells = await rowOf({ origin: { raise_value: { scope: "string", scope_id: "DC-SRC-01-UPS-01-STR-02" } } });
  expect(cells.at(-1)).toBe("string DC-SRC-01-UPS-01-STR-02");
});

it("shows a dash where the source is not known, and no unit where there is none", async () => {
  const cells = await rowOf({ origin: {}, unit: null });
  expect([cells[2]?.trim(), cells[4]]).toEqual(["> 45", "–"]);
});

it("speaks Thai, units of time included", async () => {
  await i18next.changeLanguage("th");
  const cells = await rowOf({ type: "data_stale", severity: "warning", unit: "s", raise_value: 300 });
  expect(cells).toEqual(["ข้อมูลไม่อัปเดต", "เตือน", "> 5 นาที", "60 วินาที", "ค่าเริ่มต้น"]);
});

it("says that the rules could not be loaded, and loads them again", async () => {
  server.use(http.get("*/api/v1/batteries/BAT-1/alert-rules", () => problem(422, "internal", "Something broke.")));
  showPage({ path: "/", element: <RulesTable batteryId="BAT-1" /> });
  expect(await screen.findByRole("alert")).toHaveTextContent("Something broke.");
  expect(screen.queryByRole("table")).toBeNull();
  server.use(
    http.get("*/api/v1/batteries/BAT-1/alert-rules", () =>
      HttpResponse.json({ items: [rule], total: 1, skip: 0, limit: 100 }),
    ),
  );
  await userEvent.click(screen.getByRole("button", { name: "Retry" }));
  expect(await screen.findByRole("cell", { name: "High temperature" })).toBeVisible();
  expect(screen.queryByRole("alert")).toBeNull();
});

it("says that no rule applies", async () => {
  server.use(
    http.get("*/api/v1/batteries/BAT-1/alert-rules", () =>
      HttpResponse.json({ items: [], total: 0, skip: 0, limit: 100 }),
    ),
  );
  showPage({ path: "/", element: <RulesTable batteryId="BAT-1" /> });
  expect(await screen.findByText("No alert rules apply.")).toBeVisible();
});
