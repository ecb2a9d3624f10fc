import "@testing-library/jest-dom/vitest";
import "@/i18n";

import { cleanup } from "@testing-library/react";
import i18next from "i18next";
import { afterAll, afterEach, beforeAll, expect } from "vitest";

import { useSession } from "@/api/session";
import { th } from "@/i18n/th";
import { liveStore } from "@/realtime/connection";

import { server } from "./server";

// A browser fetches it when it is chosen; here it is at hand, so that a test need not wait for it.
i18next.addResourceBundle("th", "translation", th);

class NoLayoutObserver implements ResizeObserver {
  observe(): void {
    // There is no layout here to watch.
  }
  unobserve(): void {
    this.observe();
  }
  disconnect(): void {
    this.observe();
  }
}
globalThis.ResizeObserver = NoLayoutObserver;
window.matchMedia = (media) =>
  Object.assign(new EventTarget(), {
    matches: false,
    media,
    onchange: null,
    addListener: () => undefined,
    removeListener: () => undefined,
  });
Element.prototype.scrollIntoView = () => undefined;
Element.prototype.setPointerCapture = () => undefined;
// Nothing is laid out here; lists that show only what is in sight need to believe in some room.
Object.defineProperties(Element.prototype, { clientHeight: { value: 700 }, clientWidth: { value: 1000 } });
// No canvas here; what is drawn is looked at in a real browser, its geometry is tested apart.
HTMLCanvasElement.prototype.getContext = () => null;

const unmocked: string[] = [];
server.events.on("request:unhandled", ({ request }) => {
  unmocked.push(`${request.method} ${request.url}`);
});

beforeAll(() => server.listen({ onUnhandledRequest: "error" }));
afterEach(async () => {
  cleanup();
  server.resetHandlers();
  liveStore.clear();
  useSession.setState({ accessToken: null, user: null, phase: "unknown" });
  localStorage.clear();
  await i18next.changeLanguage("en");
  // A call that no handler answers fails the test that made it, even when the page hides it.
  expect(unmocked.splice(0)).toEqual([]);
});
afterAll(() => server.close());
