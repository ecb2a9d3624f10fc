/** `npm run dev:mock`: the dashboard over a made-up fleet, with REST and Socket.IO served by the development server. */
import type { IncomingMessage, ServerResponse } from "node:http";

import { getResponse, type RequestHandler } from "msw";
import { Server } from "socket.io";
import type { Plugin, ViteDevServer } from "vite";

import { MockFleet } from "../src/testing/fleet.ts";
import { createHandlers } from "../src/testing/handlers.ts";

const REPORT_EVERY_MS = 740;

export function mockGateway(): Plugin {
  return {
    name: "mock-gateway",
    apply: "serve",
    configureServer(server: ViteDevServer) {
      const fleet = new MockFleet();
      const handlers = createHandlers(fleet);
      server.middlewares.use("/api", (request, response, next) => {
        answer(handlers, request, response).then((found) => !found && next(), next);
      });
      if (server.httpServer) stream(fleet, new Server(server.httpServer as never, { path: "/socket.io" }));
    },
  };
}

async function answer(
  handlers: RequestHandler[],
  incoming: IncomingMessage,
  outgoing: ServerResponse,
): Promise<boolean> {
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) chunks.push(chunk as Buffer);
  const method = incoming.method ?? "GET";
  const request = new Request(`http://mock${(incoming as { originalUrl?: string }).originalUrl ?? ""}`, {
    method,
    headers: { "Content-Type": incoming.headers["content-type"] ?? "application/json" },
    ...(method === "GET" ? {} : { body: Buffer.concat(chunks) }),
  });
  const response = await getResponse(handlers, request);
  if (response === undefined) return false;
  outgoing.statusCode = response.status;
  response.headers.forEach((value, name) => outgoing.setHeader(name, value));
  outgoing.end(Buffer.from(await response.arrayBuffer()));
  return true;
}

/** Every string reports once a minute, one after the other; rooms as in the gateway. */
function stream(fleet: MockFleet, sockets: Server): void {
  sockets.on("connection", (socket) => {
    socket.emit("connected", { session_id: socket.id, user: "somchai" });
    socket.on("subscribe_location", ({ location_id: locationId }: { location_id: string }) => {
      void socket.join(`location:${locationId}`);
      socket.emit("subscribed", { room: `location:${locationId}`, seq: fleet.sequences.get(locationId) ?? 0 });
    });
  });
  let index = 0;
  const timer = setInterval(() => {
    const update = fleet.report(index, Date.now());
    index += 1;
    if (update !== null) sockets.to(update.room).emit("telemetry_update", update);
  }, REPORT_EVERY_MS);
  sockets.engine.on("close", () => clearInterval(timer));
}
