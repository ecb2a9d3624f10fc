import { render, screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { useState } from "react";
import { expect, it } from "vitest";

import { Dialog, DialogClose } from "./dialog";

function Page({ hidesTitle = false }: { hidesTitle?: boolean }) {
  const [open, setOpen] = useState(false);
  return (
    <>
      <button type="button" onClick={() => setOpen(true)}>
        open
      </button>
      <Dialog open={open} onOpenChange={setOpen} title="A title" hidesTitle={hidesTitle} className="top-4">
        <input aria-label="text" />
        <DialogClose>
          <button type="button">close</button>
        </DialogClose>
      </Dialog>
    </>
  );
}

async function opened() {
  await userEvent.click(screen.getByRole("button", { name: "open" }));
  return screen.findByRole("dialog");
}

it.each([true, false])("is named by its title, shown or not (hidden: %s)", async (hidesTitle) => {
  render(<Page hidesTitle={hidesTitle} />);
  expect(await opened()).toHaveAccessibleName("A title");
});

it("takes the focus and keeps it inside", async () => {
  render(<Page />);
  const dialog = await opened();
  for (let i = 0; i < 4; i += 1) {
    await userEvent.tab();
    expect(dialog).toContainElement(document.activeElement as HTMLElement);
  }
});

it("closes on Escape and by its button", async () => {
  render(<Page />);
  await opened();
  await userEvent.keyboard("{Escape}");
  await waitFor(() => expect(screen.queryByRole("dialog")).toBeNull());
  await opened();
  await userEvent.click(screen.getByRole("button", { name: "close" }));
  await waitFor(() => expect(screen.queryByRole("dialog")).toBeNull());
});
