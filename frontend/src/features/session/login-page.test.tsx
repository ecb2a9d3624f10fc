import { render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { http, HttpResponse } from "msw";
import { beforeEach, expect, it } from "vitest";

import { useSession } from "@/api/session";
import { MockFleet } from "@/testing/fleet";
import { createHandlers, problem } from "@/testing/handlers";
import { server } from "@/testing/server";

import { LoginPage } from "./login-page";

beforeEach(() => {
  server.use(...createHandlers(new MockFleet(0)));
  render(<LoginPage />);
});

async function signInWith(password: string): Promise<void> {
  await userEvent.type(screen.getByLabelText("Username"), "somchai");
  await userEvent.type(screen.getByLabelText("Password"), password);
  await userEvent.click(screen.getByRole("button", { name: "Sign in" }));
}

it("signs in", async () => {
  await signInWith("right");
  expect(useSession.getState()).toMatchObject({ phase: "signed-in", user: { username: "somchai" } });
});

it("says that the password is wrong and lets one try again", async () => {
  await signInWith("wrong");
  expect(await screen.findByRole("alert")).toHaveTextContent("Incorrect username or password.");
  expect(screen.getByRole("button", { name: "Sign in" })).toBeEnabled();
});

it("says how long to wait after too many attempts", async () => {
  server.use(
    http.post("*/api/v1/auth/login", () => problem(429, "rate_limited", "Slow down.", { "Retry-After": "42" })),
  );
  await signInWith("right");
  expect(await screen.findByRole("alert")).toHaveTextContent("42 seconds");
});

it("distinguishes a server that is away from a wrong password", async () => {
  server.use(http.post("*/api/v1/auth/login", () => HttpResponse.error()));
  await signInWith("right");
  expect(await screen.findByRole("alert")).toHaveTextContent("The server is not responding.");
});

it("speaks Thai on request", async () => {
  await userEvent.click(screen.getByRole("button", { name: "ภาษาไทย" }));
  expect(screen.getByRole("button", { name: "เข้าสู่ระบบ" })).toBeVisible();
  expect(document.documentElement.lang).toBe("th");
});
