/** The gateway's REST answers from a mock fleet; used by the tests and by `npm run dev:mock`. */
import { http, HttpResponse } from "msw";

import type { components } from "../api/schema.gen.ts";
import { batteryDetail, latestOf, operatorName, overviewOf, seriesOf, summaryOf } from "./answers.ts";
import type { MockFleet } from "./fleet.ts";
import { incidentHandlers } from "./incidents.ts";
import { batteryRulOf, models, predictionSummaryOf, runOf, selectPredictions } from "./predictions.ts";
import { alertRules } from "./rules.ts";
import { silenceHandlers } from "./silences.ts";
import { dischargesOf, runtimeOf, twinRecordOf } from "./twin.ts";

type Schemas = components["schemas"];
type Alert = Schemas["AlertOut"];

const API = "*/api/v1";

export const operator: Schemas["UserOut"] = {
  user_id: 1,
  username: operatorName,
  display_name: "Somchai",
  role: "engineer",
  is_active: true,
  location_ids: null,
  created_at: "2026-01-01T00:00:00Z",
  last_login_at: null,
};

export function sessionOf(accessToken = "access-1"): Schemas["SessionOut"] {
  return { access_token: accessToken, token_type: "bearer", expires_in: 1800, refresh_token: null, user: operator };
}

export function problem(status: number, code: string, detail: string, headers: Record<string, string> = {}) {
  const requestId = "req-7f3a";
  return HttpResponse.json(
    { type: "about:blank", title: code, status, detail, code, instance: "", request_id: requestId },
    { status, headers: { "Content-Type": "application/problem+json", "X-Request-Id": requestId, ...headers } },
  );
}

function pageOf<T>(all: readonly T[], url: URL) {
  const skip = Number(url.searchParams.get("skip") ?? 0);
  const limit = Number(url.searchParams.get("limit") ?? 100);
  return { items: all.slice(skip, skip + limit), total: all.length, skip, limit };
}

function asksForRetired(url: URL): boolean {
  return url.searchParams.get("include_retired") === "true";
}

function selectAlerts(alerts: readonly Alert[], params: URLSearchParams): Alert[] {
  const is = (name: string, value: boolean) => params.get(name) === null || params.get(name) === String(value);
  const same = (name: "location_id" | "battery_id" | "severity" | "type", alert: Alert) =>
    params.get(name) === null || params.get(name) === alert[name];
  return alerts.filter(
    (alert) =>
      is("active", alert.is_active) &&
      is("acknowledged", alert.acknowledged_at !== null) &&
      is("resolved", alert.resolved_at !== null) &&
      same("location_id", alert) &&
      same("battery_id", alert) &&
      same("severity", alert) &&
      same("type", alert),
  );
}

function sessionHandlers() {
  return [
    http.post(`${API}/auth/refresh`, () => HttpResponse.json(sessionOf())),
    http.post(`${API}/auth/logout`, () => new HttpResponse(null, { status: 204 })),
    http.post(`${API}/auth/login`, async ({ request }) => {
      const { password } = (await request.json()) as { password: string };
      return password === "wrong"
        ? problem(401, "invalid_credentials", "User name or password is wrong.")
        : HttpResponse.json(sessionOf());
    }),
  ];
}

function fleetHandlers(fleet: MockFleet) {
  return [
    http.get(`${API}/fleet/overview`, () => HttpResponse.json(overviewOf(fleet, Date.now()))),
    http.get(`${API}/locations`, ({ request }) => {
      const url = new URL(request.url);
      const all = fleet.locationIds().map((id) => fleet.location(id, Date.now()));
      return HttpResponse.json(
        pageOf(
          all.filter((location) => asksForRetired(url) || location?.retired_at === null),
          url,
        ),
      );
    }),
    http.get(`${API}/locations/:id`, ({ params, request }) => {
      const location = fleet.location(String(params.id), Date.now());
      if (location === null) return problem(404, "location_not_found", `There is no location ${String(params.id)}.`);
      const includeRetired = location.retired_at !== null || asksForRetired(new URL(request.url));
      return HttpResponse.json({ ...location, systems: fleet.systems(location.location_id, includeRetired) });
    }),
    http.get(`${API}/locations/:id/batteries`, ({ params, request }) => {
      const url = new URL(request.url);
      const listed = fleet
        .batteriesOf(String(params.id))
        .filter((battery) => asksForRetired(url) || battery.retirement === undefined)
        .map((battery) => summaryOf(fleet, battery, Date.now()));
      return HttpResponse.json({ ...pageOf(listed, url), unknown_count: 0 });
    }),
    http.get(`${API}/batteries`, ({ request }) => {
      const url = new URL(request.url);
      const text = (url.searchParams.get("q") ?? "").toLowerCase();
      const stringId = url.searchParams.get("string_id");
      const found = fleet
        .batteriesOf()
        .filter((b) => `${b.battery_id} ${b.serial_number}`.toLowerCase().includes(text))
        .filter((b) => stringId === null || b.string_id === stringId)
        .map((battery) => summaryOf(fleet, battery, Date.now()));
      return HttpResponse.json({ ...pageOf(found, url), unknown_count: 0 });
    }),
    ...retirementHandlers(fleet),
    http.get(`${API}/batteries/:id`, ({ params }) => {
      const battery = fleet.find(String(params.id));
      return battery === undefined
        ? problem(404, "battery_not_found", `There is no battery ${String(params.id)}.`)
        : HttpResponse.json(batteryDetail(fleet, battery, Date.now()));
    }),
  ];
}

