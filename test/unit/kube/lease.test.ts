import { Registry } from "prom-client";
import { afterEach, describe, expect, test } from "vitest";
import { InferiumError } from "../../../src/base/errors.ts";
import { createLeaderElector, type LeaseOptions } from "../../../src/kube/lease.ts";
import { createKubeMetrics } from "../../../src/kube/metrics.ts";
import { createLeaseServer, type LeaseServer } from "./lease-server.ts";
import { createManualClock, type ManualClock } from "./manual-clock.ts";

const running: { stop: AbortController; ended: Promise<void>; clock: ManualClock }[] = [];

afterEach(async () => {
  for (const { stop } of running) stop.abort();
  for (const { ended, clock } of running.splice(0)) {
    await clock.advance(20_000);
    await ended.catch(() => undefined);
  }
});

const untilAborted = (signal: AbortSignal) =>
  new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));

function contend(server: LeaseServer, clock: ManualClock, identity: string, more: Partial<LeaseOptions> = {}) {
  const log: string[] = [];
  const elector = createLeaderElector(server, {
    namespace: "ns",
    name: "op",
    identity,
    clock,
    random: () => 0,
    onStartedLeading: (signal) => {
      log.push("started");
      return untilAborted(signal);
    },
    onStoppedLeading: () => log.push("stopped"),
    ...more,
  });
  const stop = new AbortController();
  const ended = elector.run(stop.signal);
  ended.catch(() => undefined);
  running.push({ stop, ended, clock });
  return { elector, stop, ended, log };
}

