import { render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { useState } from "react";
import { expect, it, vi } from "vitest";

import { MockFleet } from "@/testing/fleet";

import { NoteDialog } from "./note-dialog";

const alerts = new MockFleet().alerts.slice(-2);

function show(change: Partial<Parameters<typeof NoteDialog>[0]> = {}) {
  const on = { confirm: vi.fn(), openChange: vi.fn() };
  render(
    <NoteDialog
      title="Acknowledge 2 alerts"
      confirm="Acknowledge"
      alerts={alerts}
      open
      busy={false}
      onOpenChange={on.openChange}
      onConfirm={on.confirm}
      {...change}
    />,
  );
  return on;
}

it("confirms with the note, without space around it", async () => {
  const { confirm } = show();
  expect(screen.getByRole("dialog", { name: "Acknowledge 2 alerts" })).toBeVisible();
  await userEvent.type(screen.getByLabelText("Note"), "  on my way \n");
  await userEvent.click(screen.getByRole("button", { name: "Acknowledge" }));
  expect(confirm).toHaveBeenCalledExactlyOnceWith("on my way");
});

it("needs no note", async () => {
  const { confirm } = show();
  await userEvent.click(screen.getByRole("button", { name: "Acknowledge" }));
  expect(confirm).toHaveBeenCalledExactlyOnceWith("");
});

it.each(["button", "key"])("does not confirm when cancelled by %s", async (way) => {
  const { confirm, openChange } = show();
  await userEvent.type(screen.getByLabelText("Note"), "no");
  if (way === "key") await userEvent.keyboard("{Escape}");
  else await userEvent.click(screen.getByRole("button", { name: "Cancel" }));
  expect(openChange).toHaveBeenCalledExactlyOnceWith(false);
  expect(confirm).not.toHaveBeenCalled();
});

it("cannot be confirmed twice while it is being sent", async () => {
  const { confirm } = show({ busy: true });
  expect(screen.getByRole("button", { name: "Acknowledge" })).toBeDisabled();
  await userEvent.click(screen.getByRole("button", { name: "Acknowledge" }));
  expect(confirm).not.toHaveBeenCalled();
});

it("accepts no more text than the gateway", () => {
  show();
  expect(screen.getByLabelText("Note")).toHaveAttribute("maxlength", "2000");
});

it("shows nothing while it is closed", () => {
  show({ open: false });
  expect(screen.queryByRole("dialog")).toBeNull();
});

it.each(["button", "key"])("does not carry a note cancelled by %s over to the next alert", async (way) => {
  function Page() {
    const [open, setOpen] = useState(false);
    return (
      <>
        <button type="button" onClick={() => setOpen(true)}>
          Next
        </button>
        <NoteDialog
          title="Acknowledge"
          confirm="Acknowledge"
          alerts={alerts}
          open={open}
          busy={false}
          onOpenChange={setOpen}
          onConfirm={() => undefined}
        />
      </>
    );
  }
  render(<Page />);
  await userEvent.click(screen.getByRole("button", { name: "Next" }));
  await userEvent.type(screen.getByLabelText("Note"), "fan replaced");
  if (way === "key") await userEvent.keyboard("{Escape}");
  else await userEvent.click(screen.getByRole("button", { name: "Cancel" }));
  expect(screen.queryByRole("dialog")).toBeNull();
  await userEvent.click(screen.getByRole("button", { name: "Next" }));
  expect(screen.getByLabelText("Note")).toHaveValue("");
});

it("names the alerts that the note belongs to", () => {
  show();
  const names = screen.getAllByRole("listitem").map((item) => item.textContent);
  expect(names).toEqual([
    "Resistance drift: battery UPS-01-STR-02-008 (DC-SRC-01)",
    "High temperature: battery UPS-01-STR-02-007 (DC-SRC-01)",
  ]);
});

it("keeps the note until the dialog closes, whatever happens to the first attempt", async () => {
  const { confirm } = show();
  await userEvent.type(screen.getByLabelText("Note"), "fan replaced");
  await userEvent.click(screen.getByRole("button", { name: "Acknowledge" }));
  expect(confirm).toHaveBeenCalledExactlyOnceWith("fan replaced");
  expect(screen.getByLabelText("Note")).toHaveValue("fan replaced");
});

it("does not carry the note of one alert over to another that takes its dialog", async () => {
  const one = { title: "Acknowledge", confirm: "Acknowledge", open: true, busy: false };
  const on = { onOpenChange: vi.fn(), onConfirm: vi.fn() };
  const { rerender } = render(<NoteDialog {...one} {...on} alerts={alerts.slice(0, 1)} />);
  await userEvent.type(screen.getByLabelText("Note"), "fan replaced");
  rerender(<NoteDialog {...one} {...on} alerts={alerts.slice(1)} />);
  expect(screen.getByLabelText("Note")).toHaveValue("");
});

it("does not look cancelled while the note is being sent", async () => {
  const { openChange } = show({ busy: true });
  await userEvent.keyboard("{Escape}");
  expect(openChange).not.toHaveBeenCalled();
  expect(screen.getByRole("button", { name: "Cancel" })).toBeDisabled();
});
