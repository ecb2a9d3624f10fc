/** Silences and maintenance windows of a mock gateway. */
import { http, HttpResponse } from "msw";

import type { components } from "../api/schema.gen.ts";

type Schemas = components["schemas"];

const HOUR_MS = 3_600_000;
const instant = (hours: number) => new Date(Date.now() + hours * HOUR_MS).toISOString();

export function silenceOf(change: Partial<Schemas["SilenceOut"]> = {}): Schemas["SilenceOut"] {
  return {
    silence_id: 1,
    state: "active",
    scope: "string",
    scope_id: "DC-KKN-01-UPS-01-STR-01",
    types: ["temperature_high"],
    starts_at: instant(-1),
    ends_at: instant(2),
    reason: "Fan is being replaced.",
    covers_safety: false,
    created_at: instant(-1),
    created_by: "malee",
    approved_at: null,
    approved_by: null,
    ended_at: null,
    ended_by: null,
    hidden_count: 0,
    ...change,
  };
}

export function windowOf(change: Partial<Schemas["WindowDetail"]> = {}): Schemas["WindowDetail"] {
  return {
    window_id: 7,
    kind: "test",
    state: "active",
    scope: "string",
    scope_id: "DC-KKN-01-UPS-01-STR-02",
    starts_at: instant(-2),
    planned_ends_at: instant(4),
    ends_at: instant(52),
    reason: "Yearly capacity test.",
    created_at: instant(-24),
    created_by: "somchai",
    ended_at: null,
    ended_by: null,
    hidden_count: 3,
    discharges: [],
    ...change,
  };
}

const API = "*/api/v1";

/** Answers about silences and windows; what is created or ended is so from then on. */
export function silenceHandlers(
  silences: Schemas["SilenceOut"][] = [silenceOf()],
  windows: Schemas["WindowDetail"][] = [windowOf()],
) {
  const pageOf = <T>(items: T[]) => ({ items, total: items.length, skip: 0, limit: 200 });
  const inState = <T extends { state: string }>(items: T[], request: Request) => {
    const states = new URL(request.url).searchParams.getAll("state");
    return pageOf(items.filter((one) => states.length === 0 || states.includes(one.state)));
  };
  const end = (one: Schemas["SilenceOut"] | Schemas["WindowDetail"] | undefined) => {
    if (one === undefined) return new HttpResponse(null, { status: 404 });
    one.state = "ended";
    one.ended_at = new Date().toISOString();
    return HttpResponse.json(one);
  };
  const silence = (id: unknown) => silences.find((one) => one.silence_id === Number(id));
  const window = (id: unknown) => windows.find((one) => one.window_id === Number(id));
  return [
    http.get(`${API}/silences`, ({ request }) => HttpResponse.json(inState(silences, request))),
    http.post(`${API}/silences`, async ({ request }) => {
      const body = (await request.json()) as Schemas["SilenceIn"];
      const made = silenceOf({
        silence_id: silences.length + 100,
        scope: body.scope,
        scope_id: body.scope_id,
        types: body.types ?? null,
        ends_at: body.ends_at,
        reason: body.reason,
        covers_safety: body.covers_safety,
        created_by: "somchai",
      });
      silences.push(made);
      return HttpResponse.json(made, { status: 201 });
    }),
    http.get(`${API}/silences/:id/hidden`, () => HttpResponse.json(pageOf([]))),
    http.post(`${API}/silences/:id/end`, ({ params }) => end(silence(params.id))),
    http.post(`${API}/silences/:id/approve`, ({ params }) => {
      const one = silence(params.id);
      if (one === undefined) return new HttpResponse(null, { status: 404 });
      Object.assign(one, { approved_at: new Date().toISOString(), approved_by: "somchai" });
      return HttpResponse.json(one);
    }),
    http.get(`${API}/maintenance-windows`, ({ request }) => HttpResponse.json(inState(windows, request))),
    http.get(`${API}/maintenance-windows/:id/hidden`, () => HttpResponse.json(pageOf([]))),
    http.get(`${API}/maintenance-windows/:id`, ({ params }) => HttpResponse.json(window(params.id))),
    http.post(`${API}/maintenance-windows/:id/end`, ({ params }) => end(window(params.id))),
  ];
}
