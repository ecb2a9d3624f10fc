import { screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { http } from "msw";
import { act } from "react";
import { expect, it } from "vitest";

import { useSession } from "@/api/session";
import { BatteryPage } from "@/features/battery/battery-page";
import { LocationPage } from "@/features/location/location-page";
import { OverviewPage } from "@/features/overview/overview-page";
import { problem, sessionOf } from "@/testing/handlers";
import { renderPage } from "@/testing/render";
import { server } from "@/testing/server";

const BATTERY = "BAT-DC-SRC-01-UPS-01-STR-02-007";

function signIn(role: "engineer" | "admin"): void {
  const { access_token: token, user } = sessionOf();
  act(() => useSession.getState().signedIn(token, { ...user, role }));
}

async function openBattery(role: "engineer" | "admin" = "admin") {
  const page = renderPage({
    path: "/batteries/:batteryId",
    element: <BatteryPage />,
    address: `/batteries/${BATTERY}`,
  });
  signIn(role);
  await screen.findByRole("heading", { level: 1, name: BATTERY });
  return page;
}

it("is for administrators alone", async () => {
  await openBattery("engineer");
  expect(screen.queryByRole("button", { name: "Retire" })).toBeNull();
});

it("says what will end, needs a reason, and marks the battery as retired", async () => {
  const { fleet } = await openBattery();
  await userEvent.click(screen.getByRole("button", { name: "Retire" }));
  const dialog = screen.getByRole("dialog", { name: `Retire ${BATTERY}` });
  expect(dialog).toHaveTextContent("Its open alerts end");
  const confirm = screen.getByRole("button", { name: "Retire" });
  expect(confirm).toBeDisabled();
  await userEvent.type(screen.getByLabelText("Reason"), "  ");
  expect(confirm).toBeDisabled();
  await userEvent.type(screen.getByLabelText("Reason"), "hall closed ");
  await userEvent.click(confirm);
  expect(await screen.findByTestId("retired")).toHaveTextContent(/^Retired .+ by somchai · hall closed$/);
  expect(fleet.need(BATTERY).retirement?.reason).toBe("hall closed");
  expect(screen.queryByRole("dialog")).toBeNull();
  expect(screen.queryByRole("button", { name: "Retire" })).toBeNull();
  expect(screen.queryByText("Critical", { selector: "h1 + span" })).toBeNull();
});

it("changes nothing when it is cancelled, and forgets the reason", async () => {
  const { fleet } = await openBattery();
  await userEvent.click(screen.getByRole("button", { name: "Retire" }));
  await userEvent.type(screen.getByLabelText("Reason"), "wrong battery");
  await userEvent.click(screen.getByRole("button", { name: "Cancel" }));
  expect(fleet.need(BATTERY).retirement).toBeUndefined();
  await userEvent.click(screen.getByRole("button", { name: "Retire" }));
  expect(screen.getByLabelText("Reason")).toHaveValue("");
});

it("keeps the reason when the gateway refuses", async () => {
  await openBattery();
  server.use(http.post("*/api/v1/batteries/:id/retire", () => problem(403, "forbidden", "This needs the role admin.")));
  await userEvent.click(screen.getByRole("button", { name: "Retire" }));
  await userEvent.type(screen.getByLabelText("Reason"), "hall closed");
  await userEvent.click(screen.getByRole("button", { name: "Retire" }));
  await waitFor(() => expect(screen.getByRole("button", { name: "Retire" })).toBeEnabled());
  expect(screen.getByLabelText("Reason")).toHaveValue("hall closed");
  expect(screen.queryByTestId("retired")).toBeNull();
});

it("retires a location with all its batteries", async () => {
  const { fleet } = renderPage({
    path: "/locations/:locationId",
    element: <LocationPage />,
    address: "/locations/DC-SRC-01",
  });
  signIn("admin");
  await userEvent.click(await screen.findByRole("button", { name: "Retire" }));
  const count = fleet.batteriesOf("DC-SRC-01").length;
  expect(screen.getByRole("dialog")).toHaveTextContent(`All ${count} batteries go out of service`);
  await userEvent.type(screen.getByLabelText("Reason"), "hall closed");
  await userEvent.click(screen.getByRole("button", { name: "Retire" }));
  // The location and each of its nine strings.
  await waitFor(() => expect(screen.getAllByTestId("retired")).toHaveLength(10));
});

it("brings a battery back, for a reason", async () => {
  const { fleet, cache } = await openBattery();
  fleet.need(BATTERY).retirement = { at: "2026-11-20T03:00:00Z", reason: "hall closed" };
  await act(() => cache.invalidateQueries());
  await userEvent.click(await screen.findByRole("button", { name: "Return to service" }));
  const dialog = screen.getByRole("dialog", { name: `Return ${BATTERY} to service` });
  expect(dialog).toHaveTextContent("Until the next reading it has no data.");
  const confirm = screen.getByRole("button", { name: "Return to service" });
  expect(confirm).toBeDisabled();
  await userEvent.type(screen.getByLabelText("Reason"), "retired by mistake");
  await userEvent.click(confirm);
  expect(await screen.findByRole("button", { name: "Retire" })).toBeVisible();
  expect(screen.queryByTestId("retired")).toBeNull();
  expect(fleet.need(BATTERY).retirement).toBeUndefined();
});

const openLocation = (address: string) => {
  const page = renderPage({ path: "/locations/:locationId", element: <LocationPage />, address });
  signIn("admin");
  return page;
};
const STRING = "DC-SRC-01-UPS-01-STR-02";

async function confirmWith(button: string): Promise<void> {
  await userEvent.type(screen.getByLabelText("Reason"), "a reason");
  await userEvent.click(within(screen.getByRole("dialog")).getByRole("button", { name: button }));
  await waitFor(() => expect(screen.queryByRole("dialog")).toBeNull());
}

it("retires a string, shows it on request, and brings it back", async () => {
  const { fleet, router } = openLocation("/locations/DC-SRC-01");
  await userEvent.click(await screen.findByRole("button", { name: `Retire ${STRING}` }));
  expect(screen.getByRole("dialog")).toHaveTextContent("All 24 batteries of the string go out of service");
  await confirmWith("Retire");
  await waitFor(() => expect(screen.queryByRole("group", { name: "UPS-01-STR-02" })).toBeNull());
  await userEvent.click(screen.getByLabelText("Show retired"));
  const string = await screen.findByRole("group", { name: "UPS-01-STR-02" });
  expect(router.state.location.search).toBe("?retired=1");
  expect(string).toHaveTextContent(/Retired \d/);
  expect(within(string).getByRole("button", { name: "UPS-01-STR-02-007: Retired" })).toBeVisible();
  await userEvent.click(screen.getByRole("button", { name: `Return ${STRING} to service` }));
  await confirmWith("Return to service");
  expect(await screen.findByRole("button", { name: `Retire ${STRING}` })).toBeVisible();
  expect(fleet.need(BATTERY).retirement).toBeUndefined();
});

it("brings a location back with all its batteries", async () => {
  const { fleet, cache } = openLocation("/locations/DC-SRC-01");
  for (const battery of fleet.batteriesOf("DC-SRC-01"))
    battery.retirement = { at: "2026-11-20T03:00:00Z", reason: "x" };
  await act(() => cache.invalidateQueries());
  await userEvent.click(await screen.findByRole("button", { name: "Return to service" }));
  expect(screen.getByRole("dialog")).toHaveTextContent("All 216 batteries are watched and counted again");
  await confirmWith("Return to service");
  expect(await screen.findByRole("button", { name: "Retire" })).toBeVisible();
});

it("keeps the other batteries of a string in their positions when one is retired", async () => {
  const { fleet, cache } = openLocation("/locations/DC-SRC-01");
  const string = await screen.findByRole("group", { name: "UPS-01-STR-02" });
  fleet.need(BATTERY).retirement = { at: "2026-11-20T03:00:00Z", reason: "x" };
  await act(() => cache.invalidateQueries());
  await waitFor(() => expect(within(string).queryByRole("button", { name: /-007:/ })).toBeNull());
  expect(within(string).getByRole("button", { name: /-024:/ })).toBeVisible();
  expect(string.querySelectorAll("[data-battery]")).toHaveLength(23);
});

it("lists what is retired by word, and only on request", async () => {
  const { fleet } = openLocation("/locations/DC-SRC-01?view=table&q=UPS-01-STR-02-00");
  fleet.need(BATTERY).retirement = { at: "2026-11-20T03:00:00Z", reason: "x" };
  expect(await screen.findByText("8 results")).toBeVisible();
  await userEvent.click(screen.getByLabelText("Show retired"));
  expect(await screen.findByText("9 results")).toBeVisible();
  await userEvent.selectOptions(screen.getByLabelText("Status"), "Retired");
  const row = screen.getByRole("link", { name: "UPS-01-STR-02-007" }).closest("[role=row]");
  expect(row).toHaveTextContent(/^UPS-01-STR-02-007Retired/);
  expect(screen.getByText("1 result")).toBeVisible();
});

it("finds retired locations from the overview", async () => {
  const { fleet } = renderPage({ path: "/", element: <OverviewPage /> });
  for (const battery of fleet.batteriesOf("DC-PKT-01"))
    battery.retirement = { at: "2026-11-20T03:00:00Z", reason: "x" };
  await screen.findByTestId("location-DC-SRC-01");
  expect(screen.queryByTestId("location-DC-PKT-01")).toBeNull();
  await userEvent.click(screen.getByLabelText("Show retired"));
  const card = await screen.findByTestId("location-DC-PKT-01");
  expect(card).toHaveTextContent(/Phuket.*Retired /);
  expect(card).toHaveAttribute("href", "/locations/DC-PKT-01");
});
