import { render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { useState } from "react";
import { expect, it, vi } from "vitest";

import { NoteDialog } from "./note-dialog";

function show(change: Partial<Parameters<typeof NoteDialog>[0]> = {}) {
  const on = { confirm: vi.fn(), openChange: vi.fn() };
  render(
    <NoteDialog
      title="Acknowledge 2 alerts"
      confirm="Acknowledge"
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
