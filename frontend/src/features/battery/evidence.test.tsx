import { screen, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import i18next from "i18next";
import { http, HttpResponse } from "msw";
import { expect, it } from "vitest";

import { problem } from "@/testing/handlers";
import { showPage } from "@/testing/render";
import { server } from "@/testing/server";
import { capacity, twinRecordOf } from "@/testing/twin";

import { EvidenceCard } from "./evidence";
import type { Evidence, TwinRecord } from "./queries";

const ID = "BAT-DC-SRC-01-UPS-01-STR-02-007";
const AT = "2026-11-23T18:00:00Z";

const item = (change: Partial<Evidence>): Evidence => ({
  kind: "discharge",
  at: AT,
  age_days: 3,
  depth_pct: null,
  soh: null,
  resistance_mohm: null,
  resistance_drift_pct: null,
  ...change,
});

function show(change: Partial<TwinRecord>) {
  server.use(
    http.get("*/api/v1/batteries/:id/twin", ({ params }) =>
      HttpResponse.json({ ...twinRecordOf(String(params.id), Date.parse(AT)), ...change }),
    ),
  );
  showPage({ path: "/", element: <EvidenceCard batteryId={ID} /> });
}

const rows = async () => within(await screen.findByTestId("evidence")).getAllByRole("listitem");

it("dates each item in Bangkok, where it is already the next day", async () => {
  show({ evidence: [item({ depth_pct: 22.4, soh: capacity })] });
  const [row] = await rows();
  expect(row).toHaveTextContent("24 Nov 2026 · 3 d ago");
  expect(row).toHaveTextContent("DoD 22 %capacity 84 % (77–91 %)");
});

it("distinguishes a capacity test from a discharge", async () => {
  show({ evidence: [item({ kind: "test", depth_pct: 100, soh: capacity }), item({ depth_pct: 20 })] });
  const [test, discharge] = await rows();
  expect(test).toHaveTextContent(/^Test/);
  expect(discharge).toHaveTextContent(/^Discharge/);
});

it.each([
  ["no estimate at all", null],
  ["no value", { ...capacity, value_pct: null }],
  ["no interval", { ...capacity, low_pct: null, high_pct: null }],
])("gives no capacity from a discharge with %s", async (_, soh) => {
  show({ evidence: [item({ depth_pct: 5, soh })] });
  const [row] = await rows();
  expect(row).toHaveTextContent("DoD 5 %");
  expect(row).not.toHaveTextContent("capacity");
});

it("shows a dash for a drift that is not known, and a fall with its sign", async () => {
  show({
    evidence: [
      item({ kind: "ohmic", resistance_drift_pct: null }),
      item({ kind: "ohmic", at: "2026-11-22T18:00:00Z", resistance_drift_pct: -2.6 }),
    ],
  });
  const [unknown, lower] = await rows();
  expect(unknown).toHaveTextContent("– from baseline");
  expect(lower).toHaveTextContent("-3 % from baseline");
});

it("gives the resistance of all measurements with its 90 % interval", async () => {
  show({ resistance_mohm: 4.214, resistance_sd_mohm: 0.1 });
  expect(await screen.findByText("Estimated from all measurements: 4.21 mΩ ± 0.16 mΩ at 25 °C.")).toBeVisible();
});

it("does not invent a spread", async () => {
  show({ resistance_mohm: 4.2, resistance_sd_mohm: null });
  expect(await screen.findByText(/4\.20 mΩ ± – at 25 °C/)).toBeVisible();
});

it("says what would be evidence when there is none, and gives no resistance", async () => {
  show({ evidence: [], resistance_mohm: null, resistance_sd_mohm: null });
  expect(await screen.findByText("No evidence yet")).toBeVisible();
  expect(screen.getByText(/A discharge of at least 15 % DoD/)).toBeVisible();
  expect(screen.queryByText(/Estimated from/)).toBeNull();
});

it("shows why there is no evidence to read, and reads again on Retry", async () => {
  show({ evidence: [item({ depth_pct: 22 })] });
  server.use(
    http.get("*/api/v1/batteries/:id/twin", () => problem(503, "twin_unavailable", "The twin is away."), {
      once: true,
    }),
  );
  const alert = await screen.findByRole("alert");
  expect(alert).toHaveTextContent("The twin is away.");
  await userEvent.click(within(alert).getByRole("button", { name: "Retry" }));
  expect(await rows()).toHaveLength(1);
});

it("speaks Thai with the Buddhist year", async () => {
  await i18next.changeLanguage("th");
  show({ evidence: [item({ kind: "ohmic", resistance_drift_pct: 18 })] });
  const [row] = await rows();
  expect(row).toHaveTextContent("ความต้านทาน+18 % เทียบกับค่าตั้งต้น");
  expect(row).toHaveTextContent(/24 พ\.ย\. 2569 · 3 วันที่แล้ว/);
});
