import { screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { http } from "msw";
import { act } from "react";
import { expect, it } from "vitest";

import { useSession } from "@/api/session";
import { BatteryPage } from "@/features/battery/battery-page";
import { LocationPage } from "@/features/location/location-page";
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
  expect(await screen.findByTestId("retired")).toHaveTextContent(/^Retired /);
});
