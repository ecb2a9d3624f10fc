import { screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import i18next from "i18next";
import { http, HttpResponse } from "msw";
import { Toaster } from "sonner";
import { expect, it } from "vitest";

import { useSession } from "@/api/session";
import type { PredictionSummary } from "@/api/types";
import { MockFleet } from "@/testing/fleet";
import { operator, problem } from "@/testing/handlers";
import { predictionSummaryOf, runOf } from "@/testing/predictions";
import { showPage } from "@/testing/render";
import { server } from "@/testing/server";

import { RunStatus } from "./run-status";

const fleet = new MockFleet();

function show(change: Partial<PredictionSummary> = {}, role: "viewer" | "engineer" = "engineer") {
  const summary = { ...predictionSummaryOf(fleet, Date.now()), ...change };
  showPage({
    path: "/",
    element: (
      <>
        <Toaster />
        <div data-testid="status">{<RunStatus summary={summary} />}</div>
      </>
    ),
  });
  if (role === "viewer") useSession.getState().signedIn("x", { ...operator, role });
  return screen.getByTestId("status");
}

it.each([
  ["ready", "The predictions are complete."],
  ["no_model", "No model is in service: the predictions rest on the digital twin alone."],
  ["ml_away", "The prediction service did not respond: the newest predictions lack the model."],
  ["no_history", "Nothing could be predicted yet"],
] as const)("says in words what is the state: %s", (state, text) => {
  show({ state });
  expect(screen.getByTestId("run-state")).toHaveTextContent(text);
});

it("shows how far a run is, and starts no second one", () => {
  show({ state: "running", run: runOf(Date.now(), { state: "running", finished_at: null, done: 648, total: 1944 }) });
  expect(screen.getByTestId("run")).toHaveTextContent("648 of 1,944 batteries");
  expect(screen.getByRole("progressbar")).toHaveAttribute("value", "648");
  expect(screen.getByRole("button", { name: "Predict now" })).toBeDisabled();
});

it("does not invent a progress that it may not see", () => {
  show({ state: "running", run: runOf(Date.now(), { state: "running", finished_at: null, done: null, total: null }) });
  expect(screen.getByTestId("run")).toHaveTextContent("Progress is not known.");
  expect(screen.getByRole("progressbar")).not.toHaveAttribute("value");
});

it("says why the last run failed", () => {
  show({ run: runOf(Date.now(), { state: "failed", error: "services_away" }) });
  expect(screen.getByTestId("run")).toHaveTextContent(
    /Last run failed .*Neither the digital twin nor the prediction service responded/,
  );
});

it("says when and by which model was predicted, and that this is long ago", () => {
  const status = show({ predicted_at: "2026-01-01T18:00:00Z", model_version: null });
  expect(status).toHaveTextContent("Newest prediction: 2 Jan 2026, 01:00 · without a model");
  expect(status).toHaveTextContent("older than two days");
});

it("gives no number of batteries that are due while nothing is predicted", () => {
  const status = show({ predicted_at: null, predicted: 0, withheld: 216, due_within_90_days: 0, state: "no_history" });
  expect(status).toHaveTextContent("Nothing was predicted yet.");
  expect(status).toHaveTextContent("Due within 90 daysUnknown");
  expect(screen.getByRole("link", { name: "216 batteries without a prediction" })).toHaveAttribute(
    "href",
    "/?source=none",
  );
});

it("starts a run with a key, which a repeated request keeps", async () => {
  const keys: unknown[] = [];
  server.use(
    http.post("*/api/v1/predictions/run", async ({ request }) => {
      keys.push(((await request.json()) as { request_key: unknown }).request_key);
      return keys.length === 1
        ? problem(503, "database_unavailable", "The database is away.")
        : HttpResponse.json(runOf(Date.now(), { state: "running" }), { status: 202 });
    }),
  );
  show();
  await userEvent.click(screen.getByRole("button", { name: "Predict now" }));
  expect(await screen.findByText("The database is away.")).toBeInTheDocument();
  await userEvent.click(screen.getByRole("button", { name: "Predict now" }));
  expect(await screen.findByText("A run was started.")).toBeInTheDocument();
  expect(keys[0]).toMatch(/^[0-9a-f-]{36}$/);
  expect(keys[1]).toBe(keys[0]);
});

it("explains that a run is in progress already", async () => {
  server.use(http.post("*/api/v1/predictions/run", () => problem(409, "prediction_run_running", "A run is running.")));
  show();
  await userEvent.click(screen.getByRole("button", { name: "Predict now" }));
  expect(await screen.findByText("A run is already in progress; its progress is shown here.")).toBeInTheDocument();
});

it("offers no run to those who may only look", async () => {
  show({}, "viewer");
  await waitFor(() => expect(screen.queryByRole("button", { name: "Predict now" })).toBeNull());
});

it("speaks Thai", async () => {
  await i18next.changeLanguage("th");
  const status = show({ state: "no_model" });
  expect(status).toHaveTextContent("ผลทำนายมาจากแบบจำลองดิจิทัลเท่านั้น");
  expect(screen.getByRole("button", { name: "ทำนายตอนนี้" })).toBeVisible();
});
