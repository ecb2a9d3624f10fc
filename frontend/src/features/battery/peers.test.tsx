import { screen } from "@testing-library/react";
import { http, HttpResponse } from "msw";
import { expect, it } from "vitest";

import { batteryDetail, summaryOf } from "@/testing/answers";
import { MockFleet } from "@/testing/fleet";
import { problem } from "@/testing/handlers";
import { showPage } from "@/testing/render";
import { server } from "@/testing/server";

import { Peers } from "./peers";

const fleet = new MockFleet();
const battery = fleet.need("BAT-DC-SRC-01-UPS-01-STR-02-007");

function show(answer: (url: URL) => Response) {
  server.use(http.get("*/api/v1/batteries", ({ request }) => answer(new URL(request.url))));
  showPage({ path: "/", element: <Peers battery={batteryDetail(fleet, battery, Date.now())} /> });
}

const pageOf = (positions: number[]) => {
  const items = fleet
    .batteriesOf("DC-SRC-01")
    .filter((candidate) => candidate.string_id === battery.string_id && positions.includes(candidate.position))
    .map((candidate) => summaryOf(fleet, candidate, Date.now()));
  return HttpResponse.json({ items, total: items.length, skip: 0, limit: 1000 });
};

it("shows the batteries that the string has, by position, this one marked", async () => {
  show((url) => (url.searchParams.get("string_id") === battery.string_id ? pageOf([6, 7, 8]) : pageOf([])));
  const links = await screen.findAllByRole("link");
  expect(links.map((link) => link.getAttribute("aria-label"))).toEqual([
    expect.stringMatching(/^6: [+-]?\d+ %$/),
    "7: +38 %",
    "8: +57 %",
  ]);
  expect(screen.getByRole("link", { current: "page" })).toHaveAccessibleName("7: +38 %");
  expect(screen.getByText("Full scale: +57 %.")).toBeVisible();
});

it("shows an error instead of an empty chart", async () => {
  show(() => problem(503, "database_unavailable", "The database is away."));
  expect(await screen.findByRole("alert")).toHaveTextContent("The database is away.");
});
