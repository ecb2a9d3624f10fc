import { screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { http, HttpResponse } from "msw";
import { expect, it } from "vitest";

import { batteryDetail } from "@/testing/answers";
import { renderPage } from "@/testing/render";
import { server } from "@/testing/server";
import { capacity, twinRecordOf } from "@/testing/twin";

import { BatteryPage } from "./battery-page";

const ID = "BAT-DC-SRC-01-UPS-01-STR-02-007";

function open() {
  return renderPage({ path: "/batteries/:batteryId", element: <BatteryPage />, at: `/batteries/${ID}` });
}

const valueOf = (name: string) => screen.getAllByText(name)[0]?.parentElement as HTMLElement;

function answerWith(soh: typeof capacity) {
  const { fleet } = open();
  const detail = batteryDetail(fleet, fleet.need(ID), Date.now());
  server.use(
    http.get("*/api/v1/batteries/:id", () =>
      HttpResponse.json({ ...detail, live: detail.live === null ? null : { ...detail.live, soh } }),
    ),
  );
}

it("shows a health with evidence as value, interval and where it comes from", async () => {
  answerWith(capacity);
  await screen.findByTestId("live-values");
  await waitFor(() => expect(valueOf("State of health")).toHaveTextContent("84 %"));
  expect(valueOf("State of health")).toHaveTextContent("77–91 % · from a discharge");
});

it("does not show a number for a health that is only assumed, but its range and that it was not measured", async () => {
  answerWith({ ...capacity, provenance: "prior_only" });
  await screen.findByTestId("live-values");
  await waitFor(() => expect(valueOf("State of health")).toHaveTextContent("77–91 %"));
  expect(valueOf("State of health")).toHaveTextContent("assumed from age and model, not measured");
  expect(valueOf("State of health")).not.toHaveTextContent("84");
});

it("lists what the health stands on, newest first, each with its age", async () => {
  open();
  const rows = within(await screen.findByTestId("evidence")).getAllByRole("listitem");
  expect(rows[0]).toHaveTextContent(/Resistance\+18 % against its own baseline.*24 h old/);
  expect(rows[1]).toHaveTextContent(/Outage22 % deepcapacity 84 % \(77–91 %\).*40 d old/);
});

it("says when nothing but age and model is known", async () => {
  open();
  server.use(
    http.get("*/api/v1/batteries/:id/twin", () => HttpResponse.json({ ...twinRecordOf(ID, Date.now()), evidence: [] })),
  );
  expect(await screen.findByText("Nothing yet but its age and model")).toBeVisible();
});

it("lists discharges with what each told, or why it told nothing", async () => {
  open();
  const [, short, deep] = within(await screen.findByTestId("discharges")).getAllByRole("row");
  expect(short).toHaveTextContent("too shallow (under 15 %)");
  expect(deep).toHaveTextContent("lowest of the string");
  expect(deep).toHaveTextContent("capacity 84 % (77–91 %)");
});

it("tells the runtime with its range and the block that ends it, and simulates another load", async () => {
  open();
  const runtime = await screen.findByTestId("runtime");
  expect(runtime).toHaveTextContent("about 41 min");
  expect(runtime).toHaveTextContent("P10–P90: 33–49 min · at the load of the last discharge, 20.0 kW");
  expect(within(runtime).getByRole("link")).toHaveAttribute("href", "/batteries/BAT-DC-SRC-01-UPS-01-STR-02-011");
  expect(runtime).toHaveTextContent("1 of 24 blocks without a present estimate");
  await userEvent.type(screen.getByLabelText("Under a load of"), "41");
  await userEvent.click(screen.getByRole("button", { name: "Simulate" }));
  await waitFor(() => expect(screen.getByTestId("runtime")).toHaveTextContent("about 20 min"));
});

it("names the reason when no runtime can be told", async () => {
  open();
  const refused = { code: "twin_unavailable", detail: "The digital twin does not answer.", status: 503, title: "" };
  server.use(http.get("*/api/v1/strings/:id/runtime", () => HttpResponse.json(refused, { status: 503 })));
  expect(await screen.findByText("The digital twin does not answer.")).toBeVisible();
});
