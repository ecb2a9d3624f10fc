import { QueryClient } from "@tanstack/react-query";
import { http, HttpResponse } from "msw";
import { afterEach, expect, it, vi } from "vitest";

import { useSession } from "@/api/session";
import { problem, sessionOf } from "@/testing/handlers";
import { server } from "@/testing/server";

import { startSession } from "./start-session";

let stop: () => void = () => undefined;
afterEach(() => stop());

const phase = () => useSession.getState().phase;

it("resumes the session of the cookie", async () => {
  server.use(http.post("*/api/v1/auth/refresh", () => HttpResponse.json(sessionOf("resumed"))));
  stop = startSession(new QueryClient());
  await vi.waitFor(() => expect(phase()).toBe("signed-in"));
  expect(useSession.getState().accessToken).toBe("resumed");
});

it.each([
  ["there is no session", () => problem(401, "refresh_refused", "No session.")],
  ["the server is away", () => HttpResponse.error()],
])("asks to sign in when %s", async (_, answer) => {
  server.use(http.post("*/api/v1/auth/refresh", answer));
  stop = startSession(new QueryClient());
  await vi.waitFor(() => expect(phase()).toBe("signed-out"));
});

it("forgets one user's data before the next user signs in", async () => {
  server.use(http.post("*/api/v1/auth/refresh", () => HttpResponse.json(sessionOf())));
  const cache = new QueryClient();
  stop = startSession(cache);
  await vi.waitFor(() => expect(phase()).toBe("signed-in"));
  cache.setQueryData(["fleet"], "secret");
  useSession.getState().signedOut();
  expect(cache.getQueryData(["fleet"])).toBeUndefined();
});
