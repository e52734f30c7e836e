import { Registry } from "prom-client";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { createStaticConnection } from "../../../src/kube/connection.ts";
import { type ConfigMap, configMaps } from "../../../src/kube/core-resources.ts";
import { createInformer, type Informer, type InformerOptions } from "../../../src/kube/informer.ts";
import { createKubeMetrics } from "../../../src/kube/metrics.ts";
import { createTransport, type Transport } from "../../../src/kube/transport.ts";
import {
  buildStatus,
  type MisbehavingServer,
  type Reply,
  replyJson,
  replyNothing,
  replyReset,
  replyStatus,
  replyStream,
  startMisbehavingServer,
} from "../../support/misbehaving-server.ts";

let server: MisbehavingServer;
let transport: Transport;
const informers: Informer<unknown>[] = [];

beforeEach(async () => {
  server = await startMisbehavingServer();
  transport = createTransport(createStaticConnection({ server: server.url }), { maxRetries: 0 });
});

afterEach(async () => {
  await Promise.all(informers.splice(0).map((informer) => informer.stop()));
  await transport.close();
  await server.close();
});

const item = (name: string, resourceVersion: string) => ({
  metadata: { name, namespace: "ns", uid: name, resourceVersion },
});
const aMap = (name: string, resourceVersion: string) => ({
  apiVersion: "v1",
  kind: "ConfigMap",
  ...item(name, resourceVersion),
});
const list = (resourceVersion: string, ...items: object[]) => replyJson({ metadata: { resourceVersion }, items });
const event = (type: string, name: string, resourceVersion: string) => ({ type, object: aMap(name, resourceVersion) });
const bookmark = (resourceVersion: string, annotations?: Record<string, string>) => ({
  type: "BOOKMARK",
  object: { kind: "ConfigMap", apiVersion: "v1", metadata: { resourceVersion, annotations } },
});
const initialEnd = (resourceVersion: string) => bookmark(resourceVersion, { "k8s.io/initial-events-end": "true" });
const errorEvent = (code: number, reason: string) => ({ type: "ERROR", object: buildStatus(code, reason) });
const quiet = replyStream([], "stall");

function follow(options: Partial<InformerOptions<ConfigMap>> = {}) {
  const seen: string[] = [];
  const informer = createInformer(transport, configMaps, {
    watchList: false,
    ...options,
    timing: { backoffInitialMs: 20, backoffMaxMs: 50, ...options.timing },
  });
  informers.push(informer);
  informer.onEvent(({ type, key, object }) => seen.push(`${type} ${key}@${object.metadata.resourceVersion}`));
  informer.start();
  return { informer, seen };
}

const watchedFrom = () =>
  server.requests.filter((request) => request.verb === "WATCH").map((request) => request.query.get("resourceVersion"));

describe("an informer lists, then watches", () => {
  test("and gives both in one shape, kind and all, without managed fields", async () => {
    const listed = { metadata: { ...item("a", "1").metadata, managedFields: [{}] } };
    server.script("GET", list("5", listed));
    server.script(
      "WATCH",
      replyStream(
        [
          event("ADDED", "b", "6"),
          {
            type: "MODIFIED",
            object: { ...aMap("a", "7"), metadata: { ...aMap("a", "7").metadata, managedFields: [{}] } },
          },
          event("DELETED", "b", "8"),
        ],
        "stall",
      ),
    );
    const { informer, seen } = follow();
    await informer.synced(5_000);
    await expect.poll(() => seen).toEqual(["added ns/a@1", "added ns/b@6", "updated ns/a@7", "deleted ns/b@8"]);
    expect(informer.store.list()).toEqual([aMap("a", "7")]);
    expect(watchedFrom()).toEqual(["5"]);
  });

  test("asks for bookmarks and a watch of five to ten minutes", async () => {
    server.script("GET", list("5"));
    server.script("WATCH", quiet);
    follow({ random: () => 0.5 });
    await expect.poll(() => server.count("WATCH")).toBe(1);
    const query = server.requests.find((request) => request.verb === "WATCH")?.query;
    expect(query?.get("allowWatchBookmarks")).toBe("true");
    expect(query?.get("timeoutSeconds")).toBe("450");
  });

  test("hands what it holds to a handler that comes late", async () => {
    server.script("GET", list("5", item("a", "1")));
    server.script("WATCH", quiet);
    const { informer } = follow();
    await informer.synced(5_000);
    const late: string[] = [];
    informer.onEvent(({ type, key }) => late.push(`${type} ${key}`));
    expect(late).toEqual(["added ns/a"]);
  });

  test("survives a handler that throws, and so do the other handlers", async () => {
    server.script("GET", list("5"));
    server.script("WATCH", replyStream([event("ADDED", "a", "6"), event("ADDED", "b", "7")], "stall"));
    const seen: string[] = [];
    const informer = createInformer(transport, configMaps, { watchList: false });
    informers.push(informer);
    informer.onEvent(() => {
      throw new Error("a bug in a handler");
    });
    informer.onEvent(({ key }) => seen.push(key));
    informer.start();
    await expect.poll(() => seen).toEqual(["ns/a", "ns/b"]);
  });
});

