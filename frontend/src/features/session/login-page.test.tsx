import { render, screen, waitFor } from "@testing-library/react";
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

it("sends nothing without a password", async () => {
  const requests: string[] = [];
  server.use(
    http.post("*/api/v1/auth/login", ({ request }) => {
      requests.push(request.url);
      return HttpResponse.error();
    }),
  );
  await userEvent.type(screen.getByLabelText("Username"), "somchai");
  await userEvent.click(screen.getByRole("button", { name: "Sign in" }));
  expect(screen.getByLabelText("Password")).toBeInvalid();
  expect(requests).toEqual([]);
});

it("signs in by Enter and takes a wrong password's message away", async () => {
  await signInWith("wrong");
  expect(await screen.findByRole("alert")).toBeVisible();
  await userEvent.clear(screen.getByLabelText("Password"));
  await userEvent.type(screen.getByLabelText("Password"), "right{Enter}");
  await waitFor(() => expect(useSession.getState().phase).toBe("signed-in"));
  expect(screen.queryByRole("alert")).toBeNull();
});

it("cannot be sent twice while the server takes its time", async () => {
  let answer: () => void = () => undefined;
  const answered = new Promise<void>((done) => (answer = done));
  server.use(
    http.post("*/api/v1/auth/login", async () => {
      await answered;
      return problem(401, "invalid_credentials", "User name or password is wrong.");
    }),
  );
  await signInWith("slow");
  expect(screen.getByRole("button", { name: "Sign in" })).toBeDisabled();
  answer();
  expect(await screen.findByRole("alert")).toBeVisible();
  expect(screen.getByRole("button", { name: "Sign in" })).toBeEnabled();
});

it.each([
  ["a minute without a stated time", {}, "Try again in 60 seconds."],
  ["one second", { "Retry-After": "1" }, "Try again in 1 second."],
  ["a minute for a time that is no number", { "Retry-After": "soon" }, "Try again in 60 seconds."],
])("lets one wait %s after too many attempts", async (_, headers, text) => {
  server.use(http.post("*/api/v1/auth/login", () => problem(429, "rate_limited", "Slow down.", headers)));
  await signInWith("right");
  expect(await screen.findByRole("alert")).toHaveTextContent(text);
});

it.each([500, 502, 503])("does not blame the password when the server answers %d", async (status) => {
  server.use(http.post("*/api/v1/auth/login", () => problem(status, "internal", "Something broke.")));
  await signInWith("right");
  expect(await screen.findByRole("alert")).toHaveTextContent("The server is not responding.");
});

it("passes on what else the server refuses", async () => {
  server.use(http.post("*/api/v1/auth/login", () => problem(403, "user_disabled", "This user is disabled.")));
  await signInWith("right");
  expect(await screen.findByRole("alert")).toHaveTextContent("This user is disabled.");
});

it("reports errors in Thai", async () => {
  await userEvent.click(screen.getByRole("button", { name: "ภาษาไทย" }));
  await userEvent.type(screen.getByLabelText("ชื่อผู้ใช้"), "somchai");
  await userEvent.type(screen.getByLabelText("รหัสผ่าน"), "wrong{Enter}");
  expect(await screen.findByRole("alert")).toHaveTextContent("ชื่อผู้ใช้หรือรหัสผ่านไม่ถูกต้อง");
});
