import { screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import i18next from "i18next";
import { http, HttpResponse } from "msw";
import { expect, it, vi } from "vitest";

import { summaryOf } from "@/testing/answers";
import { MockFleet } from "@/testing/fleet";
import { createHandlers, problem } from "@/testing/handlers";
import { showPage } from "@/testing/render";
import { server } from "@/testing/server";

import { SearchDialog } from "./search-dialog";

const SERIAL_ID = "BAT-DC-HDY-01-UPS-01-STR-03-011";

async function show() {
  const fleet = new MockFleet();
  server.use(...createHandlers(fleet));
  const change = vi.fn();
  const page = showPage({ path: "/", element: <SearchDialog open onOpenChange={change} /> }, fleet);
  await screen.findByRole("option", { name: /Hat Yai/ });
  return { ...page, fleet, change };
}

const field = () => screen.getByRole("combobox");
const options = () => screen.queryAllByRole("option");
const selected = () => screen.getByRole("option", { selected: true });
const addressOf = ({ router }: Awaited<ReturnType<typeof show>>) => router.state.location.pathname;

it("has the focus and offers pages and locations before anything is typed", async () => {
  await show();
  expect(field()).toHaveFocus();
  expect(options()).toHaveLength(12);
  expect(selected()).toHaveTextContent("Fleet");
  expect(within(screen.getByRole("listbox")).getByRole("option", { name: /^Alerts\s*g a$/ })).toBeVisible();
});

it("moves by arrows, stays at both ends, and says which option is active", async () => {
  await show();
  await userEvent.keyboard("{ArrowUp}");
  expect(selected()).toBe(options()[0]);
  await userEvent.keyboard("{ArrowDown}{ArrowDown}");
  expect(selected()).toBe(options()[2]);
  expect(field()).toHaveAttribute("aria-activedescendant", selected().id);
  await userEvent.keyboard("{ArrowDown>20/}");
  expect(selected()).toBe(options()[11]);
});

it("goes to the chosen location on Enter and closes", async () => {
  const page = await show();
  await userEvent.type(field(), "phuk{Enter}");
  expect(addressOf(page)).toBe("/locations/DC-PKT-01");
  expect(page.change).toHaveBeenCalledExactlyOnceWith(false);
});

it("goes where the pointer clicks", async () => {
  const page = await show();
  await userEvent.hover(screen.getByRole("option", { name: /Sriracha/ }));
  expect(selected()).toHaveTextContent("Sriracha");
  await userEvent.click(selected());
  expect(addressOf(page)).toBe("/locations/DC-SRC-01");
});

it("starts from the first result again after more was typed", async () => {
  await show();
  await userEvent.type(field(), "src ups str-02");
  await waitFor(() => expect(options()).toHaveLength(24));
  await userEvent.keyboard("{ArrowDown}{ArrowDown}");
  expect(selected()).toHaveTextContent("-003");
  await userEvent.type(field(), "-00");
  await waitFor(() => expect(options()).toHaveLength(9));
  expect(selected()).toHaveTextContent("-001");
  expect(screen.getByText("9 results")).toBeVisible();
});

/** The gateway alone knows this serial number, and answers when the test lets it. */
function answerLate(fleet: MockFleet): () => void {
  let answer: () => void = () => undefined;
  const answered = new Promise<void>((done) => (answer = done));
  const battery = { ...summaryOf(fleet, fleet.need(SERIAL_ID), Date.now()), serial_number: "ZQ-771" };
  server.use(
    http.get("*/api/v1/batteries", async ({ request }) => {
      await answered;
      const items = new URL(request.url).searchParams.get("q") === "zq-771" ? [battery] : [];
      return HttpResponse.json({ items, total: items.length, skip: 0, limit: 12 });
    }),
  );
  return answer;
}

it("finds a battery by its serial number and shows the number", async () => {
  const page = await show();
  answerLate(page.fleet)();
  await userEvent.type(field(), "zq-771");
  expect(await screen.findByRole("option", { name: new RegExp(`^${SERIAL_ID}\\s*ZQ-771$`) })).toBeVisible();
  await userEvent.keyboard("{Enter}");
  expect(addressOf(page)).toBe(`/batteries/${SERIAL_ID}`);
});

it("survives arrow keys and Enter while there is no result yet", async () => {
  const page = await show();
  const answer = answerLate(page.fleet);
  await userEvent.type(field(), "zq-771");
  expect(await screen.findByText("No results")).toBeVisible();
  expect(field()).toHaveAttribute("aria-expanded", "false");
  await userEvent.keyboard("{ArrowDown}{ArrowUp}{ArrowDown}{Enter}");
  expect(page.change).not.toHaveBeenCalled();
  answer();
  await screen.findByRole("option");
  expect(selected()).toHaveTextContent(SERIAL_ID);
  await userEvent.keyboard("{Enter}");
  expect(addressOf(page)).toBe(`/batteries/${SERIAL_ID}`);
});

it("still finds ids while the gateway is away", async () => {
  await show();
  server.use(http.get("*/api/v1/batteries", () => HttpResponse.error()));
  await userEvent.type(field(), "src ups str-02-007");
  expect(await screen.findByText("1 result")).toBeVisible();
  expect(selected()).toHaveTextContent("BAT-DC-SRC-01-UPS-01-STR-02-007");
});

it("closes on Escape and goes nowhere", async () => {
  const page = await show();
  await userEvent.keyboard("{Escape}");
  expect(page.change).toHaveBeenCalledExactlyOnceWith(false);
  expect(addressOf(page)).toBe("/");
});

it("speaks Thai", async () => {
  await i18next.changeLanguage("th");
  await show();
  expect(screen.getByRole("combobox", { name: "ค้นหา" })).toBeVisible();
  expect(selected()).toHaveTextContent("ภาพรวม");
  await userEvent.type(field(), "zzz");
  expect(await screen.findByText("ไม่พบรายการ")).toBeVisible();
});

it("does not take a search that failed for one without results", async () => {
  await show();
  server.use(http.get("*/api/v1/batteries", () => problem(503, "database_unavailable", "The database is away.")));
  await userEvent.type(field(), "serial of nothing");
  expect(await screen.findByRole("alert")).toHaveTextContent("The search is incomplete.");
  expect(screen.queryByText("No results")).toBeNull();
  server.use(...createHandlers(new MockFleet()));
  await userEvent.click(screen.getByRole("button", { name: "Retry" }));
  expect(await screen.findByText("No results")).toBeVisible();
  expect(screen.queryByRole("alert")).toBeNull();
});
