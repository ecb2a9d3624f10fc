import { render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { createRef } from "react";
import { expect, it } from "vitest";

import { ScrollRegion } from "./scroll-region";

it("is a named region that the keyboard reaches", async () => {
  render(
    <ScrollRegion label="Discharges" className="overflow-x-auto">
      content
    </ScrollRegion>,
  );
  await userEvent.tab();
  expect(screen.getByRole("region", { name: "Discharges" })).toHaveFocus();
  expect(document.activeElement).toHaveClass("overflow-x-auto");
});

it("takes another role and gives its element away", () => {
  const ref = createRef<HTMLDivElement>();
  render(
    <ScrollRegion ref={ref} role="table" label="Table" aria-rowcount={3}>
      content
    </ScrollRegion>,
  );
  const table = screen.getByRole("table", { name: "Table" });
  expect(table).toHaveAttribute("aria-rowcount", "3");
  expect(ref.current).toBe(table);
});