describe("leader election", () => {
  test("creates the lease with six-digit times and leads", async () => {
    const server = createLeaseServer();
    const clock = createManualClock(Date.parse("2026-03-04T05:06:07.089Z"));
    const { elector } = contend(server, clock, "a");
    await clock.advance(0);
    expect(elector.isLeader).toBe(true);
    expect(server.lease?.spec).toEqual({
      holderIdentity: "a",
      leaseDurationSeconds: 15,
      acquireTime: "2026-03-04T05:06:07.089000Z",
      renewTime: "2026-03-04T05:06:07.089000Z",
      leaseTransitions: 0,
    });
  });

  test("renews every two seconds and keeps the time of acquisition", async () => {
    const server = createLeaseServer();
    const clock = createManualClock(Date.parse("2026-01-01T00:00:00Z"));
    contend(server, clock, "a");
    await clock.advance(6_000);
    expect(server.writes.map((lease) => lease.spec?.renewTime?.slice(17))).toEqual([
      "00.000000Z",
      "02.000000Z",
      "04.000000Z",
      "06.000000Z",
    ]);
    expect(server.lease?.spec?.acquireTime).toBe("2026-01-01T00:00:00.000000Z");
  });

  test("does not take a lease that is being renewed, however wrong its holder's clock is", async () => {
    const server = createLeaseServer();
    const holderClock = createManualClock(Date.parse("1999-01-01T00:00:00Z"));
    const clock = createManualClock();
    contend(server, holderClock, "slow-clock");
    await holderClock.advance(0);
    const { elector, log } = contend(server, clock, "b");
    for (let round = 0; round < 20; round++) {
      await holderClock.advance(2_000);
      await clock.advance(2_000);
    }
    expect(elector.isLeader).toBe(false);
    expect(elector.holder).toBe("slow-clock");
    expect(log).toEqual([]);
  });

  test("takes over fifteen seconds after it last saw the holder renew, and not before", async () => {
    const server = createLeaseServer();
    const clock = createManualClock();
    const dead = {
      holderIdentity: "dead",
      leaseDurationSeconds: 15,
      leaseTransitions: 3,
      renewTime: "2099-01-01T00:00:00.000000Z",
    };
    server.lease = {
      apiVersion: "coordination.k8s.io/v1",
      kind: "Lease",
      metadata: { name: "op", namespace: "ns", resourceVersion: "0" },
      spec: dead,
    };
    const { elector } = contend(server, clock, "b");
    await clock.advance(14_999);
    expect(elector.isLeader).toBe(false);
    await clock.advance(2_000);
    expect(elector.isLeader).toBe(true);
    expect(server.lease?.spec).toMatchObject({ holderIdentity: "b", leaseTransitions: 4 });
  });

  test("never has two leaders among contenders that start together", async () => {
    const server = createLeaseServer();
    const clock = createManualClock();
    const electors = ["a", "b", "c"].map((identity) => contend(server, clock, identity).elector);
    await clock.advance(0);
    for (let round = 0; round < 10; round++) {
      expect(electors.filter((elector) => elector.isLeader)).toHaveLength(1);
      await clock.advance(2_500);
    }
  });

  test("gives up ten seconds after its last success, before anyone else may lead, and leads again later", async () => {
    const server = createLeaseServer();
    const clock = createManualClock();
    const { elector, log } = contend(server, clock, "a");
    await clock.advance(0);
    server.failure = new InferiumError("KubeUnreachable", "no route");
    await clock.advance(9_000);
    expect(elector.isLeader).toBe(true);
    await clock.advance(2_000);
    expect(elector.isLeader).toBe(false);
    expect(log).toEqual(["started", "stopped"]);
    server.failure = undefined;
    await clock.advance(3_000);
    expect(log).toEqual(["started", "stopped", "started"]);
  });

  test("stops at once when another holds the lease", async () => {
    const server = createLeaseServer();
    const clock = createManualClock();
    const { elector, log } = contend(server, clock, "a");
    await clock.advance(0);
    const lease = structuredClone(server.lease);
    if (!lease?.spec) throw new Error("no lease");
    lease.spec.holderIdentity = "usurper";
    lease.metadata.resourceVersion = "stolen";
    server.lease = lease;
    await clock.advance(2_000);
    expect(elector.isLeader).toBe(false);
    expect(log).toEqual(["started", "stopped"]);
    expect(server.lease?.spec?.holderIdentity).toBe("usurper");
  });

  test("on a clean stop keeps renewing until the work has ended, and then empties the lease", async () => {
    const server = createLeaseServer();
    const clock = createManualClock();
    const work = Promise.withResolvers<void>();
    const { stop, ended, elector } = contend(server, clock, "a", { onStartedLeading: () => work.promise });
    await clock.advance(0);
    stop.abort();
    await clock.advance(20_000);
    expect(server.writes.length).toBeGreaterThan(9);
    expect(server.lease?.spec?.holderIdentity).toBe("a");
    work.resolve();
    await ended;
    expect(server.lease?.spec?.holderIdentity).toBe("");
    expect(elector.isLeader).toBe(false);
    const next = contend(server, clock, "b");
    await clock.advance(0);
    expect(next.elector.isLeader).toBe(true);
  });

  test.each([
    { isWatchable: true, later: 0, what: "at once where it may watch" },
    { isWatchable: false, later: 2_000, what: "at its next look where watches are refused" },
  ])("takes a lease that is given back $what", async ({ isWatchable, later }) => {
    const server = Object.assign(createLeaseServer(), { isWatchable });
    const clock = createManualClock(0);
    const first = contend(server, clock, "a");
    await clock.advance(0);
    const second = contend(server, clock, "b");
    await clock.advance(4_100);
    expect(second.elector.holder).toBe("a");
    first.stop.abort();
    await clock.advance(0);
    expect(first.elector.isLeader).toBe(false);
    expect(second.elector.isLeader).toBe(isWatchable);
    await clock.advance(later);
    expect(second.elector.isLeader).toBe(true);
  });

  test("takes over fifteen seconds after the last renewal that a watch has shown, not at the next look", async () => {
    const server = Object.assign(createLeaseServer(), { isWatchable: true });
    const holderClock = createManualClock();
    const clock = createManualClock();
    contend(server, holderClock, "killed");
    await holderClock.advance(0);
    const { elector } = contend(server, clock, "b", { random: () => 0.99 });
    await clock.advance(1_000);
    // Renews a last time, and never again: its clock stands still.
    await holderClock.advance(2_000);
    await clock.advance(14_999);
    expect(elector.isLeader).toBe(false);
    await clock.advance(1);
    expect(elector.isLeader).toBe(true);
  });

  test("fails for good when the work of a lost term goes on until others may lead", async () => {
    const server = createLeaseServer();
    const clock = createManualClock();
    const deaf = { onStartedLeading: () => new Promise<void>(() => undefined) };
    const { ended } = contend(server, clock, "a", deaf);
    await clock.advance(0);
    server.failure = new InferiumError("KubeUnreachable", "no route");
    const outcome = expect(ended).rejects.toMatchObject({ code: "KubeLeaderOverrun", disposition: "fatal" });
    await clock.advance(20_000);
    await outcome;
  });

  test("throws what the work throws and gives the lease back", async () => {
    const server = createLeaseServer();
    const clock = createManualClock();
    const { ended } = contend(server, clock, "a", {
      onStartedLeading: async () => Promise.reject(new Error("broken")),
    });
    const outcome = expect(ended).rejects.toThrow("broken");
    await clock.advance(5_000);
    await outcome;
    expect(server.lease?.spec?.holderIdentity).toBe("");
  });

  test("shows in leader_election_master_status who leads", async () => {
    const server = createLeaseServer();
    const clock = createManualClock();
    const registry = new Registry();
    const { stop, ended } = contend(server, clock, "a", { metrics: createKubeMetrics(registry) });
    await clock.advance(0);
    expect(await registry.metrics()).toContain('leader_election_master_status{name="op"} 1');
    stop.abort();
    await clock.advance(2_000);
    await ended;
    expect(await registry.metrics()).toContain('leader_election_master_status{name="op"} 0');
  });

  test("refuses times that could give two leaders", () => {
    const options = { namespace: "ns", name: "op", identity: "a", onStartedLeading: async () => undefined };
    const bad = { ...options, leaseDurationMs: 10_000, renewDeadlineMs: 10_000 };
    expect(() => createLeaderElector(createLeaseServer(), bad)).toThrow("Bad lease times");
  });
});
