/** The mock gateway's incidents: the alerts of one type in one string are one. */
import { http, HttpResponse } from "msw";

import { compareUrgency, isWaiting } from "../api/incident-match.ts";
import type { components } from "../api/schema.gen.ts";
import { operatorName } from "./answers.ts";
import type { MockFleet } from "./fleet.ts";

type Schemas = components["schemas"];
type Alert = Schemas["AlertOut"];
type Detail = Schemas["IncidentDetail"];
type Kind = Schemas["IncidentEntryOut"]["kind"];

const API = "*/api/v1/incidents";
const stored = new WeakMap<MockFleet, Map<string, Detail>>();
const entries = { next: 1 };

export const noteTemplates: Schemas["NoteTemplate"][] = [
  { template_id: "on_site", en: "On site, checking.", th: "ถึงหน้างานแล้ว กำลังตรวจสอบ" },
  { template_id: "spare_ordered", en: "Replacement battery ordered.", th: "สั่งซื้อแบตเตอรี่ทดแทนแล้ว" },
];

function entryOf(kind: Kind, change: Partial<Schemas["IncidentEntryOut"]> = {}): Schemas["IncidentEntryOut"] {
  const at = new Date().toISOString();
  return { event_id: entries.next++, at, kind, actor: null, note: null, data: {}, ...change };
}

export function incidentOf(lead: Alert, incidentId: number, change: Partial<Detail> = {}): Detail {
  return {
    incident_id: incidentId,
    family: lead.type === "data_stale" ? "silence" : "voltage",
    status: "open",
    severity: lead.severity,
    respond_within: lead.respond_within,
    location_id: lead.location_id,
    system_id: lead.system_id,
    string_id: lead.string_id,
    battery_id: lead.battery_id,
    types: [lead.type],
    lead,
    is_active: true,
    opened_at: lead.raised_at,
    cleared_at: null,
    alert_count: 1,
    active_count: 1,
    unacknowledged_count: 1,
    battery_count: lead.battery_id === null ? 0 : 1,
    acknowledged_at: null,
    acknowledged_by: null,
    assignee: null,
    snoozed_until: null,
    hidden_by: null,
    resolved_at: null,
    resolved_by: null,
    merged_into: null,
    revision: 1,
    updated_at: lead.raised_at,
    timeline: [entryOf("opened", { at: lead.raised_at, data: { severity: lead.severity, alert_count: 1 } })],
    ...change,
  };
}

function alertsOf(fleet: MockFleet, incidentId: number): Alert[] {
  return fleet.alerts.filter((alert) => alert.incident_id === incidentId);
}

/** The incidents of the fleet's alerts, which get their numbers here. */
export function incidentsOf(fleet: MockFleet): Detail[] {
  const known = stored.get(fleet) ?? new Map<string, Detail>();
  stored.set(fleet, known);
  for (const alert of [...fleet.alerts].reverse()) {
    const key = `${alert.string_id ?? alert.location_id} ${alert.type}`;
    const incident = known.get(key) ?? incidentOf(alert, known.size + 1);
    known.set(key, incident);
    alert.incident_id = incident.incident_id;
    const alerts = alertsOf(fleet, incident.incident_id);
    incident.alert_count = alerts.length;
    incident.active_count = alerts.filter((one) => one.is_active).length;
    incident.unacknowledged_count = incident.status === "open" ? incident.active_count : 0;
    incident.battery_count = new Set(alerts.flatMap((one) => one.battery_id ?? [])).size;
    incident.battery_id = incident.battery_count === 1 ? alert.battery_id : null;
  }
  return [...known.values()].sort(compareUrgency);
}

function select(all: readonly Detail[], params: URLSearchParams): Detail[] {
  const among = (name: string, value: string | null) =>
    params.get(name) === null || params.getAll(name).includes(value ?? "");
  const search = params.get("search")?.toLowerCase() ?? "";
  return all.filter(
    (one) =>
      among("status", one.status) &&
      among("severity", one.severity) &&
      among("location_id", one.location_id) &&
      among("assignee", one.assignee) &&
      among("type", one.lead.type) &&
      (params.get("unassigned") !== "true" || one.assignee === null) &&
      `${one.location_id} ${one.string_id} ${one.battery_id}`.toLowerCase().includes(search),
  );
}

