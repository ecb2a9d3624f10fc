import type { MaintenanceWindow, Silence, SilenceScope, SilenceState } from "@/api/types";

/** A silence or a maintenance window, as their list shows both. */
export type QuietSpan = { id: number } & (
  | { kind: "silence"; span: Silence }
  | { kind: "test" | "maintenance"; span: MaintenanceWindow }
);

const order: Record<SilenceState, number> = { active: 0, upcoming: 1, ended: 2 };

/** Both lists as one: what is in force first, then what comes next, then what ended last. */
export function quietSpans(silences: readonly Silence[], windows: readonly MaintenanceWindow[]): QuietSpan[] {
  const spans: QuietSpan[] = [
    ...silences.map((span): QuietSpan => ({ id: span.silence_id, kind: "silence", span })),
    ...windows.map((span): QuietSpan => ({ id: span.window_id, kind: span.kind, span })),
  ];
  return spans.sort((a, b) => order[a.span.state] - order[b.span.state] || byTime(a, b));
}

function byTime({ span: a }: QuietSpan, { span: b }: QuietSpan): number {
  if (a.state === "active") return Date.parse(a.ends_at) - Date.parse(b.ends_at);
  if (a.state === "upcoming") return Date.parse(a.starts_at) - Date.parse(b.starts_at);
  return Date.parse(b.ended_at ?? b.ends_at) - Date.parse(a.ended_at ?? a.ends_at);
}

export const groups = ["running", "ended", "all"] as const;
export type Group = (typeof groups)[number];

export function groupOf(params: URLSearchParams): Group {
  return groups.find((group) => group === params.get("show")) ?? "running";
}

export const statesOf: Record<Group, SilenceState[]> = {
  running: ["active", "upcoming"],
  ended: ["ended"],
  all: [],
};

export const scopes = ["string", "system", "location", "tag"] as const satisfies readonly SilenceScope[];
