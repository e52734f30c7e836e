/** What clients that send slowly, or come in numbers, may cost the servers that strangers reach. */
import { connect as connectTcp, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import { Registry } from "prom-client";
import { describe, expect, test } from "vitest";
import { startHealthServer } from "../../../src/kube/health-server.ts";
import { defaultServerLimits } from "../../../src/pool/limits.ts";
import { aBackend } from "../../support/pool-backend.ts";
import { aServer, onCleanup } from "./pool-fixture.ts";

const patienceMs = 30_000;

/** Sends the text byte by byte for as long as it may. @returns once the other side has ended it */
function drip(socket: Socket, text: string): Promise<void> {
  return new Promise((resolve) => {
    let at = 0;
    const timer = setInterval(() => socket.write(text[at++ % text.length] ?? ""), 20);
    socket.on("error", () => undefined);
    socket.on("close", () => {
      clearInterval(timer);
      resolve();
    });
    onCleanup(async () => void socket.destroy());
  });
}

const dial = (url: string) => {
  const { hostname: host, port } = new URL(url);
  return connectTls({ host, port: Number(port), rejectUnauthorized: false });
};
const opened = (socket: Socket, event: string) => new Promise((resolve) => socket.once(event, resolve));
const limits = { headersTimeoutMs: 300, requestTimeoutMs: 600 };

describe("the pool API", () => {
  test.each([
    { what: "headers without an end", text: "x-a: b\r\n", begin: "POST /v1/claim HTTP/1.1\r\nhost: p\r\n" },
    {
      what: "a body that never comes to its end",
      text: "x",
      begin: "POST /v1/session HTTP/1.1\r\nhost: p\r\ncontent-type: application/json\r\ncontent-length: 9999\r\n\r\n",
    },
  ])(
    "ends a connection that sends $what",
    async ({ text, begin }) => {
      const server = await aServer(aBackend(), { limits });
      const socket = dial(server.url);
      await opened(socket, "secureConnect");
      socket.write(begin);
      await drip(socket, text);
    },
    patienceMs,
  );

  test(
    "ends a connection that never finishes its handshake",
    async () => {
      const server = await aServer(aBackend(), { limits });
      const socket = connectTcp(Number(new URL(server.url).port), "127.0.0.1");
      await opened(socket, "connect");
      await opened(socket.resume(), "close");
    },
    patienceMs,
  );

  test(
    "turns away connections beyond its bound, and counts what is open and what was turned away",
    async () => {
      const registry = new Registry();
      const server = await aServer(aBackend(), {
        limits: { ...defaultServerLimits, maxConnections: 2 },
        registry,
      });
      const first = [dial(server.url), dial(server.url)];
      await Promise.all(first.map((socket) => opened(socket, "secureConnect")));
      const third = dial(server.url).on("error", () => undefined);
      await opened(third, "close");
      expect(await registry.metrics()).toMatch(/inferium_pool_connections 2\n[\s\S]*dropped_connections_total 1\n/);
      for (const socket of first) socket.destroy();
      await expect.poll(() => registry.metrics(), { timeout: 10_000 }).toMatch(/inferium_pool_connections 0\n/);
    },
    patienceMs,
  );
});

describe("health and metrics", () => {
  const bounds = { headersTimeout: 200, requestTimeout: 400, connectionsCheckingInterval: 50, maxConnections: 2 };

  test(
    "end a connection that sends headers without an end, and answer others meanwhile",
    async () => {
      const server = await startHealthServer({ host: "127.0.0.1", port: 0, bounds });
      onCleanup(() => server.close());
      const socket = connectTcp(server.port, "127.0.0.1");
      socket.write("GET /healthz HTTP/1.1\r\nhost: p\r\n");
      const ended = drip(socket, "x-a: b\r\n");
      expect((await fetch(`http://127.0.0.1:${server.port}/healthz`)).status).toBe(200);
      await ended;
    },
    patienceMs,
  );

  test(
    "turn away connections beyond their bound",
    async () => {
      const server = await startHealthServer({ host: "127.0.0.1", port: 0, bounds: { ...bounds, headersTimeout: 0 } });
      onCleanup(() => server.close());
      const dialled = () => connectTcp(server.port, "127.0.0.1").on("error", () => undefined);
      const first = [dialled(), dialled()];
      await Promise.all(first.map((socket) => opened(socket, "connect")));
      await opened(dialled().resume(), "close");
      for (const socket of first) socket.destroy();
    },
    patienceMs,
  );
});
