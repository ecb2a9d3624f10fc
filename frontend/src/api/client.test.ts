import { http, HttpResponse } from "msw";
import { expect, it } from "vitest";

import { operator, problem, sessionOf } from "@/testing/handlers";
import { server } from "@/testing/server";

import { get, refreshSession, signIn, signOut } from "./client";
import { useSession } from "./session";

const refused = () => problem(401, "invalid_token", "The token has expired.");

/** A gateway that accepts only the token of the newest refresh; counts what it is asked. */
function gateway() {
  const counts = { refresh: 0, me: 0 };
  server.use(
    http.post("*/api/v1/auth/refresh", async () => {
      counts.refresh += 1;
      await new Promise((done) => setTimeout(done, 20));
      return HttpResponse.json(sessionOf("fresh"));
    }),
    http.get("*/api/v1/auth/me", ({ request }) => {
      counts.me += 1;
      return request.headers.get("authorization") === "Bearer fresh" ? HttpResponse.json(operator) : refused();
    }),
  );
  return counts;
}

it("refreshes once for many refused calls and repeats each of them", async () => {
  const counts = gateway();
  useSession.getState().signedIn("old", sessionOf().user);
  const answers = await Promise.all(Array.from({ length: 6 }, () => get("/api/v1/auth/me")));
  expect(answers).toEqual(Array.from({ length: 6 }, () => operator));
  expect(counts).toEqual({ refresh: 1, me: 12 });
});

it("repeats a call only once, so that a gateway that always refuses is not asked for ever", async () => {
  let asked = 0;
  server.use(
    http.post("*/api/v1/auth/refresh", () => HttpResponse.json(sessionOf("fresh"))),
    http.get("*/api/v1/auth/me", () => {
      asked += 1;
      return refused();
    }),
  );
  await expect(get("/api/v1/auth/me")).rejects.toThrow();
  expect(asked).toBe(2);
});

it("ends the session when the refresh is refused", async () => {
  useSession.getState().signedIn("old", sessionOf().user);
  server.use(http.post("*/api/v1/auth/refresh", refused), http.get("*/api/v1/auth/me", refused));
  await expect(get("/api/v1/auth/me")).rejects.toThrow();
  expect(useSession.getState()).toMatchObject({ phase: "signed-out", accessToken: null, user: null });
});

it("keeps the session when the network fails in the middle of a refresh", async () => {
  useSession.getState().signedIn("old", sessionOf().user);
  server.use(http.post("*/api/v1/auth/refresh", () => HttpResponse.error()));
  expect(await refreshSession()).toBeNull();
  expect(useSession.getState().phase).toBe("signed-in");
});

it("asks for a cookie session and keeps the access token out of the browser's storage", async () => {
  let body: unknown;
  server.use(
    http.post("*/api/v1/auth/login", async ({ request }) => {
      body = await request.json();
      return HttpResponse.json(sessionOf("secret-token"));
    }),
  );
  await signIn("somchai", "a pass phrase");
  expect(body).toEqual({ username: "somchai", password: "a pass phrase", session: "cookie" });
  expect(useSession.getState().accessToken).toBe("secret-token");
  expect(JSON.stringify([Object.entries(localStorage), Object.entries(sessionStorage), document.cookie])).not.toContain(
    "secret-token",
  );
});

it("forgets the session on signing out even when the gateway is away", async () => {
  useSession.getState().signedIn("old", sessionOf().user);
  server.use(http.post("*/api/v1/auth/logout", () => HttpResponse.error()));
  await expect(signOut()).rejects.toThrow();
  expect(useSession.getState().phase).toBe("signed-out");
});
