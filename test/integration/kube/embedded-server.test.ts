/** The runtime against the embedded API server over HTTPS: its own view of a server that nobody scripted. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { silentLogger } from "../../../src/base/log.ts";
import { type ApiServer, startApiServer } from "../../../src/embedded/apiserver/server.ts";
import { isAlreadyExists, isConflict, isNotFound } from "../../../src/kube/api-error.ts";
import { createClient } from "../../../src/kube/client.ts";
import { createStaticConnection } from "../../../src/kube/connection.ts";
import { configMaps, events, leases, nodes } from "../../../src/kube/core-resources.ts";
import { createEventRecorder } from "../../../src/kube/events.ts";
import { addFinalizer, removeFinalizer } from "../../../src/kube/finalizers.ts";
import { createInformer, type Informer } from "../../../src/kube/informer.ts";
import { createLeaderElector } from "../../../src/kube/lease.ts";
import { createTransport, type Transport } from "../../../src/kube/transport.ts";

let server: ApiServer;
let transport: Transport;
const informers: Informer<unknown>[] = [];
const namespace = "default";

beforeAll(async () => {
  server = await startApiServer({ logger: silentLogger, historyLimit: 20 });
  const connection = createStaticConnection({ server: server.url, token: server.adminToken, ca: server.caPem });
  transport = createTransport(connection, { fieldManager: "runtime" });
});

afterEach(async () => {
  await Promise.all(informers.splice(0).map((informer) => informer.stop()));
});

afterAll(async () => {
  await transport.close();
  await server.close();
});

describe("against the embedded API server", () => {
  for (const watchList of [true, false]) {
    test(`an informer follows creates, applies and deletes ${watchList ? "from its first request" : "after a list"}`, async () => {
      const labelSelector = `round=${watchList}`;
      const labels = { round: String(watchList) };
      const client = createClient(transport, configMaps);
      await client.apply({ metadata: { name: `early-${watchList}`, namespace, labels }, data: { n: "1" } });
      const informer = createInformer(transport, configMaps, { namespace, labelSelector, watchList });
      informers.push(informer);
      const seen: string[] = [];
      informer.onEvent(({ type, key, object }) => seen.push(`${type} ${key} ${object.data?.n}`));
      informer.start();
      await informer.synced(10_000);
      await client.apply({ metadata: { name: `late-${watchList}`, namespace, labels }, data: { n: "2" } });
      await client.apply({ metadata: { name: `late-${watchList}`, namespace, labels }, data: { n: "3" } });
      await client.delete({ name: `early-${watchList}`, namespace });
      await expect
        .poll(() => seen)
        .toEqual([
          `added default/early-${watchList} 1`,
          `added default/late-${watchList} 2`,
          `updated default/late-${watchList} 3`,
          `deleted default/early-${watchList} 1`,
        ]);
    });
  }

  test("an apply drops what it gave before, keeps what others own, and reaches the status", async () => {
    const client = createClient(transport, nodes);
    const other = createClient(transport, nodes, { fieldManager: "other" });
    await client.apply({ metadata: { name: "n1", labels: { mine: "1", gone: "1" } } });
    await other.apply({ metadata: { name: "n1", labels: { theirs: "1" } } });
    await client.apply({ metadata: { name: "n1", labels: { mine: "2" } } });
    await client.applyStatus({ metadata: { name: "n1" }, status: { capacity: { "nvidia.com/gpu": "8" } } });
    const node = await client.get({ name: "n1" });
    expect(node.metadata.labels).toMatchObject({ mine: "2", theirs: "1" });
    expect(node.metadata.labels).not.toHaveProperty("gone");
    expect(node.status?.capacity).toEqual({ "nvidia.com/gpu": "8" });
  });

  test("refusals are told apart", async () => {
    const client = createClient(transport, configMaps);
    const object = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "once", namespace } };
    const created = await client.create(object);
    await client.update({ ...created, data: { a: "b" } });
    const errors = await Promise.all([
      client.create(object).catch((error: unknown) => error),
      client.update({ ...created, data: { a: "c" } }).catch((error: unknown) => error),
      client.get({ name: "absent", namespace }).catch((error: unknown) => error),
      client
        .delete({ name: "once", namespace }, { preconditions: { uid: "another" } })
        .catch((error: unknown) => error),
    ]);
    expect(errors.map(isAlreadyExists)).toEqual([true, false, false, false]);
    expect(errors.map(isConflict)).toEqual([false, true, false, true]);
    expect(errors.map(isNotFound)).toEqual([false, false, true, false]);
  });

  test("finalizers come and go by precondition, and the last one lets the object go", async () => {
    const client = createClient(transport, configMaps);
    const ref = { name: "held", namespace };
    const created = await client.create({ apiVersion: "v1", kind: "ConfigMap", metadata: ref });
    const held = await addFinalizer(client, created, "example.com/a");
    expect(await addFinalizer(client, held, "example.com/a")).toBe(held);
    // Read before the first finalizer came: adding by it would drop that one.
    expect(await addFinalizer(client, created, "example.com/b").catch(isConflict)).toBe(true);
    await client.delete(ref);
    const ending = await client.get(ref);
    expect(ending.metadata.finalizers).toEqual(["example.com/a"]);
    expect(await addFinalizer(client, ending, "example.com/late")).toBe(ending);
    expect(await removeFinalizer(client, ending, "example.com/a")).toBeUndefined();
    expect(await client.get(ref).catch(isNotFound)).toBe(true);
    expect(await removeFinalizer(client, ending, "example.com/a")).toBeUndefined();
    await client.create({ apiVersion: "v1", kind: "ConfigMap", metadata: ref });
    expect(await addFinalizer(client, created, "example.com/namesake").catch(isConflict)).toBe(true);
    const unread = { apiVersion: "v1", kind: "ConfigMap", metadata: ref };
    await expect(addFinalizer(client, unread, "example.com/a")).rejects.toThrow("read it first");
  });

  test("a list comes in pages and in full", async () => {
    const client = createClient(transport, configMaps);
    const names = Array.from({ length: 25 }, (_, index) => `page-${String(index).padStart(2, "0")}`);
    const labels = { paged: "yes" };
    await Promise.all(names.map((name) => client.apply({ metadata: { name, namespace, labels } })));
    const list = await client.list({ namespace, labelSelector: "paged=yes", pageSize: 10 });
    expect(list.items.map((item) => item.metadata.name).sort()).toEqual(names);
  });

  test("a lease is held by one, and by the next once the first has stopped cleanly", async () => {
    const contend = (identity: string) => {
      const stop = new AbortController();
      const led = Promise.withResolvers<void>();
      const elector = createLeaderElector(transport, {
        namespace,
        name: "op",
        identity,
        leaseDurationMs: 15_000,
        renewDeadlineMs: 10_000,
        retryPeriodMs: 50,
        onStartedLeading: (signal) => {
          led.resolve();
          return new Promise((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
        },
      });
      return { elector, stop, led: led.promise, ended: elector.run(stop.signal) };
    };
    const first = contend("first");
    await first.led;
    const second = contend("second");
    await expect.poll(() => second.elector.holder).toBe("first");
    first.stop.abort();
    await first.ended;
    await second.led;
    expect(second.elector.isLeader).toBe(true);
    second.stop.abort();
    await second.ended;
    const lease = await createClient(transport, leases).get({ namespace, name: "op" });
    expect(lease.spec).toMatchObject({ holderIdentity: "", leaseTransitions: 1 });
  });

  test("an event and its repeats are one object", async () => {
    const regarding = await createClient(transport, nodes).apply({ metadata: { name: "n2" } });
    const recorder = createEventRecorder(transport, {
      reportingController: "example.com/test",
      reportingInstance: "test-1",
    });
    const news = {
      regarding,
      type: "Warning",
      reason: "Tested",
      action: "Test",
      note: "Something was tested.",
    } as const;
    const client = createClient(transport, events);
    const find = async () => {
      const { items } = await client.list({ namespace });
      return items.filter((item) => item.regarding?.name === "n2");
    };
    recorder.record(news);
    await expect.poll(async () => (await find()).length).toBe(1);
    recorder.record(news);
    recorder.record(news);
    await recorder.stop(5_000);
    const found = await find();
    expect(found).toHaveLength(1);
    expect(found[0]).toMatchObject({ reason: "Tested", type: "Warning", series: { count: 3 } });
  });
});
