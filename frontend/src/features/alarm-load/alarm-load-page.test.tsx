import { screen, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import i18next from "i18next";
import { http, HttpResponse } from "msw";
import { expect, it } from "vitest";

import type { IncidentFigures } from "@/api/types";
import { MockFleet } from "@/testing/fleet";
import { renderPage } from "@/testing/render";
import { server } from "@/testing/server";

import { AlarmLoadPage } from "./alarm-load-page";

const figures: IncidentFigures = {
  start: "2026-11-24T00:00:00Z",
  end: "2026-12-01T00:00:00Z",
  operators: 1,
  incident_count: 31,
  alert_count: 402,
  grouped_pct: 92.3,
  mean_per_10min: 1.4,
  peak_per_10min: 12,
  flood_pct: 0.3,
  load: "manageable",
  standing_count: 12,
  standing: [
    {
      incident_id: 318,
      family: "voltage",
      location_id: "DC-CNX-01",
      string_id: "DC-CNX-01-UPS-01-STR-01",
      severity: "critical",
      opened_at: "2026-11-20T00:41:00Z",
      acknowledged_at: null,
    },
  ],
  chattering_count: 1,
  chattering: [
    {
      alert_id: 9,
      subject: "BAT-DC-CNX-01-UPS-01-STR-01-003",
      type: "voltage_low",
      episode_count: 4,
      raised_at: "2026-11-20T00:41:00Z",
      incident_id: 318,
    },
  ],
  most_frequent: [
    { subject: "DC-CNX-01", type: "mains_outage", rule_id: "mains_outage.info", times: 8, share_pct: 40 },
    { subject: "DC-KKN-01", type: "hvac_failure", rule_id: null, times: 1, share_pct: 5 },
  ],
  handling: [
    {
      severity: "critical",
      incident_count: 3,
      acknowledged_count: 2,
      cleared_count: 0,
      acknowledge_p50_s: 420,
      acknowledge_p90_s: 3600,
      clear_p50_s: null,
      clear_p90_s: null,
    },
  ],
};

function show(answer: IncidentFigures = figures, address = "/alert-load") {
  renderPage({ path: "/alert-load", element: <AlarmLoadPage />, address }, new MockFleet());
  const asked: URLSearchParams[] = [];
  server.use(
    http.get("*/api/v1/incidents/figures", ({ request }) => {
      asked.push(new URL(request.url).searchParams);
      return HttpResponse.json(answer);
    }),
  );
  return asked;
}

it("says in words what the rate means, what grouping saves and how soon people answered", async () => {
  show();
  expect(await screen.findByTestId("rate")).toHaveTextContent("1.40 incidents on average: manageable (up to 2)");
  expect(screen.getByText("12.0 at most; floods (over 10) in 0.3 % of the time")).toBeVisible();
  expect(screen.getByTestId("grouping")).toHaveTextContent("402 alerts became 31 incidents: 92 % fewer");
  expect(screen.getByTestId("handling")).toHaveTextContent("half within 7 min, 90 % within 60 min (2)none");
});

it("lists what came most often, what stands and what chatters, each with its way there", async () => {
  show();
  expect(await screen.findByTestId("frequent")).toHaveTextContent("Mains outage · DC-CNX-018 times (40 %)");
  const standing = screen.getByTestId("standing");
  expect(within(standing).getByRole("link")).toHaveAttribute("href", "/incidents/318");
  expect(screen.getByText("12 in all")).toBeVisible();
  expect(screen.getByTestId("chattering")).toHaveTextContent("Low voltageBAT-DC-CNX-01-UPS-01-STR-01-0034 times");
});

it("says the same in Thai", async () => {
  await i18next.changeLanguage("th");
  show();
  expect(await screen.findByTestId("rate")).toHaveTextContent("เฉลี่ย 1.40 เหตุการณ์: จัดการได้ (ไม่เกิน 2)");
});

it("asks for the chosen span and number of operators", async () => {
  const asked = show(figures, "/alert-load?operators=3");
  await screen.findByTestId("rate");
  await userEvent.selectOptions(screen.getByLabelText("Span"), "30 days");
  await screen.findByTestId("rate");
  const spans = asked.map((query) => Date.parse(query.get("end") ?? "") - Date.parse(query.get("start") ?? ""));
  expect(spans.map((span) => span / 86_400_000)).toEqual([7, 30]);
  expect(asked.map((query) => query.get("operators"))).toEqual(["3", "3"]);
});

it("says that nothing was asked of anybody", async () => {
  show({
    ...figures,
    incident_count: 0,
    alert_count: 0,
    grouped_pct: null,
    standing_count: 0,
    standing: [],
    chattering: [],
    most_frequent: [],
    handling: [],
  });
  expect(await screen.findByTestId("grouping")).toHaveTextContent("0 incidents; no alert was raised");
  for (const text of ["Nothing stands.", "Nothing chatters.", "Nothing was raised."]) {
    expect(screen.getByText(text)).toBeVisible();
  }
});
