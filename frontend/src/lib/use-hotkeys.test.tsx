import { fireEvent, render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { beforeEach, describe, expect, it, vi } from "vitest";

import { usePreferences } from "@/stores/preferences";

import { type Hotkeys, useHotkeys } from "./use-hotkeys";

function Page({ hotkeys }: { hotkeys: Hotkeys }) {
  useHotkeys(hotkeys);
  return (
    <>
      <input aria-label="text" />
      <input aria-label="box" type="checkbox" />
      <button type="button">press</button>
      <h2 tabIndex={-1}>heading</h2>
      <div role="dialog">
        <button type="button">inside</button>
      </div>
    </>
  );
}

beforeEach(() => usePreferences.setState({ shortcuts: true }));

describe("a plain key", () => {
  it("runs its action and nothing else", async () => {
    const [j, k] = [vi.fn(), vi.fn()];
    render(<Page hotkeys={{ j, k }} />);
    await userEvent.keyboard("j");
    expect(j).toHaveBeenCalledTimes(1);
    expect(k).not.toHaveBeenCalled();
  });

  it("is consumed, so that it is not typed into a field that the action focuses", () => {
    render(<Page hotkeys={{ e: () => undefined }} />);
    expect(fireEvent.keyDown(document.body, { key: "e" })).toBe(false);
    expect(fireEvent.keyDown(document.body, { key: "z" })).toBe(true);
  });

  it("does nothing while the user types", async () => {
    const j = vi.fn();
    render(<Page hotkeys={{ j }} />);
    await userEvent.type(screen.getByLabelText("text"), "jj");
    expect(j).not.toHaveBeenCalled();
    expect(screen.getByLabelText("text")).toHaveValue("jj");
  });

  it("works while a checkbox has the focus", async () => {
    const j = vi.fn();
    render(<Page hotkeys={{ j }} />);
    screen.getByLabelText("box").focus();
    await userEvent.keyboard("j");
    expect(j).toHaveBeenCalledTimes(1);
  });

  it("does nothing in a dialog", async () => {
    const [j, escape] = [vi.fn(), vi.fn()];
    render(<Page hotkeys={{ j, Escape: escape }} />);
    screen.getByRole("button", { name: "inside" }).focus();
    await userEvent.keyboard("j{Escape}");
    expect(j).not.toHaveBeenCalled();
    expect(escape).not.toHaveBeenCalled();
  });

  it("does nothing with Alt", () => {
    const j = vi.fn();
    render(<Page hotkeys={{ j }} />);
    fireEvent.keyDown(document.body, { key: "j", altKey: true });
    expect(j).not.toHaveBeenCalled();
  });

  it("is off with single-key shortcuts, except Escape", async () => {
    usePreferences.setState({ shortcuts: false });
    const [j, escape] = [vi.fn(), vi.fn()];
    render(<Page hotkeys={{ j, Escape: escape }} />);
    await userEvent.keyboard("j{Escape}");
    expect(j).not.toHaveBeenCalled();
    expect(escape).toHaveBeenCalledTimes(1);
  });
});

it("leaves Enter to the focused control", async () => {
  const enter = vi.fn();
  render(<Page hotkeys={{ Enter: enter }} />);
  screen.getByRole("button", { name: "press" }).focus();
  await userEvent.keyboard("{Enter}");
  expect(enter).not.toHaveBeenCalled();
  screen.getByRole("button", { name: "press" }).blur();
  await userEvent.keyboard("{Enter}");
  expect(enter).toHaveBeenCalledTimes(1);
});

it("takes Enter where the focus is on no control", async () => {
  const enter = vi.fn();
  render(<Page hotkeys={{ Enter: enter }} />);
  screen.getByRole("heading").focus();
  await userEvent.keyboard("{Enter}");
  expect(enter).toHaveBeenCalledTimes(1);
});

describe("mod+ keys", () => {
  it.each(["ctrlKey", "metaKey"] as const)("work with %s even while the user types", (modifier) => {
    const open = vi.fn();
    render(<Page hotkeys={{ "mod+k": open }} />);
    fireEvent.keyDown(screen.getByLabelText("text"), { key: "k", [modifier]: true });
    expect(open).toHaveBeenCalledTimes(1);
  });

  it("do not run the plain key's action", () => {
    const k = vi.fn();
    render(<Page hotkeys={{ k }} />);
    expect(fireEvent.keyDown(document.body, { key: "k", ctrlKey: true })).toBe(true);
    expect(k).not.toHaveBeenCalled();
  });
});

describe("two keys in a row", () => {
  it("run one action, and the second key alone runs none", async () => {
    const go = vi.fn();
    render(<Page hotkeys={{ "g a": go }} />);
    await userEvent.keyboard("a");
    expect(go).not.toHaveBeenCalled();
    await userEvent.keyboard("ga");
    expect(go).toHaveBeenCalledTimes(1);
  });

  it("are broken by another key", async () => {
    const go = vi.fn();
    render(<Page hotkeys={{ "g a": go }} />);
    await userEvent.keyboard("gxa");
    expect(go).not.toHaveBeenCalled();
  });
});

it("uses the newest action and stops with its component", async () => {
  const [first, second] = [vi.fn(), vi.fn()];
  const { rerender, unmount } = render(<Page hotkeys={{ j: first }} />);
  rerender(<Page hotkeys={{ j: second }} />);
  await userEvent.keyboard("j");
  expect(first).not.toHaveBeenCalled();
  expect(second).toHaveBeenCalledTimes(1);
  unmount();
  await userEvent.keyboard("j");
  expect(second).toHaveBeenCalledTimes(1);
});
