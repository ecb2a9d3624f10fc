import { screen, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { http, HttpResponse } from "msw";
import { expect, it } from "vitest";

import { fleetQueries } from "@/api/queries";
import { problem } from "@/testing/handlers";
import { renderPage } from "@/testing/render";
import { server } from "@/testing/server";

import { OverviewPage } from "./overview-page";

const page = { path: "/", element: <OverviewPage /> };

it("shows the fleet in one look, most urgent location first, with the age of its data", async () => {
  renderPage(page);
  expect(await screen.findByText("1,944")).toBeVisible();
  const cards = await screen.findAllByRole("link", { name: /DC-[A-Z]{3}-\d\d/ });
  const locations = cards.filter((card) => card.getAttribute("href")?.startsWith("/locations/"));
  expect(locations).toHaveLength(9);
  expect(locations[0]).toHaveAttribute("href", "/locations/DC-SRC-01");
  expect(locations[1]).toHaveAttribute("href", "/locations/DC-CNX-01");
  expect(within(locations[1] as HTMLElement).getByText("Mains lost")).toBeVisible();
  for (const location of locations) expect(within(location).getByText(/ ago$/)).toBeVisible();
});

it("says why there is no state of health instead of a number", async () => {
  renderPage(page);
  const health = (await screen.findByText("Average SOH")).parentElement as HTMLElement;
  expect(health).toHaveTextContent("No estimate yet");
  expect(health).toHaveTextContent("Requires a discharge or capacity test");
  expect(health).not.toHaveTextContent("%");
});

it("describes in words what the canvas shows", async () => {
  renderPage(page);
  expect(
    await screen.findByRole("img", { name: "Phuket: 192 normal, 0 warning, 0 critical, 24 no data" }),
  ).toBeInTheDocument();
});

it("keeps what the cells are coloured by in the address", async () => {
  const { router } = renderPage(page);
  await userEvent.selectOptions(await screen.findByLabelText("Colour by"), "Temperature");
  expect(router.state.location.search).toBe("?fill=temperature_c");
});

it("shows an error with its request and reads again on Retry", async () => {
  renderPage(page);
  server.use(http.get("*/api/v1/fleet/overview", () => problem(500, "internal", "Something broke."), { once: true }));
  const alert = await screen.findByRole("alert");
  expect(alert).toHaveTextContent("Something broke.");
  expect(alert).toHaveTextContent("req-7f3a");
  await userEvent.click(within(alert).getByRole("button", { name: "Retry" }));
  expect(await screen.findByText("1,944")).toBeVisible();
});

it("keeps what it knows when reading again fails, and says so", async () => {
  const { cache } = renderPage(page);
  expect(await screen.findByText("1,944")).toBeVisible();
  server.use(http.get("*/api/v1/fleet/overview", () => problem(503, "unavailable", "The database is away.")));
  await cache.refetchQueries({ queryKey: fleetQueries.overview().queryKey });
  expect(await screen.findByText(/Could not refresh/)).toBeVisible();
  expect(screen.getByText("1,944")).toBeVisible();
});

it("says what to do while there is no location", async () => {
  renderPage(page);
  server.use(http.get("*/api/v1/locations", () => HttpResponse.json({ items: [], total: 0, skip: 0, limit: 100 })));
  expect(await screen.findByText("No data centres yet")).toBeVisible();
});
