import { Registry } from "prom-client";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createStaticConnection } from "../../../src/kube/connection.ts";
import { createController } from "../../../src/kube/controller.ts";
import { configMaps } from "../../../src/kube/core-resources.ts";
import { createInformer } from "../../../src/kube/informer.ts";
import { createManager } from "../../../src/kube/manager.ts";
import { createKubeMetrics } from "../../../src/kube/metrics.ts";
import { createTransport, type Transport } from "../../../src/kube/transport.ts";
import {
  type MisbehavingServer,
  replyJson,
  replyStatus,
  replyStream,
  startMisbehavingServer,
} from "../../support/misbehaving-server.ts";
import { createLeaseServer } from "../../unit/kube/lease-server.ts";

let server: MisbehavingServer;
let transport: Transport;
let stop: AbortController;

beforeEach(async () => {
  stop = new AbortController();
  server = await startMisbehavingServer();
  const connection = createStaticConnection({ server: server.url });
  transport = createTransport(connection, { fieldManager: "labeller" });
  server.script(
    "GET",
    replyJson({ metadata: { resourceVersion: "1" }, items: [{ metadata: { name: "a", namespace: "default" } }] }),
  );
  server.script("WATCH", replyStatus(422, "Invalid"), replyStream([], "stall"));
});

afterEach(async () => {
  stop.abort();
  await transport.close();
  await server.close();
});

describe("the manager", () => {
  const setUp = (reconcile: (key: string, signal: AbortSignal) => Promise<void>) => {
    const informer = createInformer(transport, configMaps);
    const controller = createController({ name: "c", reconcile });
    controller.watch(informer);
    return { informer, controller };
  };

  test("is ready only when its informers hold a full list", async () => {
    const { informer, controller } = setUp(async () => undefined);
    const manager = createManager({ informers: [informer], controllers: [controller] });
    expect(manager.readyChecks.informers?.()).toBe("no full list yet of configmaps");
    const running = manager.run(stop.signal);
    await expect.poll(() => manager.readyChecks.informers?.()).toBe(true);
    stop.abort();
    await running;
    // It is stopped: a running one refuses a second start.
    expect(() => informer.start()).not.toThrow();
    await informer.stop();
  });

  test("reconciles only while it leads, and gives the lease back after the last reconcile has ended", async () => {
    const log: string[] = [];
    const leaseServer = createLeaseServer();
    const { informer, controller } = setUp(async (key, signal) => {
      log.push(`begin ${key}`);
      await new Promise<void>((resolve) => signal.addEventListener("abort", () => setTimeout(resolve, 100)));
      log.push(`end ${key}, lease of ${leaseServer.lease?.spec?.holderIdentity}`);
    });
    const times = { leaseDurationMs: 2_000, renewDeadlineMs: 1_000, retryPeriodMs: 50 };
    const lease = { transport: leaseServer, namespace: "ns", name: "op", identity: "me", ...times };
    const manager = createManager({ informers: [informer], controllers: [controller], lease });
    const running = manager.run(stop.signal);
    await expect.poll(() => log).toEqual(["begin default/a"]);
    expect(manager.isLeader).toBe(true);
    stop.abort();
    await running;
    expect(log).toEqual(["begin default/a", "end default/a, lease of me"]);
    expect(leaseServer.lease?.spec?.holderIdentity).toBe("");
  });

  test("follows the server but does not reconcile while another leads", async () => {
    const leaseServer = createLeaseServer();
    const spec = { holderIdentity: "other", leaseDurationSeconds: 60 };
    leaseServer.lease = {
      apiVersion: "coordination.k8s.io/v1",
      kind: "Lease",
      metadata: { name: "op", namespace: "ns" },
      spec,
    };
    const reconciled: string[] = [];
    const { informer, controller } = setUp(async (key) => void reconciled.push(key));
    const lease = { transport: leaseServer, namespace: "ns", name: "op", identity: "me" };
    const manager = createManager({ informers: [informer], controllers: [controller], lease });
    const running = manager.run(stop.signal);
    await expect.poll(() => controller.queue.length).toBe(1);
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(reconciled).toEqual([]);
    stop.abort();
    await running;
  });

  test("fails when a reconcile ignores its stop for longer than the grace time", async () => {
    let release = (): void => undefined;
    const begun = Promise.withResolvers<void>();
    const { informer, controller } = setUp(() => {
      begun.resolve();
      return new Promise<void>((resolve) => {
        release = resolve;
      });
    });
    const manager = createManager({ informers: [informer], controllers: [controller], gracePeriodMs: 100 });
    const running = manager.run(stop.signal);
    const outcome = expect(running).rejects.toMatchObject({ code: "KubeStopTimedOut", disposition: "fatal" });
    await begun.promise;
    stop.abort();
    await outcome;
    release();
    await informer.stop();
  });

  test("ends with the error of a leader task, and stops the rest", async () => {
    const { informer, controller } = setUp(async () => undefined);
    const leaderTasks = [async () => Promise.reject(new Error("task broke"))];
    const manager = createManager({ informers: [informer], controllers: [controller], leaderTasks });
    await expect(manager.run(stop.signal)).rejects.toThrow("task broke");
  });

  test("says which list is missing when it cannot start", async () => {
    server.script("GET", replyStatus(403, "Forbidden"));
    const { informer } = setUp(async () => undefined);
    const manager = createManager({ informers: [informer], syncTimeoutMs: 200 });
    await expect(manager.run(stop.signal)).rejects.toThrow("configmaps had no full list within 200 ms");
  });
});

test("controller metrics have the names that dashboards know", async () => {
  const registry = new Registry();
  let tries = 0;
  const controller = createController({
    name: "c",
    metrics: createKubeMetrics(registry),
    reconcile: async (key) => {
      if (key === "later") return { requeueAfterMs: 60_000 };
      if (++tries === 1) throw new Error("first try");
      return undefined;
    },
  });
  controller.enqueue("a");
  controller.enqueue("later");
  const running = controller.run(stop.signal);
  await expect.poll(() => tries).toBe(2);
  stop.abort();
  await running;
  const text = await registry.metrics();
  for (const line of [
    'controller_runtime_reconcile_total{controller="c",result="success"} 1',
    'controller_runtime_reconcile_total{controller="c",result="error"} 1',
    'controller_runtime_reconcile_total{controller="c",result="requeue_after"} 1',
    'controller_runtime_reconcile_errors_total{controller="c"} 1',
    'controller_runtime_reconcile_time_seconds_count{controller="c"} 3',
    'workqueue_retries_total{name="c"} 1',
  ]) {
    expect(text).toContain(line);
  }
});
