import { screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { http } from "msw";
import { useSearchParams } from "react-router-dom";
import { expect, it, vi } from "vitest";

import { MockFleet } from "@/testing/fleet";
import { problem } from "@/testing/handlers";
import { renderPage } from "@/testing/render";
import { server } from "@/testing/server";

import { BatteryTable } from "./battery-table";

function Page() {
  const [params, setParams] = useSearchParams();
  return (
    <BatteryTable
      locationId="DC-SRC-01"
      params={params}
      showsRetired={false}
      onChange={(name, value) =>
        setParams((current) => {
          if (value === null || value === "") current.delete(name);
          else current.set(name, value);
          return current;
        })
      }
    />
  );
}

const show = (address = "/") => renderPage({ path: "/", element: <Page />, address });

it("shows one row per battery with values and age", async () => {
  show("/?q=UPS-01-STR-02-007");
  const row = (await screen.findByRole("link", { name: "UPS-01-STR-02-007" })).closest<HTMLElement>("[role=row]");
  expect(row).toHaveTextContent(/Critical13\.\d\d V47\.8 °C4\.\d\d mΩ\+38 %Unknown\d+ s ago/);
  expect(screen.getByRole("table", { name: "Table" })).toHaveAttribute("aria-rowcount", "1");
  expect(screen.getByText("1 result")).toBeVisible();
});

it("keeps filter and sort order in the address", async () => {
  const { router } = show();
  await screen.findByText("216 results");
  await userEvent.selectOptions(screen.getByLabelText("Status"), "Critical");
  await userEvent.click(screen.getByRole("button", { name: /^Drift/ }));
  expect(router.state.location.search).toBe("?status=critical&sort=resistance_drift_pct");
  expect(screen.getByRole("columnheader", { name: /Drift/ })).toHaveAttribute("aria-sort", "ascending");
  const names = within(screen.getByRole("table"))
    .getAllByRole("link")
    .map((link) => link.textContent);
  expect(names).toEqual(["UPS-01-STR-02-007", "UPS-01-STR-02-008"]);
});

it("exports what is filtered, under the name of the location", async () => {
  const create = vi.fn((blob: Blob | MediaSource) => `blob:${blob instanceof Blob ? blob.type : ""}`);
  URL.createObjectURL = create;
  URL.revokeObjectURL = vi.fn();
  const click = vi.spyOn(HTMLAnchorElement.prototype, "click").mockImplementation(() => undefined);
  show("/?status=critical");
  await screen.findByText("2 results");
  await userEvent.click(screen.getByRole("button", { name: "Export CSV" }));
  expect(click).toHaveBeenCalledTimes(1);
  const [blob] = create.mock.calls[0] ?? [];
  const lines = (await (blob as Blob).text()).trimEnd().split("\r\n");
  expect(lines).toHaveLength(3);
  expect(lines[1]).toContain("BAT-DC-SRC-01-UPS-01-STR-02-007");
});

it("shows why there is no table, and reads again on Retry", async () => {
  show();
  server.use(
    http.get("*/api/v1/locations/:id/batteries", () => problem(500, "internal", "Something broke."), { once: true }),
  );
  const alert = await screen.findByRole("alert");
  expect(alert).toHaveTextContent("Something broke.");
  await userEvent.click(within(alert).getByRole("button", { name: "Retry" }));
  await waitFor(() => expect(screen.getByText("216 results")).toBeVisible());
});

it("marks a normal battery that is not fully judged with a word, and finds it by the status filter", async () => {
  const fleet = new MockFleet();
  const battery = fleet.need("BAT-DC-SRC-01-UPS-01-STR-01-003");
  battery.notJudged = [{ signal: "temperature_over_room", reason: "no_room_temperature" }];
  renderPage({ path: "/", element: <Page />, address: "/?q=UPS-01-STR-01" }, fleet);
  await screen.findByText("24 results");
  await userEvent.selectOptions(screen.getByLabelText("Status"), "Not fully judged");
  expect(screen.getByText("1 result")).toBeVisible();
  const row = screen.getByRole("link", { name: "UPS-01-STR-01-003" }).closest<HTMLElement>("[role=row]");
  expect(row).toHaveTextContent("Normal1 not judged");
  expect(within(row as HTMLElement).getByText("1 not judged")).toHaveAttribute(
    "title",
    "Not judged by the alert rules: Temperature above room",
  );
});

it("says of how many batteries the value that it sorts by is not known", async () => {
  const fleet = new MockFleet();
  for (const battery of fleet.batteriesOf("DC-SRC-01").slice(0, 3)) battery.neverReported = true;
  renderPage({ path: "/", element: <Page />, address: "/?sort=-voltage_v" }, fleet);
  expect(await screen.findByText("216 results · Voltage: 3 not known")).toBeVisible();
});

it("gives P10 and P50 of the remaining life", async () => {
  show("/?q=UPS-01-STR-02-008");
  const row = (await screen.findByRole("link", { name: "UPS-01-STR-02-008" })).closest<HTMLElement>("[role=row]");
  // The prediction is from last midnight, so that less than a day has passed.
  expect(row).toHaveTextContent(/\+\d+ %2\.\d years \/ 4\.\d years\d+ s ago/);
});
