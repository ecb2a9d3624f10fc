import { render } from "@testing-library/react";
import { expect, it, vi } from "vitest";

import { useScrollIntoView } from "./use-scroll-into-view";

function Row({ isActive }: { isActive: boolean }) {
  return <div ref={useScrollIntoView<HTMLDivElement>(isActive)} />;
}

it("scrolls when the element becomes active, and only then", () => {
  const scroll = vi.spyOn(Element.prototype, "scrollIntoView");
  const { rerender } = render(<Row isActive={false} />);
  expect(scroll).not.toHaveBeenCalled();
  rerender(<Row isActive />);
  rerender(<Row isActive />);
  expect(scroll).toHaveBeenCalledExactlyOnceWith({ block: "nearest" });
});
