import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { render } from "@testing-library/react";
import type { ReactElement } from "react";
import { createMemoryRouter, RouterProvider } from "react-router-dom";

import { useSession } from "@/api/session";
import { liveStore } from "@/realtime/connection";

import { latestOf } from "./answers";
import { MockFleet } from "./fleet";
import { createHandlers, sessionOf } from "./handlers";
import { server } from "./server";

interface Page {
  /** Pattern of the route, as in the router. */
  path: string;
  element: ReactElement;
  /** Address to open. */
  address?: string;
}

/** Show a page as a signed-in engineer sees it, over a fleet of its own unless given. */
export function renderPage({ path, element, address = path }: Page, fleet = new MockFleet()) {
  server.use(...createHandlers(fleet));
  return { fleet, ...showPage({ path, element, address }, fleet) };
}

/** The same without any handler: the test says what the gateway does. */
export function showPage({ path, element, address = path }: Page, fleet?: MockFleet) {
  const { access_token: token, user } = sessionOf();
  useSession.getState().signedIn(token, user);
  if (fleet) liveStore.applySnapshot(latestOf(fleet, Date.now()));
  const cache = new QueryClient({ defaultOptions: { queries: { retry: false } } });
  const router = createMemoryRouter(
    [
      { path, element },
      { path: "*", element: <p>elsewhere</p> },
    ],
    { initialEntries: [address] },
  );
  render(
    <QueryClientProvider client={cache}>
      <RouterProvider router={router} future={{ v7_startTransition: true }} />
    </QueryClientProvider>,
  );
  return { cache, router };
}
