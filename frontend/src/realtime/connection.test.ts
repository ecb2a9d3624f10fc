import { createServer, type Server as HttpServer } from "node:http";
import type { AddressInfo } from "node:net";

import { QueryClient } from "@tanstack/react-query";
import { http, HttpResponse } from "msw";
import { Server } from "socket.io";
import { afterEach, beforeEach, expect, it, vi } from "vitest";

import { useSession } from "@/api/session";
import { latestOf } from "@/testing/answers";
import { MockFleet } from "@/testing/fleet";
import { createHandlers, problem, sessionOf } from "@/testing/handlers";
import { incidentOf } from "@/testing/incidents";
import { server } from "@/testing/server";

import { liveStore, onIncident, startRealtime, useConnection } from "./connection";

const WAIT = { timeout: 8000 };

let web: HttpServer;
let sockets: Server;
let url: string;
let stop: (() => void) | undefined;
let fleet: MockFleet;
let tokens: unknown[];

beforeEach(async () => {
  fleet = new MockFleet();
  server.use(...createHandlers(fleet));
  tokens = [];
  web = createServer();
  sockets = new Server(web, { path: "/socket.io" });
  sockets.use((socket, next) => {
    const { token } = socket.handshake.auth as { token: string | null };
    tokens.push(token);
    next(token === "expired" ? new Error("not_authenticated") : undefined);
  });
  sockets.on("connection", (socket) => {
    socket.on("subscribe_location", ({ location_id: id }: { location_id: string }) => {
      void socket.join(`location:${id}`);
      socket.emit("subscribed", { room: `location:${id}`, seq: fleet.sequences.get(id) ?? 0 });
    });
  });
  await new Promise<void>((done) => web.listen(0, "127.0.0.1", done));
  url = `http://127.0.0.1:${(web.address() as AddressInfo).port}`;
});

afterEach(async () => {
  stop?.();
  await sockets.close();
});

function start(accessToken: string, cache = new QueryClient()): QueryClient {
  useSession.getState().signedIn(accessToken, sessionOf().user);
  stop = startRealtime(cache, () => Promise.resolve(fleet.locationIds()), url);
  return cache;
}

/** Every room is joined and the snapshot is in; the two arrive in either order. */
const joined = () =>
  vi.waitFor(() => {
    expect(liveStore.batteryIds()).toHaveLength(1944);
    for (const id of fleet.locationIds()) expect(sockets.sockets.adapter.rooms.has(`location:${id}`)).toBe(true);
  }, WAIT);

it("joins every room, reads the snapshot and takes live values", async () => {
  start("access-1");
  await joined();
  expect(useConnection.getState().phase).toBe("connected");
  const update = fleet.report(0, Date.now() + 1000);
  if (update === null) throw new Error("the first string is silent");
  sockets.to(update.room).emit("telemetry_update", update);
  const [id] = update.columns.battery_id;
  await vi.waitFor(() => expect(liveStore.get(id ?? "")?.voltage_v).toBe(update.columns.voltage_v?.[0]), WAIT);
});

it("reads a room's snapshot again after a gap", async () => {
  const read: (string | null)[] = [];
  server.use(
    http.get("*/api/v1/telemetry/latest", ({ request }) => {
      const locationId = new URL(request.url).searchParams.get("location_id");
      read.push(locationId);
      return HttpResponse.json(latestOf(fleet, Date.now(), locationId ?? undefined));
    }),
  );
  start("access-1");
  await joined();
  fleet.report(0, Date.now());
  const update = fleet.report(0, Date.now() + 1000);
  if (update === null) throw new Error("the first string is silent");
  sockets.to(update.room).emit("telemetry_update", update);
  await vi.waitFor(() => expect(read).toContain(update.location_id), WAIT);
});

it("gets a new token when the server refuses the old one", async () => {
  start("expired");
  await joined();
  expect(tokens).toEqual(["expired", "access-1"]);
});

it("reconnects after the server ends the connection and is away for a while", async () => {
  start("access-1");
  await joined();
  let asked = 0;
  server.use(
    http.post("*/api/v1/auth/refresh", () => {
      asked += 1;
      return asked === 1 ? HttpResponse.error() : HttpResponse.json(sessionOf("access-2"));
    }),
  );
  sockets.disconnectSockets();
  await vi.waitFor(() => expect(useConnection.getState().phase).toBe("disconnected"), WAIT);
  await vi.waitFor(() => expect(useConnection.getState().phase).toBe("connected"), WAIT);
  expect(tokens.at(-1)).toBe("access-2");
  expect(useSession.getState().phase).toBe("signed-in");
}, 12_000);

it("stops when the session has ended", async () => {
  start("access-1");
  await joined();
  server.use(http.post("*/api/v1/auth/refresh", () => problem(401, "invalid_token", "The session has ended.")));
  sockets.disconnectSockets();
  await vi.waitFor(() => expect(useSession.getState().phase).toBe("signed-out"), WAIT);
  expect(tokens).toHaveLength(1);
});

it("refetches alerts once for many events at once, and passes each incident to listeners", async () => {
  const cache = start("access-1");
  await joined();
  const invalidate = vi.spyOn(cache, "invalidateQueries");
  const received: number[] = [];
  const unsubscribe = onIncident(({ incident }) => received.push(incident.incident_id));
  for (let i = 1; i <= 5; i += 1) {
    const alert = fleet.strike(`BAT-DC-CNX-01-UPS-01-STR-01-00${i}`);
    sockets.to("location:DC-CNX-01").emit("alert", { event: "raised", alert });
    sockets.to("location:DC-CNX-01").emit("incident", { event: "opened", incident: incidentOf(alert, i) });
  }
  await vi.waitFor(() => expect(invalidate).toHaveBeenCalledWith({ queryKey: ["alerts"] }), WAIT);
  expect(received).toHaveLength(5);
  expect(invalidate.mock.calls.filter(([filter]) => filter?.queryKey?.[0] === "alerts")).toHaveLength(1);
  unsubscribe();
});