test("an event whose transform throws comes again, and is not lost", async () => {
  server.script("GET", list("5"));
  server.script("WATCH", replyStream([event("ADDED", "a", "6"), event("ADDED", "b", "7")], "stall"));
  let failures = 2;
  const { seen } = follow({
    transform: (object) => {
      if (failures-- > 0) throw new Error("a bug in a transform");
      return object;
    },
  });
  await expect.poll(() => seen).toEqual(["added ns/a@6", "added ns/b@7"]);
  expect(watchedFrom()).toEqual(["5", "5", "5"]);
});

test("an informer tells its first state from changes", async () => {
  server.script("GET", list("5", item("a", "1")), list("9", item("a", "1"), item("c", "8")));
  server.script(
    "WATCH",
    replyStream([event("ADDED", "b", "6"), errorEvent(410, "Expired")], "close"),
    replyStream([], "stall"),
  );
  const informer = createInformer(transport, configMaps, { watchList: false });
  informers.push(informer);
  const seen: string[] = [];
  informer.onEvent(({ key }, { initial }) => seen.push(`${key} ${initial}`));
  informer.start();
  await expect.poll(() => seen).toEqual(["ns/a true", "ns/b false", "ns/b false", "ns/c false"]);
  const late: string[] = [];
  informer.onEvent(({ key }, { initial }) => late.push(`${key} ${initial}`));
  expect(late).toEqual(["ns/a true", "ns/c true"]);
});

