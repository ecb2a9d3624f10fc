import { screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { http } from "msw";
import { expect, it } from "vitest";

import { problem } from "@/testing/handlers";
import { renderPage } from "@/testing/render";
import { server } from "@/testing/server";

import { LocationPage } from "./location-page";

function open(address: string) {
  return renderPage({ path: "/locations/:locationId", element: <LocationPage />, address });
}

const cells = () => [...document.querySelectorAll<HTMLButtonElement>("[data-battery]")];

it("shows every battery as a focusable cell, one row per string, with mode, voltage and current", async () => {
  open("/locations/DC-CNX-01");
  const string = await screen.findByRole("group", { name: "UPS-01-STR-01" });
  expect(within(string).getAllByRole("button")).toHaveLength(24);
  expect(cells()).toHaveLength(216);
  expect(string).toHaveTextContent(/Discharge · 32\d\.\d V · -74\.2 A/);
});

it("marks states by shape and name, and a string without data is not normal", async () => {
  open("/locations/DC-PKT-01");
  const string = await screen.findByRole("group", { name: "UPS-01-STR-04" });
  for (const cell of within(string).getAllByRole("button")) {
    expect(cell).toHaveAccessibleName(/No data/);
    expect(cell).toHaveClass("hatched");
  }
});

it("is one stop in the tab order and moves by arrow keys", async () => {
  const { router } = open("/locations/DC-SRC-01");
  await screen.findByRole("group", { name: "REC-01-STR-01" });
  expect(cells().filter((cell) => cell.tabIndex === 0)).toHaveLength(1);
  cells()[0]?.focus();
  await userEvent.keyboard("{ArrowRight}{ArrowDown}");
  expect(document.activeElement).toHaveAttribute("data-battery", "BAT-DC-SRC-01-REC-01-STR-02-002");
  expect(cells().filter((cell) => cell.tabIndex === 0)).toEqual([document.activeElement]);
  expect(screen.getByRole("link", { name: "Open battery" })).toHaveAttribute(
    "href",
    "/batteries/BAT-DC-SRC-01-REC-01-STR-02-002",
  );
  await userEvent.keyboard("{Enter}");
  await waitFor(() => expect(router.state.location.pathname).toBe("/batteries/BAT-DC-SRC-01-REC-01-STR-02-002"));
});

it("shows the room with the age of its data", async () => {
  open("/locations/DC-SRC-01");
  expect(await screen.findByText("29.4 °C")).toBeVisible();
  expect(screen.getByText("degraded")).toBeVisible();
});

it("lists batteries with filter, sort and search held in the address", async () => {
  const { router } = open("/locations/DC-SRC-01?view=table&status=critical");
  expect(await screen.findByText("2 results")).toBeVisible();
  expect(screen.getByRole("link", { name: "UPS-01-STR-02-007" })).toBeVisible();
  await userEvent.click(screen.getByRole("button", { name: /^Voltage/ }));
  await userEvent.click(screen.getByRole("button", { name: /^Voltage/ }));
  expect(router.state.location.search).toContain("sort=-voltage_v");
  expect(screen.getByRole("columnheader", { name: /Voltage/ })).toHaveAttribute("aria-sort", "descending");
  await userEvent.type(screen.getByLabelText("Filter by ID"), "nothing like it");
  expect(await screen.findByText("No batteries match the filter.")).toBeVisible();
  await userEvent.click(screen.getByRole("button", { name: "Reset filters" }));
  expect(await screen.findByText("216 results")).toBeVisible();
});

it("keeps only the rows in sight in the document", async () => {
  open("/locations/DC-SRC-01?view=table");
  expect(await screen.findByText("216 results")).toBeVisible();
  const rows = screen.getAllByRole("row");
  expect(rows.length).toBeGreaterThan(10);
  expect(rows.length).toBeLessThan(60);
});

it("says that a location does not exist", async () => {
  open("/locations/DC-ZZZ-01");
  expect(await screen.findByText("Not found")).toBeVisible();
  expect(screen.getByText("There is no location DC-ZZZ-01.")).toBeVisible();
});

it("says what is missing to see a location, without offering to retry", async () => {
  open("/locations/DC-SRC-01");
  server.use(
    http.get("*/api/v1/locations/:id", () => problem(403, "forbidden", "DC-SRC-01 is not among your locations.")),
  );
  const alert = await screen.findByRole("alert");
  expect(alert).toHaveTextContent("DC-SRC-01 is not among your locations.");
  expect(within(alert).queryByRole("button")).toBeNull();
});
