import { http, passthrough } from "msw";
import { setupServer } from "msw/node";

/** Answers nothing by itself: each test says what the gateway does. Real sockets of a test's own server go through. */
export const server = setupServer(http.all("*/socket.io/*", () => passthrough()));