describe("an informer goes on after", () => {
  const lists: { name: string; reply: Reply }[] = [
    { name: "a 429 with Retry-After to its list", reply: replyStatus(429, "TooManyRequests", { "retry-after": "0" }) },
    { name: "a 500 to its list", reply: replyStatus(500, "InternalError") },
    { name: "a reset during its list", reply: replyReset },
    { name: "a 410 to its list", reply: replyStatus(410, "Expired") },
    { name: "a 403 to its list", reply: replyStatus(403, "Forbidden") },
    {
      name: "a list that is not JSON",
      reply: (response) => void response.writeHead(200, { "content-type": "application/json" }).end("<html>"),
    },
    { name: "a list that never comes", reply: replyNothing },
  ];
  for (const { name, reply } of lists) {
    test(name, async () => {
      server.script("GET", reply, reply, list("5", item("a", "1")));
      server.script("WATCH", quiet);
      const { informer, seen } = follow({ timing: { backoffInitialMs: 20, backoffMaxMs: 50, listTimeoutMs: 200 } });
      await informer.synced(5_000);
      expect(seen).toEqual(["added ns/a@1"]);
    });
  }

  const watches: { name: string; reply: Reply; want: { lists: number; from: string[] } }[] = [
    { name: "a 429 to its watch", reply: replyStatus(429, "TooManyRequests"), want: { lists: 1, from: ["5", "5"] } },
    { name: "a 500 to its watch", reply: replyStatus(500, "InternalError"), want: { lists: 1, from: ["5", "5"] } },
    { name: "a reset of its watch", reply: replyReset, want: { lists: 1, from: ["5", "5"] } },
    {
      name: "a reset in the middle of its watch",
      reply: replyStream([event("ADDED", "b", "6")], "reset"),
      want: { lists: 1, from: ["5", "6"] },
    },
    {
      name: "a clean close",
      reply: replyStream([event("ADDED", "b", "6")], "close"),
      want: { lists: 1, from: ["5", "6"] },
    },
    {
      name: "a clean close after a bookmark only",
      reply: replyStream([bookmark("33")], "close"),
      want: { lists: 1, from: ["5", "33"] },
    },
    { name: "a clean close at once", reply: replyStream([], "close"), want: { lists: 1, from: ["5", "5"] } },
    { name: "a silent watch", reply: replyStream([bookmark("33")], "stall"), want: { lists: 1, from: ["5", "33"] } },
    { name: "a 410 to its watch", reply: replyStatus(410, "Expired"), want: { lists: 2, from: ["5", "8"] } },
    {
      name: "a 410 inside its watch",
      reply: replyStream([event("ADDED", "b", "6"), errorEvent(410, "Expired")], "close"),
      want: { lists: 2, from: ["5", "8"] },
    },
    {
      name: "a server restored from an old backup",
      reply: replyJson(
        { ...buildStatus(504, "Timeout"), details: { causes: [{ reason: "ResourceVersionTooLarge" }] } },
        504,
      ),
      want: { lists: 2, from: ["5", "8"] },
    },
    {
      name: "a 500 inside its watch",
      reply: replyStream([event("ADDED", "b", "6"), errorEvent(500, "InternalError")], "stall"),
      want: { lists: 1, from: ["5", "6"] },
    },
    {
      name: "half an event",
      reply: (response) => void response.writeHead(200).end('{"type":"ADDED","obj'),
      want: { lists: 1, from: ["5", "5"] },
    },
  ];
  for (const { name, reply, want } of watches) {
    test(`${name}, from ${want.from[1]}${want.lists > 1 ? " after a new list" : ""}`, async () => {
      server.script("GET", list("5", item("a", "1")), list("8", item("a", "1"), item("b", "6")));
      server.script("WATCH", reply, replyStream([event("ADDED", "last", "90")], "stall"));
      const { seen } = follow({ timing: { backoffInitialMs: 20, backoffMaxMs: 50, stallMs: 300 } });
      await expect.poll(() => seen.at(-1), { timeout: 5_000 }).toBe("added ns/last@90");
      // The watch that ends the test stalls too, so later watches are not its concern.
      expect(watchedFrom().slice(0, 2)).toEqual(want.from);
      expect(server.count("GET")).toBe(want.lists);
    });
  }
});

describe("an informer misses nothing", () => {
  test("when objects vanish, change and appear while it cannot watch", async () => {
    server.script(
      "GET",
      list("5", item("kept", "1"), item("changed", "2"), item("gone", "3")),
      list("20", item("kept", "1"), item("changed", "12"), item("new", "13")),
    );
    server.script("WATCH", replyStatus(410, "Expired"), quiet);
    const { informer, seen } = follow();
    await expect.poll(() => watchedFrom()).toEqual(["5", "20"]);
    expect(seen.slice(3)).toEqual(["deleted ns/gone@3", "updated ns/changed@12", "added ns/new@13"]);
    expect([...informer.store.keys()].sort()).toEqual(["ns/changed", "ns/kept", "ns/new"]);
  });

  test("when a watch that starts again repeats what it already has", async () => {
    server.script("GET", list("5"));
    server.script(
      "WATCH",
      replyStream([event("ADDED", "a", "6")], "reset"),
      replyStream([event("ADDED", "a", "6"), event("ADDED", "b", "7")], "stall"),
    );
    const { seen } = follow();
    await expect.poll(() => seen).toEqual(["added ns/a@6", "added ns/b@7"]);
  });
});

