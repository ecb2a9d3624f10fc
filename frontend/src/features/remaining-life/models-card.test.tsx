import { screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import i18next from "i18next";
import { http, HttpResponse } from "msw";
import { Toaster } from "sonner";
import { expect, it } from "vitest";

import type { TrainJob } from "@/api/types";
import { problem } from "@/testing/handlers";
import { MODEL_VERSION, models } from "@/testing/predictions";
import { showPage } from "@/testing/render";
import { server } from "@/testing/server";

import { ModelsCard } from "./models-card";

const CANDIDATE = "20261127T031500-77aa01cd";

function show(address = "/") {
  server.use(http.get("*/api/v1/models", () => HttpResponse.json({ models })));
  return showPage({
    path: "/",
    element: (
      <>
        <Toaster />
        <ModelsCard />
      </>
    ),
    address,
  });
}

const rowOf = async (version: string) => (await screen.findByText(version)).closest("tr") as HTMLElement;

const job: TrainJob = {
  job_id: "job-1",
  state: "running",
  progress: 0.35,
  step: "features, part 7 of 20",
  started_at: "2026-11-30T00:00:00Z",
  finished_at: null,
  version: null,
  error: null,
};

it("lists the versions with their evaluation, and which one is in service", async () => {
  show();
  const inService = await rowOf(MODEL_VERSION);
  expect(inService).toHaveTextContent("in service20 Nov 2026, 10:15mean error 184 d · share inside P10–P90 81 %");
  expect(within(inService).queryByRole("button")).toBeNull();
  expect(await rowOf(CANDIDATE)).toHaveTextContent("candidate");
});

it("offers no version that cannot be used, and says why", async () => {
  show();
  const row = await rowOf("20261101T000000-broken00");
  expect(row).toHaveTextContent("Cannot be used: model.json is missing");
  expect(within(row).queryByRole("button")).toBeNull();
});

it("puts a version into service only after a confirmation", async () => {
  const promoted: unknown[] = [];
  server.use(
    http.post("*/api/v1/models/:version/promote", ({ params }) => {
      promoted.push(params.version);
      return HttpResponse.json({ ...models[0], aliases: ["champion"] });
    }),
  );
  show();
  const open = async () => userEvent.click(within(await rowOf(CANDIDATE)).getByRole("button"));
  await open();
  await userEvent.click(within(screen.getByRole("dialog")).getByRole("button", { name: "Cancel" }));
  expect(promoted).toEqual([]);
  await open();
  expect(screen.getByRole("dialog")).toHaveTextContent("From the next run on, all predictions come from this version.");
  await userEvent.click(within(screen.getByRole("dialog")).getByRole("button", { name: "Put into service" }));
  await waitFor(() => expect(promoted).toEqual([CANDIDATE]));
  expect(await screen.findByText(`${CANDIDATE} is in service.`)).toBeInTheDocument();
});

it("says why a version was not put into service, in Thai by its code", async () => {
  await i18next.changeLanguage("th");
  server.use(http.post("*/api/v1/models/:version/promote", () => problem(409, "model_conflict", "It is incomplete.")));
  show();
  await userEvent.click(within(await rowOf(CANDIDATE)).getByRole("button"));
  await userEvent.click(within(screen.getByRole("dialog")).getByRole("button", { name: "นำไปใช้งาน" }));
  expect(await screen.findByText("เวอร์ชันนี้ไม่สมบูรณ์ หรือมีงานฝึกกำลังทำอยู่")).toBeInTheDocument();
});

it("says that the prediction service is away", async () => {
  show();
  server.use(http.get("*/api/v1/models", () => problem(503, "ml_unavailable", "The service does not answer.")));
  expect(await screen.findByRole("alert")).toHaveTextContent("The service does not answer.");
});

it("starts a training, keeps its job in the address and shows its progress", async () => {
  let request: unknown;
  server.use(
    http.post("*/api/v1/models/train", async ({ request: sent }) => {
      request = await sent.json();
      return HttpResponse.json(job, { status: 202 });
    }),
    http.get("*/api/v1/models/train/job-1", () => HttpResponse.json(job)),
  );
  const { router } = show();
  const start = screen.getByRole("button", { name: "Start training" });
  expect(start).toBeDisabled();
  await userEvent.type(screen.getByLabelText("Folder of the training data on the server"), "/app/data/lives");
  await userEvent.click(start);
  expect(await screen.findByText("Training: features, part 7 of 20")).toBeVisible();
  expect(request).toEqual({ dataset: "/app/data/lives", seed: 1 });
  expect(router.state.location.search).toBe("?training=job-1");
  expect(screen.getByRole("progressbar")).toHaveAttribute("value", "0.35");
});

it.each(["", "-1", "1.5", "2147483648", "x"])("takes no seed such as %j", async (seed) => {
  show();
  await userEvent.type(screen.getByLabelText("Folder of the training data on the server"), "/data");
  await userEvent.clear(screen.getByLabelText("Seed"));
  if (seed !== "") await userEvent.type(screen.getByLabelText("Seed"), seed);
  expect(screen.getByRole("button", { name: "Start training" })).toBeDisabled();
});

it("says after a reload how a training ended", async () => {
  server.use(
    http.get("*/api/v1/models/train/job-1", () =>
      HttpResponse.json({ ...job, state: "failed", error: "no battery of the set failed" }),
    ),
  );
  show("/?training=job-1");
  expect(await screen.findByText("Training failed: no battery of the set failed")).toBeVisible();
  expect(screen.queryByRole("progressbar")).toBeNull();
});