export function conflict(code: string, state: Schemas["IncidentOut"]) {
  const body = {
    type: "about:blank",
    title: "Conflict",
    status: 409,
    detail: code,
    code,
    instance: "",
    request_id: "r-1",
    state,
  };
  return HttpResponse.json(body, { status: 409, headers: { "Content-Type": "application/problem+json" } });
}

function changeOf(action: string, body: Record<string, unknown>): { kind: Kind; change: Partial<Detail> } {
  const at = new Date().toISOString();
  switch (action) {
    case "acknowledge":
      return {
        kind: "acknowledged",
        change: { status: "acknowledged", acknowledged_at: at, acknowledged_by: operatorName, unacknowledged_count: 0 },
      };
    case "assign":
      return { kind: "assigned", change: { assignee: body.assignee as string | null } };
    case "snooze":
      return { kind: "snoozed", change: { status: "snoozed", snoozed_until: body.until as string } };
    case "end-snooze":
      return { kind: "snooze_ended", change: { status: "open", snoozed_until: null } };
    case "resolve":
      return { kind: "resolved", change: { status: "resolved", resolved_at: at, resolved_by: operatorName } };
    default:
      return { kind: "comment", change: {} };
  }
}

function act(incident: Detail, action: string, body: Record<string, unknown>): void {
  const { kind, change } = changeOf(action, body);
  Object.assign(incident, change, { updated_at: new Date().toISOString() });
  if (kind !== "comment") incident.revision += 1;
  const note = typeof body.note === "string" ? body.note : null;
  const { until, assignee } = body;
  incident.timeline.push(entryOf(kind, { actor: operatorName, note, data: { until, assignee } }));
}

export function incidentHandlers(fleet: MockFleet) {
  const find = (id: unknown) => incidentsOf(fleet).find((one) => one.incident_id === Number(id));
  const notFound = () =>
    HttpResponse.json({ code: "incident_not_found", detail: "There is no such incident." }, { status: 404 });
  const pageOf = <T>(all: readonly T[], url: URL) => {
    const [skip, limit] = [Number(url.searchParams.get("skip") ?? 0), Number(url.searchParams.get("limit") ?? 100)];
    return { items: all.slice(skip, skip + limit), total: all.length, skip, limit };
  };
  return [
    http.get(`${API}/note-templates`, () => HttpResponse.json({ items: noteTemplates })),
    http.get(API, ({ request }) => {
      const url = new URL(request.url);
      const all = incidentsOf(fleet);
      const waiting = all.filter(isWaiting);
      return HttpResponse.json({
        ...pageOf(select(all, url.searchParams), url),
        open_count: waiting.length,
        critical_count: waiting.filter((one) => one.severity === "critical").length,
        alert_count: fleet.alerts.filter((alert) => alert.is_active).length,
        hidden_count: 0,
      });
    }),
    http.get(`${API}/:id`, ({ params }) => {
      const incident = find(params.id);
      return incident === undefined ? notFound() : HttpResponse.json(incident);
    }),
    http.get(`${API}/:id/alerts`, ({ params, request }) =>
      HttpResponse.json(pageOf(alertsOf(fleet, find(params.id)?.incident_id ?? 0), new URL(request.url))),
    ),
    http.post("*/api/v1/incident-acknowledgements", async ({ request }) => {
      const body = (await request.json()) as Schemas["BulkAcknowledgeIn"];
      const answer: Schemas["BulkAcknowledged"] = { acknowledged: [], refused: [] };
      for (const { incident_id, revision } of body.incidents) {
        const incident = find(incident_id);
        if (incident?.revision === revision) {
          act(incident, "acknowledge", { note: body.note });
          answer.acknowledged.push(incident);
        } else answer.refused.push({ incident_id, code: "incident_changed", detail: "", incident: incident ?? null });
      }
      return HttpResponse.json(answer);
    }),
    http.post(`${API}/:id/:action`, async ({ params, request }) => {
      const incident = find(params.id);
      if (incident === undefined) return notFound();
      const body = (await request.json()) as Record<string, unknown>;
      if (typeof body.revision === "number" && body.revision !== incident.revision)
        return conflict("incident_changed", incident);
      act(incident, String(params.action), body);
      return HttpResponse.json(
        params.action === "resolve" ? { incident, still_active_count: incident.active_count } : incident,
      );
    }),
  ];
}