describe("an informer spares a server in trouble", () => {
  test("by waiting longer after each failure, and at least as long as Retry-After says", async () => {
    const waits: number[] = [];
    const clock = {
      now: () => 0,
      monotonic: () => performance.now(),
      sleep: async (ms: number) => void waits.push(ms),
    };
    server.script("GET", list("5"));
    const failing = replyStatus(500, "InternalError");
    server.script(
      "WATCH",
      failing,
      failing,
      replyStatus(429, "TooManyRequests", { "retry-after": "40" }),
      failing,
      quiet,
    );
    follow({ clock, random: () => 0, timing: { backoffInitialMs: 100, backoffMaxMs: 10_000 } });
    await expect.poll(() => server.count("WATCH")).toBe(5);
    expect(waits).toEqual([50, 100, 40_000, 400]);
  });

  test("but from the shortest wait again once a watch has given something", async () => {
    const waits: number[] = [];
    const clock = {
      now: () => 0,
      monotonic: () => performance.now(),
      sleep: async (ms: number) => void waits.push(ms),
    };
    server.script("GET", list("5"));
    const failing = replyStatus(500, "InternalError");
    server.script("WATCH", failing, failing, replyStream([bookmark("6")], "reset"), failing, quiet);
    follow({ clock, random: () => 0, timing: { backoffInitialMs: 100, backoffMaxMs: 10_000 } });
    await expect.poll(() => server.count("WATCH")).toBe(5);
    expect(waits).toEqual([50, 100, 50, 100]);
  });

  test("also when every watch is answered 410: only the first list comes at once", async () => {
    const waits: number[] = [];
    const clock = {
      now: () => 0,
      monotonic: () => performance.now(),
      sleep: async (ms: number) => void waits.push(ms),
    };
    const gone = replyStatus(410, "Expired");
    server.script("GET", list("5"));
    server.script("WATCH", gone, gone, gone, quiet);
    follow({ clock, random: () => 0, timing: { backoffInitialMs: 100, backoffMaxMs: 10_000 } });
    await expect.poll(() => server.count("WATCH")).toBe(4);
    expect(waits).toEqual([0, 100, 200]);
  });

  test("but comes back at once after a clean close", async () => {
    const waits: number[] = [];
    const clock = {
      now: () => 0,
      monotonic: () => performance.now(),
      sleep: async (ms: number) => void waits.push(ms),
    };
    server.script("GET", list("5"));
    server.script("WATCH", replyStream([bookmark("6")], "close"), replyStream([bookmark("7")], "close"), quiet);
    follow({ clock });
    await expect.poll(() => watchedFrom()).toEqual(["5", "6", "7"]);
    expect(waits).toEqual([]);
  });

  test("and counts what failed", async () => {
    const registry = new Registry();
    server.script("GET", list("5"));
    server.script("WATCH", replyStatus(500, "InternalError"), quiet);
    follow({ metrics: createKubeMetrics(registry) });
    await expect.poll(() => server.count("WATCH")).toBe(2);
    expect(await registry.metrics()).toContain(
      'reflector_watch_errors_total{resource="configmaps",reason="KubeInternalError"} 1',
    );
  });
});

