import { screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import i18next from "i18next";
import { http, HttpResponse } from "msw";
import { act } from "react";
import { expect, it } from "vitest";

import { useSession } from "@/api/session";
import { MockFleet } from "@/testing/fleet";
import { createHandlers, operator, problem } from "@/testing/handlers";
import { daysOf, predictionItemOf, predictionSummaryOf } from "@/testing/predictions";
import { renderPage } from "@/testing/render";
import { server } from "@/testing/server";

import { RemainingLifePage } from "./remaining-life-page";

const fleet = new MockFleet();
const open = (search = "") =>
  renderPage({ path: "/remaining-life", element: <RemainingLifePage />, address: `/remaining-life${search}` }, fleet);

const table = () => screen.findByTestId("predictions");
const bodyRows = async () =>
  within(await table())
    .getAllByRole("row")
    .slice(1);

it("lists the batteries with the soonest end first, as links", async () => {
  open();
  const rows = await bodyRows();
  expect(rows).toHaveLength(50);
  const link = within(rows[0] as HTMLElement).getByRole("link");
  expect(link).toHaveTextContent("-001");
  expect(link.getAttribute("href")).toMatch(/^\/batteries\/BAT-/);
  expect(rows[0]).toHaveTextContent("Resistance above its baseline 23 % (fleet median 8 %), about 210 days shorter");
});

it("keeps the order in the address", async () => {
  const { router } = open();
  await table();
  await userEvent.click(screen.getByRole("button", { name: /^P50/ }));
  expect(router.state.location.search).toBe("?sort=p50_days");
  await userEvent.click(screen.getByRole("button", { name: /^P50/ }));
  expect(router.state.location.search).toBe("?sort=-p50_days");
  expect(screen.getByRole("columnheader", { name: /P50/ })).toHaveAttribute("aria-sort", "descending");
});

it("shows the withheld ones with their reason and no number", async () => {
  open("?source=none");
  const [first] = await bodyRows();
  expect(first).toHaveTextContent("No prediction: A sensor of this battery is at fault; see its alerts.");
  expect(first).not.toHaveTextContent(/\d (days|years)/);
});

it("filters by location, conflict and what is due, and says who is missing among those due", async () => {
  const { router } = open();
  await table();
  await userEvent.selectOptions(screen.getByLabelText("Conflict"), "contradicting");
  await waitFor(async () => {
    for (const row of await bodyRows()) expect(row).toHaveTextContent("Conflict");
  });
  await userEvent.selectOptions(screen.getByLabelText("Due"), "within 90 days");
  expect(router.state.location.search).toBe("?conflict=true&due=90");
  expect(await screen.findByText(/Batteries without a prediction are not among those due/)).toBeVisible();
  expect(screen.getByRole("link", { name: "Show batteries without a prediction" })).toHaveAttribute(
    "href",
    "/remaining-life?source=none",
  );
});

it("reads a quantile beyond the data as longer than, and takes passed days off", async () => {
  const battery = fleet.batteriesOf()[0];
  if (battery === undefined) throw new Error("no battery");
  const now = Date.now();
  const item = {
    ...predictionItemOf(battery, now),
    ...daysOf(400, 1500, 3000, 3000),
    as_of: new Date(now - 100 * 86_400_000).toISOString(),
    withheld_reason: null,
  };
  open();
  server.use(
    http.get("*/api/v1/predictions", () => HttpResponse.json({ items: [item], total: 1, skip: 0, limit: 50 })),
  );
  const [row] = await bodyRows();
  expect(row).toHaveTextContent(/(300|299) days3\.8 yearslonger than 7\.9 years/);
});

it("counts batteries by years, those without a prediction apart", async () => {
  const summary = predictionSummaryOf(fleet, Date.now());
  open();
  server.use(http.get("*/api/v1/predictions/summary", () => HttpResponse.json({ ...summary, withheld: 243 })));
  const bars = within(await screen.findByTestId("histogram")).getAllByRole("listitem");
  expect(bars[0]).toHaveTextContent(/^0–1 years\d+$/);
  expect(bars.at(-2)).toHaveTextContent(/^10 years or longer\d+$/);
  expect(bars.at(-1)).toHaveTextContent(/^No prediction243$/);
  expect(bars.at(-1)?.querySelector(".hatched")).not.toBeNull();
});

it("gives the reset where nothing matches", async () => {
  const { router } = open("?due=90&source=none");
  await userEvent.click(await screen.findByRole("button", { name: "Reset filters" }));
  expect(router.state.location.search).toBe("");
});

it.each(["predictions", "predictions/summary"])("says that %s is missing, and asks again", async (path) => {
  open();
  server.use(http.get(`*/api/v1/${path}`, () => problem(503, "database_unavailable", "The database is away.")));
  expect(await screen.findByRole("alert")).toHaveTextContent("The database is away.");
  server.use(...createHandlers(fleet));
  await userEvent.click(screen.getByRole("button", { name: "Retry" }));
  await waitFor(() => expect(screen.queryByRole("alert")).toBeNull());
});

it("says since when the table is not refreshed", async () => {
  const { cache } = open();
  await table();
  server.use(http.get("*/api/v1/predictions", () => problem(503, "database_unavailable", "The database is away.")));
  await act(() => cache.invalidateQueries({ queryKey: ["predictions", "list"] }));
  expect(await screen.findByText(/^Could not refresh/)).toBeVisible();
  expect(await bodyRows()).toHaveLength(50);
});

it("keeps the models from those who are no administrators", async () => {
  open();
  await table();
  expect(screen.queryByRole("heading", { name: "Models" })).toBeNull();
  act(() => useSession.getState().signedIn("x", { ...operator, role: "admin" }));
  expect(await screen.findByRole("heading", { name: "Models" })).toBeVisible();
});

it("speaks Thai", async () => {
  await i18next.changeLanguage("th");
  open("?source=none");
  expect(await screen.findByRole("heading", { level: 1, name: "อายุคงเหลือ" })).toBeVisible();
  const [first] = await bodyRows();
  expect(first).toHaveTextContent("ไม่มีผลทำนาย: เซนเซอร์ของแบตเตอรี่ลูกนี้ขัดข้อง ดูการแจ้งเตือน");
});
