import { type AddressInfo, createServer } from "node:net";
import { Registry } from "prom-client";
import { describe, expect, test } from "vitest";
import { systemClock } from "../../../src/base/clock.ts";
import { InferiumError } from "../../../src/base/errors.ts";
import { createLogger } from "../../../src/base/log.ts";
import { createCertificateAuthority } from "../../../src/base/tls.ts";
import { aBackend } from "../../support/pool-backend.ts";
import { aClient, aMovableClock, aServer, domain, getCertificate, onCleanup } from "./pool-fixture.ts";

const beat = { running: [], models: [] };

/** Fails the first `times` calls. */
function failing(times: number, error: Error) {
  let calls = 0;
  return {
    calls: () => calls,
    heartbeat: async () => {
      calls += 1;
      if (calls <= times) throw error;
      return { cancel: [] };
    },
  };
}

const later = new InferiumError("NoLeader", "Not the leader.", { disposition: "retry" });

describe("the pool client", () => {
  test("that comes when as many connections as may be are open is told so, and comes again until there is room", async () => {
    const registry = new Registry();
    const lines: string[] = [];
    const logger = createLogger({ write: (line) => void lines.push(line) });
    const server = await aServer(aBackend(), { limits: { maxConnections: 1 }, registry, logger });
    const first = aClient(server);
    await first.heartbeat(beat);
    await expect(aClient(server, { maxAttempts: 1 }).heartbeat(beat)).rejects.toMatchObject({
      code: "TooManyConnections",
      disposition: "retry",
      message: expect.stringMatching(/503 TooManyConnections: 1 connections are open/),
      evidence: { retryAfterMs: 5_000 },
    });
    expect(await registry.metrics()).toMatch(/dropped_connections_total 1\n/);
    expect(lines.join("")).toMatch(/"connections are turned away","most":1,"turnedAway":1/);
    const patient = aClient(server, {
      maxAttempts: 100,
      clock: { ...systemClock, sleep: (ms) => systemClock.sleep(ms / 100) },
    });
    const answer = patient.heartbeat(beat);
    await expect
      .poll(async () => (await registry.metrics()).match(/dropped_connections_total ([0-9]+)/)?.[1], {
        timeout: 30_000,
      })
      .not.toBe("1");
    await first.close();
    expect(await answer).toEqual({ cancel: [] });
  });

  test("says that the pool ended the connection where it did", async () => {
    const server = createServer((socket) => socket.destroy());
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    onCleanup(async () => void server.close());
    const { port } = server.address() as AddressInfo;
    const { caPem } = await getCertificate();
    const client = aClient({ url: `https://127.0.0.1:${port}`, caPem }, { maxAttempts: 1 });
    await expect(client.heartbeat(beat)).rejects.toMatchObject({
      code: "PoolUnreachable",
      message: expect.stringContaining("ended the connection without an answer"),
    });
  });

  test("says what the pool says of itself", async () => {
    const client = aClient(await aServer(aBackend({ admit: async () => ({ node: "gpu-7" }) })));
    expect(await client.facts()).toEqual({ pool: "test-pool", domain, node: "gpu-7" });
  });

  test("asks for another challenge where one has passed before it was answered, as where the pool's clock is set", async () => {
    const clock = aMovableClock();
    let admitted = 0;
    const backend = aBackend({
      admit: async () => {
        // The first is for the challenge, the second for the session.
        if (++admitted === 2) clock.advance(3_600_000);
        return { node: "n" };
      },
    });
    expect((await aClient(await aServer(backend, { clock })).facts()).node).toBe("n");
    expect(admitted).toBe(4);
  });

  test("concurrent first calls share one session", async () => {
    let admitted = 0;
    const backend = aBackend({
      admit: async () => {
        admitted += 1;
        return { node: "n" };
      },
    });
    const client = aClient(await aServer(backend));
    await Promise.all([client.heartbeat(beat), client.heartbeat(beat), client.heartbeat(beat)]);
    // Once for the challenge and once for the session.
    expect(admitted).toBe(2);
  });

  test("repeats a call that the pool puts off, not sooner than it asks", async () => {
    const backend = failing(1, later);
    const client = aClient(await aServer(aBackend(backend)));
    const startedAt = performance.now();
    expect(await client.heartbeat(beat)).toEqual({ cancel: [] });
    expect(backend.calls()).toBe(2);
    expect(performance.now() - startedAt).toBeGreaterThanOrEqual(990);
  });

  test("gives up after its attempts and says that it may be tried again", async () => {
    const backend = failing(99, new TypeError("a bug"));
    const client = aClient(await aServer(aBackend(backend)), { maxAttempts: 3 });
    await expect(client.heartbeat(beat)).rejects.toMatchObject({ code: "Internal", disposition: "retry" });
    expect(backend.calls()).toBe(3);
  });

  test("does not repeat what the pool refuses", async () => {
    const backend = failing(99, new InferiumError("TaskGone", "The task is gone."));
    const client = aClient(await aServer(aBackend(backend)));
    await expect(client.heartbeat(beat)).rejects.toMatchObject({ code: "TaskGone", disposition: "reject" });
    expect(backend.calls()).toBe(1);
  });

  test("opens a new session where the server no longer knows the old one", async () => {
    const serverClock = aMovableClock();
    const client = aClient(await aServer(aBackend(), { clock: serverClock }));
    await client.heartbeat(beat);
    serverClock.advance(3_600_001);
    expect(await client.heartbeat(beat)).toEqual({ cancel: [] });
  });

  test("renews its session before it expires", async () => {
    const clock = aMovableClock();
    let admitted = 0;
    const admit = async () => ({ node: `n-${++admitted}` });
    const client = aClient(await aServer(aBackend({ admit }), { clock }), { clock });
    await client.heartbeat(beat);
    clock.advance(3_000_000);
    await client.heartbeat(beat);
    expect(admitted).toBe(4);
  });

  test.for([
    { name: "another name", expected: { pool: "other-pool" } },
    { name: "another chain", expected: { domain: { ...domain, chainId: 1 } } },
    { name: "another contract", expected: { domain: { ...domain, settlement: `0x${"1".repeat(40)}` } } },
  ])("signs nothing for a pool of $name than configured", async ({ expected }) => {
    const signed: unknown[] = [];
    const signer = {
      address: "0x70997970C51812dc3A010C7d01b50e0d17dc79C8",
      signTypedData: async (...message: unknown[]) => {
        signed.push(message);
        return "0x";
      },
    };
    const client = aClient(await aServer(aBackend()), { signer, expected });
    await expect(client.facts()).rejects.toMatchObject({ code: "WrongPool" });
    expect(signed).toEqual([]);
  });

  test("trusts no server of another authority", async () => {
    const server = await aServer(aBackend());
    const other = await createCertificateAuthority("pool-test");
    const client = aClient({ url: server.url, caPem: other.certPem }, { maxAttempts: 1 });
    await expect(client.facts()).rejects.toMatchObject({ code: "PoolUnreachable", disposition: "retry" });
  });

  test("a call that is aborted ends with the reason", async () => {
    const stop = new AbortController();
    const asked = Promise.withResolvers<void>();
    const heartbeat = () => {
      asked.resolve();
      return new Promise<never>(() => undefined);
    };
    const client = aClient(await aServer(aBackend({ heartbeat })));
    const call = client.heartbeat(beat, stop.signal);
    await asked.promise;
    stop.abort(new Error("stopping"));
    await expect(call).rejects.toThrow("stopping");
  });
});
