import { isAxiosError } from "axios";

export interface Problem {
  status: number | null;
  code: string;
  detail: string;
  requestId: string | null;
  retryAfterS: number | null;
}

/** Read any failure of a call as the gateway's problem details; a missing answer is a problem of its own. */
export function problemOf(error: unknown): Problem {
  if (!isAxiosError(error)) return unknownProblem(error instanceof Error ? error.message : "unknown");
  const response = error.response;
  if (response === undefined) {
    return { status: null, code: "unreachable", detail: error.message, requestId: null, retryAfterS: null };
  }
  const body: unknown = response.data;
  const headers = response.headers as Record<string, string | undefined>;
  const retry = Number(headers["retry-after"]);
  return {
    status: response.status,
    code: text(body, "code") ?? `http_${response.status}`,
    detail: text(body, "detail") ?? response.statusText,
    requestId: text(body, "request_id") ?? headers["x-request-id"] ?? null,
    retryAfterS: Number.isFinite(retry) && retry > 0 ? retry : null,
  };
}

function unknownProblem(detail: string): Problem {
  return { status: null, code: "unknown", detail, requestId: null, retryAfterS: null };
}

function text(body: unknown, name: string): string | null {
  if (typeof body !== "object" || body === null || !(name in body)) return null;
  const value = (body as Record<string, unknown>)[name];
  return typeof value === "string" ? value : null;
}

/** The thing that a conflict is about as it is now, by the problem details; null where the answer has none. */
export function conflictState(error: unknown): object | null {
  if (!isAxiosError(error) || error.response?.status !== 409) return null;
  const { state } = error.response.data as { state?: unknown };
  return typeof state === "object" ? state : null;
}
