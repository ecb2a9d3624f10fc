import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { render, screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { act } from "react";
import { createMemoryRouter, RouterProvider } from "react-router-dom";
import { Toaster, toast } from "sonner";
import { afterEach, expect, it, vi } from "vitest";

import { fleetQueries } from "@/api/queries";
import type { Incident, IncidentEvent } from "@/api/types";
import { MockFleet } from "@/testing/fleet";
import { incidentOf } from "@/testing/incidents";

import { AlertToasts } from "./alert-toasts";

const listeners = vi.hoisted(() => new Set<(event: IncidentEvent) => void>());
vi.mock("@/realtime/connection", async (original) => ({
  ...(await original<typeof import("@/realtime/connection")>()),
  onIncident: (listener: (event: IncidentEvent) => void) => {
    listeners.add(listener);
    return () => listeners.delete(listener);
  },
}));
afterEach(() => void toast.dismiss());

function announce(event: IncidentEvent["event"], incident: Incident): void {
  act(() => {
    for (const listener of listeners) listener({ event, incident });
  });
}

const fleet = new MockFleet();
let lastId = 0;
const critical = (locationId: string, change: Partial<Incident> = {}) =>
  incidentOf(fleet.strike(`BAT-${locationId}-UPS-01-STR-01-001`), ++lastId, change);
const soon = { timeout: 3000 };

function show() {
  const cache = new QueryClient();
  const items = fleet.locationIds().flatMap((id) => fleet.location(id, Date.now()) ?? []);
  cache.setQueryData(fleetQueries.locations().queryKey, { items, total: items.length, skip: 0, limit: 100 });
  const router = createMemoryRouter([{ path: "*", element: <AlertToasts /> }]);
  render(
    <QueryClientProvider client={cache}>
      <RouterProvider router={router} />
      <Toaster />
    </QueryClientProvider>,
  );
  return router;
}

it("names type and location of a new critical incident, and leads to it", async () => {
  const router = show();
  const incident = critical("DC-KKN-01");
  announce("opened", incident);
  const name = fleet.location("DC-KKN-01", Date.now())?.name ?? "";
  expect(
    await screen.findByText(`Critical: High temperature at ${name} · UPS-01-STR-01-001`, {}, soon),
  ).toBeInTheDocument();
  await userEvent.click(screen.getByRole("button", { name: "Show" }));
  expect(router.state.location.pathname).toBe(`/incidents/${incident.incident_id}`);
});

it("puts several into one toast with the counts of every location", async () => {
  const router = show();
  for (const location of ["DC-KKN-01", "DC-PKT-01", "DC-PKT-01"]) announce("opened", critical(location));
  announce("opened", critical("DC-SRC-01", { severity: "warning" }));
  announce("joined", critical("DC-SRC-01"));
  expect(await screen.findByText("3 new critical incidents", {}, soon)).toBeInTheDocument();
  const nameOf = (id: string) => fleet.location(id, Date.now())?.name ?? "";
  expect(screen.getByText(`${nameOf("DC-PKT-01")} 2 · ${nameOf("DC-KKN-01")} 1`)).toBeInTheDocument();
  await userEvent.click(screen.getByRole("button", { name: "Show" }));
  expect(router.state.location.search).toBe("?severity=critical");
});

it("takes the toast back once somebody else has acknowledged the incident", async () => {
  show();
  const incident = critical("DC-KKN-01");
  announce("opened", incident);
  await screen.findByText(/^Critical: /, {}, soon);
  announce("acknowledged", { ...incident, status: "acknowledged", revision: 2 });
  await waitFor(() => expect(screen.queryByText(/^Critical: /)).toBeNull(), soon);
});