describe("with WatchList", () => {
  test("an informer reads state and changes in one stream, and readers never see half of the state", async () => {
    const initial = [event("ADDED", "a", "1"), event("ADDED", "b", "2")];
    let sendRest = (): void => undefined;
    server.script("WATCH", (response) => {
      response.writeHead(200);
      for (const one of initial) response.write(`${JSON.stringify(one)}\n`);
      sendRest = () =>
        void response.write(`${JSON.stringify(initialEnd("9"))}\n${JSON.stringify(event("DELETED", "a", "10"))}\n`);
    });
    const { informer, seen } = follow({ watchList: true });
    await expect.poll(() => server.count("WATCH")).toBe(1);
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect([informer.hasSynced, informer.store.size]).toEqual([false, 0]);
    sendRest();
    await expect.poll(() => seen).toEqual(["added ns/a@1", "added ns/b@2", "deleted ns/a@10"]);
    const query = server.requests[0]?.query;
    expect([query?.get("sendInitialEvents"), query?.get("resourceVersionMatch")]).toEqual(["true", "NotOlderThan"]);
    expect(server.count("GET")).toBe(0);
  });

  const unsupported: { name: string; reply: Reply }[] = [
    { name: "refuses it", reply: replyStatus(422, "Invalid") },
    { name: "takes it for a plain watch", reply: replyStream([event("ADDED", "a", "1")], "stall") },
    { name: "closes before the end of the initial events", reply: replyStream([event("ADDED", "a", "1")], "close") },
  ];
  for (const { name, reply } of unsupported) {
    test(`falls back to a list on a server that ${name}`, async () => {
      server.script("GET", list("5", item("a", "1")));
      server.script("WATCH", reply, quiet);
      const { informer, seen } = follow({
        watchList: true,
        timing: { backoffInitialMs: 20, backoffMaxMs: 50, initialStallMs: 200 },
      });
      await informer.synced(5_000);
      expect(seen).toEqual(["added ns/a@1"]);
      await expect.poll(() => watchedFrom()).toEqual([null, "5"]);
    });
  }

  test("asks again for it after a failure that says nothing about it", async () => {
    server.script(
      "WATCH",
      replyStatus(500, "InternalError"),
      replyReset,
      replyStream([event("ADDED", "a", "1"), initialEnd("9")], "stall"),
    );
    const { informer } = follow({ watchList: true });
    await informer.synced(5_000);
    expect(informer.store.size).toBe(1);
    expect(server.count("GET")).toBe(0);
  });
});

describe("a stop is final", () => {
  test("during backoff", async () => {
    server.script("GET", replyStatus(500, "InternalError"));
    const { informer } = follow({ timing: { backoffInitialMs: 60_000, backoffMaxMs: 60_000 } });
    await expect.poll(() => server.count("GET")).toBe(1);
    await new Promise((resolve) => setTimeout(resolve, 50));
    await informer.stop();
    server.script("GET", list("5", item("a", "1")));
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(server.count("GET")).toBe(1);
    expect(informer.hasSynced).toBe(false);
  }, 5_000);

  test("during a list whose answer is on its way", async () => {
    server.script("GET", async (response, request) => {
      await new Promise((resolve) => setTimeout(resolve, 150));
      list("5", item("a", "1"))(response, request);
    });
    const { informer, seen } = follow();
    await expect.poll(() => server.count("GET")).toBe(1);
    await informer.stop();
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect([seen, informer.store.size]).toEqual([[], 0]);
  });

  test("during a watch, whose connection is closed; and after it a start begins anew", async () => {
    server.script("GET", list("5", item("a", "1"), item("b", "1")), list("9", item("b", "1")));
    server.script("WATCH", quiet);
    const { informer, seen } = follow();
    await expect.poll(() => server.count("WATCH")).toBe(1);
    await informer.stop();
    await expect.poll(() => server.openSockets).toBeLessThanOrEqual(1);
    informer.start();
    await expect.poll(() => server.count("WATCH")).toBe(2);
    expect(seen).toEqual(["added ns/a@1", "added ns/b@1", "deleted ns/a@1"]);
  });

  test("when the caller's signal aborts instead", async () => {
    server.script("GET", list("5"));
    server.script("WATCH", quiet);
    const informer = createInformer(transport, configMaps, { watchList: false });
    informers.push(informer);
    const stop = new AbortController();
    informer.start(stop.signal);
    await expect.poll(() => server.count("WATCH")).toBe(1);
    const before = server.openSockets;
    stop.abort();
    await expect.poll(() => server.openSockets).toBe(before - 1);
    expect(server.count("WATCH")).toBe(1);
  });
});

test("an informer that never gets a list says so when waited for", async () => {
  server.script("GET", replyStatus(404, "NotFound"));
  const { informer } = follow();
  await expect(informer.synced(150)).rejects.toMatchObject({ code: "KubeInformerNotSynced" });
});

test("waiting for an informer holds no process up that has stopped it", () => {
  const { informer } = follow();
  const setTimer = vi.spyOn(globalThis, "setTimeout");
  informer.synced(60_000).catch(() => undefined);
  const timer = setTimer.mock.results.at(-1)?.value as NodeJS.Timeout;
  setTimer.mockRestore();
  expect(timer.hasRef()).toBe(false);
  clearTimeout(timer);
});
