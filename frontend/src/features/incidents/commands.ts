import { post } from "@/api/client";
import { conflictState, problemOf } from "@/api/errors";
import type { Incident, IncidentDetail } from "@/api/types";

import { hasEnded } from "./filters";

/** What a person does about incidents. */
export type Command =
  | { kind: "acknowledge"; note: string }
  | { kind: "comment"; note: string }
  | { kind: "resolve"; note: string }
  | { kind: "snooze"; note: string; until: string }
  | { kind: "end-snooze" }
  | { kind: "assign"; assignee: string | null };

/** An incident that was left as it is, with what it is now; null where the user may not see it. */
export interface Conflict {
  incidentId: number;
  code: string;
  state: Incident | null;
}

export interface Outcome {
  changed: (Incident | IncidentDetail)[];
  conflicts: Conflict[];
  /** Alerts whose condition lasts although they are resolved. */
  stillActive: number;
}

/** Send a command about incidents as they were seen. The key makes a repetition after a lost answer count once. */
export async function sendCommand(command: Command, seen: readonly Incident[], key: string): Promise<Outcome> {
  const headers = { "Idempotency-Key": key };
  const [first, ...others] = seen;
  if (first === undefined) return { changed: [], conflicts: [], stillActive: 0 };
  if (others.length > 0 && command.kind === "acknowledge") return acknowledgeAll(command.note, seen, headers);
  try {
    return { conflicts: [], ...(await sendOne(command, first, headers)) };
  } catch (error) {
    const state = conflictState(error);
    if (state === null) throw error;
    const conflict = { incidentId: first.incident_id, code: problemOf(error).code, state: state as Incident };
    return { changed: [], conflicts: [conflict], stillActive: 0 };
  }
}

type Headers = Record<string, string>;

async function acknowledgeAll(note: string, seen: readonly Incident[], headers: Headers): Promise<Outcome> {
  const incidents = seen.map(({ incident_id, revision }) => ({ incident_id, revision }));
  const answer = await post("/api/v1/incident-acknowledgements", { body: { incidents, note }, headers });
  return {
    changed: answer.acknowledged,
    conflicts: answer.refused.map(({ incident_id, code, incident }) => ({
      incidentId: incident_id,
      code,
      state: incident,
    })),
    stillActive: 0,
  };
}

async function sendOne(command: Command, seen: Incident, headers: Headers): Promise<Omit<Outcome, "conflicts">> {
  if (command.kind === "resolve") {
    const { note } = command;
    const answer = await post("/api/v1/incidents/{incident_id}/resolve", {
      path: { incident_id: seen.incident_id },
      body: { revision: seen.revision, note },
      headers,
    });
    return { changed: [answer.incident], stillActive: answer.still_active_count };
  }
  return { changed: [await changeOne(command, seen, headers)], stillActive: 0 };
}

function changeOne(
  command: Exclude<Command, { kind: "resolve" }>,
  { incident_id, revision, status }: Incident,
  headers: Headers,
): Promise<IncidentDetail> {
  const path = { incident_id };
  switch (command.kind) {
    case "acknowledge":
      return post("/api/v1/incidents/{incident_id}/acknowledge", {
        path,
        body: { revision, note: command.note },
        headers,
      });
    case "comment":
      // Only about an incident that has ended must it be clear that the writer knows so.
      return post("/api/v1/incidents/{incident_id}/comments", {
        path,
        body: { note: command.note, ...(hasEnded(status) ? { revision } : {}) },
        headers,
      });
    case "snooze":
      return post("/api/v1/incidents/{incident_id}/snooze", {
        path,
        body: { revision, note: command.note, until: command.until },
        headers,
      });
    case "end-snooze":
      return post("/api/v1/incidents/{incident_id}/end-snooze", { path, body: { revision }, headers });
    default:
      return post("/api/v1/incidents/{incident_id}/assign", {
        path,
        body: { revision, assignee: command.assignee },
        headers,
      });
  }
}
