import { render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { createRef } from "react";
import { expect, it, vi } from "vitest";

import { Button } from "./button";
import { Card } from "./card";

it("does not submit a form unless it says so", async () => {
  const submit = vi.fn((event: SubmitEvent) => event.preventDefault());
  const { container } = render(
    <form>
      <Button>plain</Button>
      <Button type="submit">send</Button>
    </form>,
  );
  container.querySelector("form")?.addEventListener("submit", submit);
  await userEvent.click(screen.getByRole("button", { name: "plain" }));
  expect(submit).not.toHaveBeenCalled();
  await userEvent.click(screen.getByRole("button", { name: "send" }));
  expect(submit).toHaveBeenCalledTimes(1);
});

it("gives its element away and does nothing while disabled", async () => {
  const ref = createRef<HTMLButtonElement>();
  const click = vi.fn();
  render(
    <Button ref={ref} disabled onClick={click}>
      send
    </Button>,
  );
  await userEvent.click(screen.getByRole("button", { name: "send" }));
  expect(click).not.toHaveBeenCalled();
  expect(ref.current).toBe(screen.getByRole("button"));
});

it("has a heading only with a title", () => {
  const { rerender } = render(<Card>content</Card>);
  expect(screen.queryByRole("heading")).toBeNull();
  rerender(
    <Card title="Rules" actions={<a href="/rules">all</a>}>
      content
    </Card>,
  );
  expect(screen.getByRole("heading", { level: 2, name: "Rules" })).toBeVisible();
  expect(screen.getByRole("link", { name: "all" })).toBeVisible();
});
