import { screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import i18next from "i18next";
import { http, HttpResponse } from "msw";
import { act } from "react";
import { Toaster } from "sonner";
import { afterEach, beforeEach, expect, it, vi } from "vitest";

import { useSession } from "@/api/session";
import { liveStore, useConnection } from "@/realtime/connection";
import { usePreferences } from "@/stores/preferences";
import { useWaiting } from "@/stores/waiting";
import { MockFleet } from "@/testing/fleet";
import { problem } from "@/testing/handlers";
import { incidentsOf } from "@/testing/incidents";
import { renderPage } from "@/testing/render";
import { server } from "@/testing/server";

import { Layout } from "./layout";

// The connection itself is tested against a real server; here the shell shows what it says.
vi.mock("@/realtime/connection", async (original) => ({
  ...(await original<typeof import("@/realtime/connection")>()),
  startRealtime: () => () => undefined,
}));

beforeEach(() => usePreferences.setState({ shortcuts: true }));
afterEach(() => useConnection.setState({ phase: "connecting", since: null }));

const page = { path: "/incidents", element: <Layout /> };

function connect(sinceMs: number): void {
  act(() => useConnection.setState({ phase: "connected", since: Date.now() - sinceMs }));
}

it("shows Live only while values arrive", async () => {
  renderPage(page);
  const badge = await screen.findByTestId("live-badge");
  expect(badge).toHaveTextContent("Connecting");
  connect(1000);
  expect(badge).toHaveTextContent("Connecting");
  const update = new MockFleet().report(0, Date.now());
  act(() => {
    if (update !== null) liveStore.applyUpdate(update);
  });
  await waitFor(() => expect(badge).toHaveTextContent("Live · 0 s"));
});

it("says how long nothing has come on a connection that stays idle", async () => {
  renderPage(page);
  connect(40_000);
  expect(await screen.findByTestId("live-badge")).toHaveTextContent("No data for 40 s");
});

it("says since when the connection is lost and that values are the last known", async () => {
  renderPage(page);
  act(() => useConnection.setState({ phase: "disconnected", since: Date.parse("2026-11-23T07:02:00Z") }));
  expect(await screen.findByTestId("live-badge")).toHaveTextContent("Disconnected since 14:02");
  expect(screen.getByRole("alert")).toHaveTextContent("Values shown are the last received.");
});

it("counts the incidents that wait for somebody", async () => {
  const { fleet } = renderPage(page);
  const count = incidentsOf(fleet).length;
  expect(await screen.findByTitle(`${count} unacknowledged`)).toHaveTextContent(String(count));
  expect(useWaiting.getState().count).toBe(count);
});

it("opens a battery by keyboard alone", async () => {
  const { router } = renderPage(page);
  await screen.findByTestId("live-badge");
  await userEvent.keyboard("/");
  await userEvent.type(await screen.findByRole("combobox"), "src ups str-02 00");
  await waitFor(() => expect(screen.getAllByRole("option").length).toBeGreaterThan(3));
  await userEvent.keyboard("{ArrowDown}{ArrowDown}{ArrowUp}{Enter}");
  expect(router.state.location.pathname).toBe("/batteries/BAT-DC-SRC-01-UPS-01-STR-02-002");
});

it("goes to the fleet by g f, unless single keys are switched off", async () => {
  const { router } = renderPage(page);
  await screen.findByTestId("live-badge");
  await userEvent.keyboard("?");
  await userEvent.click(await screen.findByLabelText("Single-key shortcuts"));
  await userEvent.keyboard("{Escape}gf");
  expect(router.state.location.pathname).toBe("/incidents");
  act(() => usePreferences.getState().setShortcuts(true));
  await userEvent.keyboard("gf");
  expect(router.state.location.pathname).toBe("/");
});

it("opens the menu, and closes it on Escape and on another page", async () => {
  const { router } = renderPage(page);
  await screen.findByTestId("live-badge");
  const menu = screen.getByRole("button", { name: "Menu" });
  await userEvent.click(menu);
  expect(menu).toHaveAttribute("aria-expanded", "true");
  await userEvent.keyboard("{Escape}");
  expect(menu).toHaveAttribute("aria-expanded", "false");
  await userEvent.click(menu);
  await userEvent.click(screen.getByRole("link", { name: "Fleet" }));
  expect(router.state.location.pathname).toBe("/");
});

it("speaks Thai on request and remembers it", async () => {
  renderPage(page);
  await screen.findByTestId("live-badge");
  await userEvent.click(screen.getByRole("button", { name: "ภาษาไทย" }));
  expect(screen.getByRole("link", { name: "ภาพรวม" })).toBeVisible();
  expect(localStorage.getItem("language")).toBe("th");
});

it("shows the user with the role and signs out", async () => {
  renderPage(page);
  await screen.findByTestId("live-badge");
  expect(screen.getByText("Somchai")).toBeVisible();
  expect(screen.getByText("Engineer")).toBeVisible();
  await userEvent.click(screen.getByRole("button", { name: "Sign out" }));
  await waitFor(() => expect(useSession.getState().phase).toBe("signed-out"));
});

it("finds nothing without an error, and says so", async () => {
  renderPage(page);
  await screen.findByTestId("live-badge");
  await userEvent.click(screen.getByRole("button", { name: /^Search/ }));
  await userEvent.type(await screen.findByRole("combobox"), "zzz");
  expect(await screen.findByText("No results")).toBeVisible();
});

it("switches the theme both ways and remembers it", async () => {
  renderPage(page);
  await screen.findByTestId("live-badge");
  const theme = screen.getByRole("button", { name: "Switch theme" });
  await userEvent.click(theme);
  expect(document.documentElement).toHaveAttribute("data-theme", "dark");
  expect(localStorage.getItem("theme")).toBe("dark");
  await userEvent.click(theme);
  expect(document.documentElement).toHaveAttribute("data-theme", "light");
  expect(localStorage.getItem("theme")).toBe("light");
});

it("switches back to English from Thai, and the document says which language it is in", async () => {
  await i18next.changeLanguage("th");
  renderPage(page);
  await screen.findByTestId("live-badge");
  await userEvent.click(screen.getByRole("button", { name: "English" }));
  expect(screen.getByRole("link", { name: "Fleet" })).toBeVisible();
  expect(document.documentElement.lang).toBe("en");
  expect(localStorage.getItem("language")).toBe("en");
});

it("marks the current page in the navigation", async () => {
  renderPage(page);
  const navigation = await screen.findByRole("navigation", { name: "Main" });
  expect(within(navigation).getByRole("link", { current: "page" })).toHaveTextContent(/^Alerts/);
  expect(within(navigation).getByRole("link", { name: "Fleet" })).not.toHaveAttribute("aria-current");
});

it("has a first link that skips to the content", async () => {
  renderPage(page);
  await screen.findByTestId("live-badge");
  await userEvent.tab();
  const skip = screen.getByRole("link", { name: "Skip to content" });
  expect(skip).toHaveFocus();
  expect(document.querySelector(skip.getAttribute("href") ?? "")).toBe(screen.getByRole("main"));
});

it("shows no count when every incident is acknowledged", async () => {
  const { fleet, cache } = renderPage(page);
  for (const incident of incidentsOf(fleet)) incident.status = "acknowledged";
  await waitFor(() =>
    expect(cache.getQueriesData({ queryKey: ["incidents"] })[0]?.[1]).toMatchObject({ open_count: 0 }),
  );
  expect(screen.getByRole("link", { name: "Alerts" })).toBeVisible();
  expect(screen.queryByTitle(/unacknowledged/)).toBeNull();
});

it("opens the shortcuts and the search by their buttons", async () => {
  renderPage(page);
  await screen.findByTestId("live-badge");
  await userEvent.click(screen.getByRole("button", { name: "Keyboard shortcuts" }));
  expect(await screen.findByRole("dialog", { name: "Keyboard shortcuts" })).toBeVisible();
  await userEvent.keyboard("{Escape}");
  await userEvent.click(screen.getByRole("button", { name: /^Search/ }));
  expect(await screen.findByRole("dialog", { name: "Search" })).toBeVisible();
});

it("shows no banner for a connection that was lost only now", async () => {
  renderPage(page);
  act(() => useConnection.setState({ phase: "disconnected", since: Date.now() }));
  expect(await screen.findByTestId("live-badge")).toHaveTextContent(/^Disconnected since \d\d:\d\d$/);
  expect(screen.queryByRole("alert")).toBeNull();
});

it("takes the banner away after a reconnect", async () => {
  renderPage(page);
  act(() => useConnection.setState({ phase: "disconnected", since: Date.now() - 60_000 }));
  expect(await screen.findByRole("alert")).toBeVisible();
  connect(0);
  expect(screen.queryByRole("alert")).toBeNull();
  expect(screen.getByTestId("live-badge")).toHaveTextContent("Connecting");
});

it("says in Thai that the connection is lost", async () => {
  await i18next.changeLanguage("th");
  renderPage(page);
  act(() => useConnection.setState({ phase: "disconnected", since: Date.parse("2026-11-23T17:00:00Z") }));
  expect(await screen.findByRole("alert")).toHaveTextContent("ขาดการเชื่อมต่อกับเซิร์ฟเวอร์ตั้งแต่ 00:00:00");
});

it("signs out on this device while the server is away, and says what that means", async () => {
  renderPage({
    ...page,
    element: (
      <>
        <Layout />
        <Toaster />
      </>
    ),
  });
  await screen.findByTestId("live-badge");
  server.use(http.post("*/api/v1/auth/logout", () => HttpResponse.error()));
  await userEvent.click(screen.getByRole("button", { name: "Sign out" }));
  expect(await screen.findByText(/^Signed out on this device only\./)).toBeInTheDocument();
  expect(useSession.getState()).toMatchObject({ phase: "signed-out", accessToken: null });
});

it("does not pass off a count that failed as no unacknowledged alert", async () => {
  renderPage(page);
  server.use(http.get("*/api/v1/incidents", () => problem(503, "database_unavailable", "The database is away.")));
  const sentence = "The number of unacknowledged alerts could not be refreshed.";
  expect(await screen.findByText(sentence)).toBeInTheDocument();
});
