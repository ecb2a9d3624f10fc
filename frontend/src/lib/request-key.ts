import { useMemo } from "react";

/**
 * A key by which the gateway knows the repetition of a request. Over plain HTTP, as inside many data centres, a browser
 * has no `crypto.randomUUID`, so the same 128 random bits are drawn without it.
 */
export function newRequestKey(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** The key of the request that has no answer yet: the same request keeps it, another one gets its own. */
export function useRequestKey() {
  return useMemo(() => {
    let unanswered: { request: string; key: string } | null = null;
    return {
      of: (request: unknown): string => {
        const text = JSON.stringify(request);
        if (unanswered?.request !== text) unanswered = { request: text, key: newRequestKey() };
        return unanswered.key;
      },
      answered: (): void => {
        unanswered = null;
      },
    };
  }, []);
}
