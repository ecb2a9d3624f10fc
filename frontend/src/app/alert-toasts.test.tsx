import { render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { act } from "react";
import { createMemoryRouter, RouterProvider } from "react-router-dom";
import { Toaster } from "sonner";
import { expect, it, vi } from "vitest";

import type { AlertEvent } from "@/api/types";
import { MockFleet } from "@/testing/fleet";

import { AlertToasts } from "./alert-toasts";

const listeners = vi.hoisted(() => new Set<(event: AlertEvent) => void>());
vi.mock("@/realtime/connection", async (original) => ({
  ...(await original<typeof import("@/realtime/connection")>()),
  onAlert: (listener: (event: AlertEvent) => void) => {
    listeners.add(listener);
    return () => listeners.delete(listener);
  },
}));

function announce(event: AlertEvent): void {
  act(() => {
    for (const listener of listeners) listener(event);
  });
}

it("announces new critical alerts of a location once, however many, and leads to them", async () => {
  const router = createMemoryRouter([{ path: "*", element: <AlertToasts /> }]);
  render(
    <>
      <RouterProvider router={router} />
      <Toaster />
    </>,
  );
  const fleet = new MockFleet();
  for (const position of ["001", "002", "003"]) {
    announce({ event: "raised", alert: fleet.strike(`BAT-DC-KKN-01-UPS-01-STR-01-${position}`) });
  }
  announce({ event: "raised", alert: { ...fleet.strike("BAT-DC-KKN-01-UPS-01-STR-01-004"), severity: "warning" } });
  announce({ event: "cleared", alert: fleet.strike("BAT-DC-KKN-01-UPS-01-STR-01-005") });
  expect(await screen.findByText("3 new critical alerts at DC-KKN-01", {}, { timeout: 3000 })).toBeInTheDocument();
  await userEvent.click(screen.getByRole("button", { name: "Show" }));
  expect(router.state.location.search).toBe("?severity=critical&location_id=DC-KKN-01");
});
