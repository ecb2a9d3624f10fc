import { screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { act } from "react";
import { expect, it } from "vitest";

import { useSession } from "@/api/session";
import { operator } from "@/testing/handlers";
import { renderPage } from "@/testing/render";

import { AlertsPage } from "./alerts-page";

const page = { path: "/alerts/:alertId?", element: <AlertsPage />, address: "/alerts" };

async function rowOf(id: number): Promise<HTMLElement> {
  return screen.findByTestId(`alert-${id}`);
}

async function confirmWith(note: string): Promise<void> {
  const dialog = await screen.findByRole("dialog");
  await userEvent.type(within(dialog).getByRole("textbox"), note);
  await userEvent.click(within(dialog).getByRole("button", { name: "Acknowledge" }));
  await waitFor(() => expect(screen.queryByRole("dialog")).toBeNull());
}

it("lists what is active and acknowledges with a note", async () => {
  const { fleet } = renderPage(page);
  const row = await rowOf(1);
  expect(row).toHaveTextContent("High temperature");
  await userEvent.click(within(row).getByRole("button", { name: "Acknowledge" }));
  await confirmWith("on my way");
  await waitFor(async () => expect(await rowOf(1)).toHaveTextContent("Acknowledged"));
  expect(fleet.alerts.find((alert) => alert.alert_id === 1)?.acknowledged_by).toBe("somchai");
});

it("reads again what somebody else was faster with", async () => {
  const { fleet } = renderPage(page);
  const row = await rowOf(1);
  const alert = fleet.alerts.find((candidate) => candidate.alert_id === 1);
  Object.assign(alert ?? {}, { acknowledged_at: new Date().toISOString(), acknowledged_by: "suda" });
  await userEvent.click(within(row).getByRole("button", { name: "Acknowledge" }));
  await confirmWith("mine");
  await waitFor(async () => expect(await rowOf(1)).toHaveTextContent("Acknowledged"));
  expect(alert?.acknowledged_by).toBe("suda");
});

it("moves, selects and acknowledges by keys", async () => {
  const { fleet } = renderPage(page);
  await rowOf(1);
  await userEvent.keyboard("jxjxe");
  // The key that opens the dialog must not end up in the note.
  expect(await screen.findByRole("textbox")).toHaveValue("");
  await confirmWith("both");
  await waitFor(() => expect(fleet.alerts.filter((alert) => alert.acknowledged_at !== null)).toHaveLength(2));
});

it("offers a viewer no action and says which role is needed", async () => {
  renderPage(page);
  act(() => useSession.getState().signedIn("access-1", { ...operator, role: "viewer" }));
  await rowOf(1);
  expect(screen.queryByRole("button", { name: "Acknowledge" })).toBeNull();
  expect(screen.getByText("Only engineers can acknowledge alerts.")).toBeVisible();
});

it("keeps filters in the address and says when nothing matches", async () => {
  const { router } = renderPage({ ...page, address: "/alerts?severity=critical" });
  await rowOf(1);
  expect(screen.getAllByTestId(/^alert-\d+$/)).toHaveLength(2);
  await userEvent.selectOptions(screen.getByLabelText("State"), "Resolved");
  expect(router.state.location.search).toBe("?severity=critical&state=resolved");
  expect(await screen.findByText("No alerts match the filters.")).toBeVisible();
});