const retirable = { batteries: "battery", strings: "string", locations: "location" } as const;

function retirementHandlers(fleet: MockFleet) {
  return (["batteries", "strings", "locations"] as const).flatMap((kind) =>
    (["retire", "unretire"] as const).map((action) =>
      http.post(`${API}/${kind}/:id/${action}`, async ({ params, request }) => {
        const { reason } = (await request.json()) as { reason: string };
        const id = String(params.id);
        const concerned = fleet.batteriesOf().filter((battery) => battery[`${retirable[kind]}_id`] === id);
        const at = new Date().toISOString();
        for (const battery of concerned) {
          if (action === "retire") battery.retirement ??= { at, reason };
          else delete battery.retirement;
        }
        const isRetired = action === "retire";
        return HttpResponse.json({
          kind: retirable[kind],
          id,
          battery_count: concerned.length,
          retired_at: isRetired ? at : null,
          retired_by: isRetired ? operatorName : null,
          retired_reason: isRetired ? reason : null,
        } satisfies Schemas["RetirementOut"]);
      }),
    ),
  );
}

function telemetryHandlers(fleet: MockFleet) {
  return [
    http.get(`${API}/telemetry/latest`, ({ request }) => {
      const locationId = new URL(request.url).searchParams.get("location_id") ?? undefined;
      return HttpResponse.json(latestOf(fleet, Date.now(), locationId));
    }),
    http.get(`${API}/batteries/:id/telemetry`, ({ params, request }) => {
      const battery = fleet.find(String(params.id));
      if (battery === undefined) return problem(404, "battery_not_found", "There is no such battery.");
      const url = new URL(request.url);
      const instant = (name: string) => Date.parse(url.searchParams.get(name) ?? "");
      return HttpResponse.json(
        seriesOf(battery, instant("start"), instant("end"), Number(url.searchParams.get("max_points") ?? 500)),
      );
    }),
    http.get(`${API}/batteries/:id/twin`, ({ params }) =>
      HttpResponse.json(twinRecordOf(String(params.id), Date.now())),
    ),
    http.get(`${API}/batteries/:id/discharges`, ({ params, request }) =>
      HttpResponse.json(pageOf(dischargesOf(String(params.id), Date.now()), new URL(request.url))),
    ),
    http.get(`${API}/strings/:id/runtime`, ({ params, request }) =>
      HttpResponse.json(runtimeOf(String(params.id), new URL(request.url).searchParams.get("power_w"), Date.now())),
    ),
    http.get(`${API}/batteries/:id/alert-rules`, ({ request }) =>
      HttpResponse.json(pageOf(rules, new URL(request.url))),
    ),
  ];
}

const rules: Schemas["EffectiveRuleOut"][] = [
  {
    rule_id: "temperature_high_critical",
    type: "temperature_high",
    severity: "critical",
    respond_within: "same_day",
    signal: "temperature_c",
    direction: "above",
    unit: "°C",
    gate: "always",
    raise_value: 45,
    clear_value: 42,
    hold_s: 60,
    clear_hold_s: 300,
    enabled: true,
    origin: { raise_value: { scope: "default", scope_id: null } },
    source: "domain",
  },
];

