import { screen } from "@testing-library/react";
import i18next from "i18next";
import { http, HttpResponse } from "msw";
import { expect, it } from "vitest";

import type { LocationPredictions } from "@/api/types";
import { MockFleet } from "@/testing/fleet";
import { problem } from "@/testing/handlers";
import { predictionSummaryOf } from "@/testing/predictions";
import { showPage } from "@/testing/render";
import { server } from "@/testing/server";

import { ShortestLife } from "./shortest-life";

function show(change: Partial<LocationPredictions>) {
  const summary = predictionSummaryOf(new MockFleet(), Date.now());
  const locations = summary.locations.map((one) => ({ ...one, ...change }));
  server.use(http.get("*/api/v1/predictions/summary", () => HttpResponse.json({ ...summary, locations })));
  showPage({ path: "/", element: <ShortestLife locationId="DC-SRC-01" /> });
  return screen.findByRole("link");
}

it("gives the shortest P10, what is due and what is not known, and leads to the predictions", async () => {
  const link = await show({ shortest_p10_days: 41.9, due_within_90_days: 2, withheld: 4 });
  expect(link).toHaveTextContent(
    "Shortest remaining life (P10): 41 days· 2 due within 90 days· 4 batteries without a prediction",
  );
  expect(link).toHaveAttribute("href", "/remaining-life?location_id=DC-SRC-01");
});

it("says that nothing is known", async () => {
  const link = await show({ shortest_p10_days: null, due_within_90_days: 0, withheld: 216 });
  expect(link).toHaveTextContent("Shortest remaining life (P10): Unknown· 216 batteries without a prediction");
});

it("speaks Thai", async () => {
  await i18next.changeLanguage("th");
  expect(await show({ shortest_p10_days: 41.9, withheld: 0, due_within_90_days: 0 })).toHaveTextContent(
    "อายุคงเหลือสั้นที่สุด (P10): 41 วัน",
  );
});

it("says that it could not be loaded", async () => {
  server.use(http.get("*/api/v1/predictions/summary", () => problem(503, "database_unavailable", "Away.")));
  showPage({ path: "/", element: <ShortestLife locationId="DC-SRC-01" /> });
  expect(await screen.findByText("The predictions could not be loaded.")).toBeVisible();
});
