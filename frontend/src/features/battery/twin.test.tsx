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
  return renderPage({ path: "/batteries/:batteryId", element: <BatteryPage />, address: `/batteries/${ID}` });
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
  await waitFor(() => expect(valueOf("State of health (SOH)")).toHaveTextContent("84 %"));
  expect(valueOf("State of health (SOH)")).toHaveTextContent("77–91 % · from a discharge");
});

it("does not show a number for a health that is only assumed, but its range and that it was not measured", async () => {
  answerWith({ ...capacity, provenance: "prior_only" });
  await screen.findByTestId("live-values");
  await waitFor(() => expect(valueOf("State of health (SOH)")).toHaveTextContent("77–91 %"));
  expect(valueOf("State of health (SOH)")).toHaveTextContent("assumed from age and model, not measured");
  expect(valueOf("State of health (SOH)")).not.toHaveTextContent("84");
});

it("lists what the health stands on, newest first, each with its age", async () => {
  open();
  const rows = within(await screen.findByTestId("evidence")).getAllByRole("listitem");
  expect(rows[0]).toHaveTextContent(/Resistance\+18 % from baseline.*24 h ago/);
  expect(rows[1]).toHaveTextContent(/DischargeDoD 22 %capacity 84 % \(77–91 %\).*40 d ago/);
});

it("says when nothing but age and model is known", async () => {
  open();
  server.use(
    http.get("*/api/v1/batteries/:id/twin", () => HttpResponse.json({ ...twinRecordOf(ID, Date.now()), evidence: [] })),
  );
  expect(await screen.findByText("No evidence yet")).toBeVisible();
});

it("lists discharges with the capacity each indicates, or why there is none", async () => {
  open();
  const [, short, deep] = within(await screen.findByTestId("discharges")).getAllByRole("row");
  expect(short).toHaveTextContent("too shallow (DoD below 15 %)");
  expect(deep).toHaveTextContent("lowest in string");
  expect(deep).toHaveTextContent("capacity 84 % (77–91 %)");
});

it("shows the runtime with its range and the limiting battery, and simulates another load", async () => {
  open();
  const runtime = await screen.findByTestId("runtime");
  expect(runtime).toHaveTextContent("about 41 min");
  expect(runtime).toHaveTextContent("P10–P90: 33–49 min · at the load of the last discharge, 20.0 kW");
  expect(within(runtime).getByRole("link", { name: /STR-02-011$/ })).toHaveAttribute(
    "href",
    "/batteries/BAT-DC-SRC-01-UPS-01-STR-02-011",
  );
  expect(runtime).toHaveTextContent("1 of 24 batteries has no current estimate");
  await userEvent.type(screen.getByLabelText("Simulated load"), "41");
  await userEvent.click(screen.getByRole("button", { name: "Simulate" }));
  await waitFor(() => expect(screen.getByTestId("runtime")).toHaveTextContent("about 20 min"));
});

it("gives the reason when there is no runtime", async () => {
  open();
  const refused = { code: "twin_unavailable", detail: "The digital twin does not answer.", status: 503, title: "" };
  server.use(http.get("*/api/v1/strings/:id/runtime", () => HttpResponse.json(refused, { status: 503 })));
  expect(await screen.findByText("The digital twin does not answer.")).toBeVisible();
});
