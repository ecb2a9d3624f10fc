import { screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { http, HttpResponse } from "msw";
import { act } from "react";
import { expect, it } from "vitest";

import { useSession } from "@/api/session";
import { operator } from "@/testing/handlers";
import { renderPage } from "@/testing/render";
import { server } from "@/testing/server";

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

it("says in each row what was seen, where, against which limit and since when", async () => {
  renderPage(page);
  const row = await rowOf(1);
  expect(row).toHaveTextContent(
    /High temperature · Battery UPS-01-STR-02-007 \(DC-SRC-01\) reached 47\.8 °C, above the limit of 45\.0 °C\.Since .+, held for 42 min\./,
  );
});

it("moves the focus with the keys, and back to the row when the drawer closes", async () => {
  renderPage(page);
  await rowOf(1);
  await userEvent.keyboard("j");
  const [first] = screen.getAllByTestId(/^alert-\d+$/);
  const opener = within(first as HTMLElement).getByRole("button", { name: /limit|sent/ });
  expect(opener).toHaveFocus();
  await userEvent.keyboard("{Enter}");
  expect(await screen.findByRole("complementary")).toBeVisible();
  expect(screen.getByRole("heading", { name: /^Alert \d+$/ })).toHaveFocus();
  expect(opener).toHaveAttribute("aria-current", "true");
  await userEvent.keyboard("{Escape}");
  await waitFor(() => expect(screen.queryByRole("complementary")).toBeNull());
  expect(opener).toHaveFocus();
});

it("names the alert in the dialog, and keeps note and selection when it could not be sent", async () => {
  renderPage(page);
  await userEvent.click(within(await rowOf(1)).getByRole("button", { name: "Acknowledge" }));
  server.use(http.post("*/api/v1/alerts/1/acknowledge", () => HttpResponse.error()));
  const dialog = await screen.findByRole("dialog");
  expect(dialog).toHaveTextContent("High temperature: battery UPS-01-STR-02-007 (DC-SRC-01)");
  await userEvent.type(within(dialog).getByRole("textbox"), "on my way");
  await userEvent.click(within(dialog).getByRole("button", { name: "Acknowledge" }));
  await waitFor(() => expect(within(dialog).getByRole("button", { name: "Cancel" })).toBeEnabled());
  expect(within(dialog).getByRole("textbox")).toHaveValue("on my way");
});