function alertHandlers(fleet: MockFleet) {
  const find = (id: unknown) => fleet.alerts.find((alert) => alert.alert_id === Number(id));
  const detail = (alert: Alert): Schemas["AlertDetail"] => ({
    ...alert,
    timeline: [
      { event_id: 1, at: alert.raised_at, kind: "raised", actor: null, note: null, data: {} },
      ...(alert.acknowledged_at === null
        ? []
        : [
            {
              event_id: 2,
              at: alert.acknowledged_at,
              kind: "acknowledged",
              actor: alert.acknowledged_by,
              note: null,
              data: {},
            } as const,
          ]),
    ],
  });
  return [
    http.get(`${API}/alerts`, ({ request }) => {
      const url = new URL(request.url);
      const active = fleet.alerts.filter((alert) => alert.is_active);
      return HttpResponse.json({
        ...pageOf(selectAlerts(fleet.alerts, url.searchParams), url),
        active_count: active.length,
        pending_count: active.filter((alert) => alert.acknowledged_at === null && alert.resolved_at === null).length,
      });
    }),
    http.get(`${API}/alerts/:id`, ({ params }) => {
      const alert = find(params.id);
      return alert === undefined
        ? problem(404, "alert_not_found", "There is no such alert.")
        : HttpResponse.json(detail(alert));
    }),
    http.post(`${API}/alerts/:id/:action`, ({ params }) => {
      const alert = find(params.id);
      if (alert === undefined) return problem(404, "alert_not_found", "There is no such alert.");
      const at = new Date().toISOString();
      if (params.action === "comments") return HttpResponse.json(detail(alert), { status: 201 });
      if (params.action === "resolve") Object.assign(alert, { resolved_at: at, resolved_by: operator.username });
      else if (alert.acknowledged_at !== null)
        return problem(409, "alert_already_acknowledged", "Already acknowledged.");
      else Object.assign(alert, { acknowledged_at: at, acknowledged_by: operator.username });
      return HttpResponse.json(detail(alert));
    }),
  ];
}

function predictionHandlers(fleet: MockFleet) {
  return [
    http.get(`${API}/batteries/:id/rul`, ({ params }) => {
      const battery = fleet.find(String(params.id));
      return battery === undefined
        ? problem(404, "battery_not_found", "There is no such battery.")
        : HttpResponse.json(batteryRulOf(battery, Date.now()));
    }),
    http.get(`${API}/predictions/summary`, () => HttpResponse.json(predictionSummaryOf(fleet, Date.now()))),
    http.get(`${API}/predictions`, ({ request }) => {
      const url = new URL(request.url);
      return HttpResponse.json(pageOf(selectPredictions(fleet, url.searchParams, Date.now()), url));
    }),
    http.post(`${API}/predictions/run`, () =>
      HttpResponse.json(runOf(Date.now(), { state: "running", finished_at: null, done: 0 }), { status: 202 }),
    ),
    http.get(`${API}/models`, () => HttpResponse.json({ models })),
  ];
}

function ruleHandlers() {
  const listed = alertRules.map((rule) => ({ ...rule, overrides: [...rule.overrides] }));
  const find = (id: unknown) => listed.find((rule) => rule.rule_id === id);
  let nextId = 100;
  return [
    http.get(`${API}/alert-rules`, ({ request }) => HttpResponse.json(pageOf(listed, new URL(request.url)))),
    http.put(`${API}/alert-rules/:id/overrides`, async ({ params, request }) => {
      const rule = find(params.id);
      if (rule === undefined) return problem(404, "rule_not_found", `No rule ${String(params.id)}.`);
      const body = (await request.json()) as Schemas["OverrideIn"];
      const previous = rule.overrides.find((one) => one.scope === body.scope && one.scope_id === body.scope_id);
      const stored: Schemas["OverrideOut"] = {
        ...body,
        override_id: previous?.override_id ?? nextId++,
        rule_id: rule.rule_id,
        updated_at: new Date().toISOString(),
        updated_by: operatorName,
      };
      rule.overrides = [...rule.overrides.filter((one) => one !== previous), stored];
      return HttpResponse.json(stored);
    }),
    http.delete(`${API}/alert-rules/:id/overrides/:override`, ({ params }) => {
      const rule = find(params.id);
      const kept = rule?.overrides.filter((one) => one.override_id !== Number(params.override));
      if (rule === undefined || kept?.length === rule.overrides.length)
        return problem(404, "override_not_found", "No such override.");
      rule.overrides = kept ?? [];
      return new HttpResponse(null, { status: 204 });
    }),
  ];
}

export function createHandlers(fleet: MockFleet) {
  return [
    ...sessionHandlers(),
    ...fleetHandlers(fleet),
    ...telemetryHandlers(fleet),
    ...alertHandlers(fleet),
    ...incidentHandlers(fleet),
    ...silenceHandlers(),
    ...predictionHandlers(fleet),
    ...ruleHandlers(),
  ];
}
