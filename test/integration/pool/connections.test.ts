/** How many connections a member of the pool holds: one, and a further one only while a call would wait behind another. */
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { Registry } from "prom-client";
import { describe, expect, test } from "vitest";
import { createConnections } from "../../../src/pool/connections.ts";
import type { ClaimResponse } from "../../../src/pool/wire.ts";
import { aBackend } from "../../support/pool-backend.ts";
import { aClient, aServer, onCleanup } from "./pool-fixture.ts";

const waiting = { timeout: 30_000 };
const nothing: ClaimResponse = { assignments: [], duties: [] };
const beat = { running: [], models: [] };

async function openAt(registry: Registry): Promise<number> {
  const [gauge] = (await registry.getSingleMetric("inferium_pool_connections")?.get())?.values ?? [];
  return gauge?.value ?? 0;
}

test("a member opens its session, claims and reports over one connection, and over a second one while a claim waits", async () => {
  const registry = new Registry();
  const claims: ((answer: ClaimResponse) => void)[] = [];
  const claim = () => new Promise<ClaimResponse>((resolve) => claims.push(resolve));
  const client = aClient(await aServer(aBackend({ claim }), { registry }));
  await client.facts();
  for (let i = 0; i < 5; i++) await client.heartbeat(beat);
  expect(await openAt(registry)).toBe(1);

  const waits = client.claim({ slots: 1, models: [], waitMs: 20_000 });
  await expect.poll(() => claims.length, waiting).toBe(1);
  expect(await openAt(registry)).toBe(1);
  for (let i = 0; i < 5; i++) await client.heartbeat(beat);
  expect(await openAt(registry)).toBe(2);
  claims[0]?.(nothing);
  await waits;
});

describe("connections", () => {
  async function aSlowServer(): Promise<{
    origin: string;
    open: () => number;
    held: () => number;
    answer: () => void;
  }> {
    const held: (() => void)[] = [];
    let open = 0;
    const server: Server = createServer((_, response) => void held.push(() => response.end("done")));
    server.on("connection", (socket) => {
      open += 1;
      socket.on("close", () => (open -= 1));
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    onCleanup(async () => {
      server.closeAllConnections();
      server.close();
    });
    const { port } = server.address() as AddressInfo;
    return {
      origin: `http://127.0.0.1:${port}`,
      open: () => open,
      held: () => held.length,
      answer: () => held.shift()?.(),
    };
  }

  function calling(origin: string, most: number) {
    const connections = createConnections({ origin, most, connect: { timeout: 10_000 }, furtherIdleMs: 200 });
    onCleanup(() => connections.close());
    return (signal: AbortSignal = new AbortController().signal) =>
      connections.use(async (connection) => {
        const { body } = await connection.request({ path: "/", method: "POST", body: "{}", signal });
        return body.text();
      }, signal);
  }

  test("a further one ends soon after its last call, and the first one stays", async () => {
    const server = await aSlowServer();
    const call = calling(server.origin, 4);
    const calls = [call(), call(), call()];
    await expect.poll(server.held, waiting).toBe(3);
    expect(server.open()).toBe(3);
    for (const _ of calls) server.answer();
    expect(await Promise.all(calls)).toEqual(["done", "done", "done"]);
    await expect.poll(server.open, waiting).toBe(1);
  });

  test("a call waits for one where as many as may be are in use, and no longer than its signal lets it", async () => {
    const server = await aSlowServer();
    const call = calling(server.origin, 1);
    const stopping = new AbortController();
    const first = call();
    const second = call(stopping.signal);
    const third = call();
    stopping.abort(new Error("not needed any more"));
    await expect(second).rejects.toThrow("not needed any more");
    await expect.poll(server.held, waiting).toBe(1);
    server.answer();
    expect(await first).toBe("done");
    await expect.poll(server.held, waiting).toBe(1);
    server.answer();
    expect(await third).toBe("done");
    expect(server.open()).toBe(1);
  });
});
