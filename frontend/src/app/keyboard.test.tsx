import { screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import i18next from "i18next";
import { act } from "react";
import { afterEach, beforeEach, expect, it, vi } from "vitest";

import { usePreferences } from "@/stores/preferences";
import { showPage } from "@/testing/render";

import { KeyboardHelp, useKeyboardShortcuts } from "./keyboard";

const allowShortcuts = () => usePreferences.setState({ shortcuts: true });
beforeEach(allowShortcuts);
afterEach(() => act(allowShortcuts));

function Page({ onSearch, onHelp }: { onSearch: () => void; onHelp: () => void }) {
  useKeyboardShortcuts({ onSearch, onHelp });
  return <input aria-label="Field" />;
}

function showShortcuts() {
  const on = { search: vi.fn(), help: vi.fn() };
  const page = showPage({ path: "/start", element: <Page onSearch={on.search} onHelp={on.help} /> });
  return { ...on, path: () => page.router.state.location.pathname };
}

function showHelp() {
  const change = vi.fn();
  showPage({ path: "/", element: <KeyboardHelp open onOpenChange={change} /> });
  return change;
}

it.each([
  ["gf", "/"],
  ["ga", "/incidents"],
  ["gl", "/remaining-life"],
  ["gx", "/start"],
  ["fg", "/start"],
])("goes by %s to %s", async (keys, path) => {
  const shown = showShortcuts();
  await userEvent.keyboard(keys);
  expect(shown.path()).toBe(path);
});

it.each(["/", "{Control>}k{/Control}", "{Meta>}k{/Meta}"])("searches by %s", async (keys) => {
  const { search, help } = showShortcuts();
  await userEvent.keyboard(keys);
  expect(search).toHaveBeenCalledTimes(1);
  expect(help).not.toHaveBeenCalled();
});

it("leaves plain keys to a field, but not Ctrl K", async () => {
  const { search, help, path } = showShortcuts();
  await userEvent.type(screen.getByLabelText("Field"), "/?ga");
  expect(screen.getByLabelText("Field")).toHaveValue("/?ga");
  expect([search.mock.calls.length, help.mock.calls.length, path()]).toEqual([0, 0, "/start"]);
  await userEvent.keyboard("{Control>}k{/Control}");
  expect(search).toHaveBeenCalledTimes(1);
});

it("obeys only Ctrl K while single keys are switched off", async () => {
  const { search, help, path } = showShortcuts();
  act(() => usePreferences.setState({ shortcuts: false }));
  await userEvent.keyboard("/?ga");
  expect([search.mock.calls.length, help.mock.calls.length, path()]).toEqual([0, 0, "/start"]);
  await userEvent.keyboard("{Control>}k{/Control}");
  expect(search).toHaveBeenCalledTimes(1);
});

it("lists each shortcut with its meaning", () => {
  showHelp();
  expect(screen.getByRole("dialog", { name: "Keyboard shortcuts" })).toBeVisible();
  const listed = screen.getAllByRole("term").map((key) => `${key.textContent}: ${key.nextElementSibling?.textContent}`);
  expect(listed).toEqual([
    "/: Search",
    "Ctrl K: Search",
    "g f: Go to fleet",
    "g a: Go to alerts",
    "g l: Go to remaining life",
    "j / k: Next / previous alert",
    "x: Select",
    "e: Acknowledge",
    "Esc: Close",
    "?: Show this list",
  ]);
});

it("remembers whether single keys are wanted", async () => {
  showHelp();
  const box = screen.getByRole("checkbox", { name: "Single-key shortcuts" });
  expect(box).toBeChecked();
  await userEvent.click(box);
  expect(box).not.toBeChecked();
  expect(localStorage.getItem("shortcuts")).toBe("off");
  await userEvent.click(box);
  expect(localStorage.getItem("shortcuts")).toBe("on");
});

it.each(["button", "key"])("closes by %s", async (way) => {
  const change = showHelp();
  if (way === "key") await userEvent.keyboard("{Escape}");
  else await userEvent.click(screen.getByRole("button", { name: "Close" }));
  expect(change).toHaveBeenCalledExactlyOnceWith(false);
});

it("speaks Thai", async () => {
  await i18next.changeLanguage("th");
  showHelp();
  expect(screen.getByRole("dialog", { name: "ปุ่มลัด" })).toHaveTextContent("g fไปหน้าภาพรวม");
  expect(screen.getByRole("checkbox", { name: "ใช้ปุ่มลัดแบบปุ่มเดียว" })).toBeChecked();
});
