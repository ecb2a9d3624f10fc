import { act, render, screen } from "@testing-library/react";
import { afterEach, expect, it, vi } from "vitest";

import { useMediaQuery } from "./media-query";

const original = window.matchMedia.bind(window);
afterEach(() => {
  window.matchMedia = original;
});

function Probe() {
  return <p>{useMediaQuery("(max-width: 767px)") ? "narrow" : "wide"}</p>;
}

it("follows the width of the window and stops listening with its component", () => {
  const list = Object.assign(new EventTarget(), {
    matches: false,
    media: "",
    onchange: null,
    addListener: () => undefined,
    removeListener: () => undefined,
  });
  const remove = vi.spyOn(list, "removeEventListener");
  window.matchMedia = () => list;
  const { unmount } = render(<Probe />);
  expect(screen.getByText("wide")).toBeInTheDocument();
  act(() => {
    list.matches = true;
    list.dispatchEvent(new Event("change"));
  });
  expect(screen.getByText("narrow")).toBeInTheDocument();
  unmount();
  expect(remove).toHaveBeenCalledTimes(1);
});
