import { act, render, screen } from "@testing-library/react";
import i18next from "i18next";
import { afterEach, beforeEach, expect, it, vi } from "vitest";

import { Age } from "./age";

const NOW = Date.parse("2026-11-23T18:00:00Z");

beforeEach(() => void vi.useFakeTimers({ now: NOW }));
afterEach(() => void vi.useRealTimers());

it("counts on by itself", () => {
  render(<Age at={NOW - 5000} />);
  expect(screen.getByText("5 s ago")).toBeVisible();
  act(() => void vi.advanceTimersByTime(3000));
  expect(screen.getByText("8 s ago")).toBeVisible();
});

it("takes an instant as text and gives it in full, in Bangkok's time", () => {
  render(<Age at="2026-11-23T17:58:00Z" />);
  const time = screen.getByText("2 min ago");
  expect(time).toHaveAttribute("datetime", "2026-11-23T17:58:00.000Z");
  expect(time).toHaveAttribute("title", "24 Nov 2026, 00:58");
});

it("marks what is past its limit", () => {
  render(<Age at={NOW - 299_000} staleAfterS={300} />);
  const time = screen.getByText(/ago/);
  expect(time).not.toHaveClass("text-warning-text");
  act(() => void vi.advanceTimersByTime(2000));
  expect(time).toHaveClass("text-warning-text");
});

it.each([null, undefined])("says that nothing was received (%s)", (at) => {
  render(<Age at={at} />);
  expect(screen.getByText("No data received")).toBeVisible();
});

it("is written without a space in Thai", async () => {
  await i18next.changeLanguage("th");
  render(<Age at={NOW - 1000} />);
  expect(screen.getByText("1 วินาทีที่แล้ว")).toBeVisible();
});
