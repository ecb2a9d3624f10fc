/**
 * A key by which the gateway knows the repetition of a request. Over plain HTTP, as inside many data centres, a browser
 * has no `crypto.randomUUID`, so the same 128 random bits are drawn without it.
 */
export function newRequestKey(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
