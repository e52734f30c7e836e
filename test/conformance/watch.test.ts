/** Watches: from a version on, by name, by selector, with the state first, and how they end. */
import { expect } from "vitest";
import type { WatchEvent } from "./support/api.ts";
import { area, type Body, type CaseTools } from "./support/conformance-case.ts";

const aSecret = (name: string, labels: object = {}) => ({
  apiVersion: "v1",
  kind: "Secret",
  metadata: { name, labels },
});
const told = (events: readonly WatchEvent[]) => events.map(({ type, object }) => `${type} ${object.metadata.name}`);
const many = (count: number) => (events: readonly WatchEvent[]) => events.length >= count;
const toTheEnd = () => false;
const versionOf = (object: Body) => BigInt(object.metadata.resourceVersion);

async function start({ api, path }: CaseTools) {
  const secrets = await path("secrets");
  const since = (await api.get(secrets).expect(200)).metadata.resourceVersion as string;
  return { api, secrets, since, from: `${secrets}?watch=true&resourceVersion=${since}` };
}

area("watch", (conformance) => {
  conformance("from a version on, events come in the order of their versions", async (tools) => {
    const { api, secrets, from } = await start(tools);
    const events = await api.watch(from, many(3), {
      onOpen: async () => {
        await api.post(secrets, aSecret("one")).expect(201);
        await api.patch(`${secrets}/one`, "merge", { metadata: { labels: { a: "b" } } }).expect(200);
        await api.delete(`${secrets}/one`).expect(200);
      },
    });
    expect(told(events)).toEqual(["ADDED one", "MODIFIED one", "DELETED one"]);
    const versions = events.map(({ object }) => versionOf(object));
    expect(versions[0] ?? 0n).toBeLessThan(versions[1] ?? 0n);
    expect(versions[1] ?? 0n).toBeLessThan(versions[2] ?? 0n);
    expect(events[1]?.object).toMatchObject({ kind: "Secret", apiVersion: "v1", metadata: { labels: { a: "b" } } });
  });

  conformance("what happened before the watch but after its version is told as well", async (tools) => {
    const { api, secrets, from } = await start(tools);
    await api.post(secrets, aSecret("one")).expect(201);
    await api.delete(`${secrets}/one`).expect(200);
    expect(told(await api.watch(from, many(2)))).toEqual(["ADDED one", "DELETED one"]);
  });

  conformance("a deleted object comes as it was last, under the version of its deletion", async (tools) => {
    const { api, secrets, from } = await start(tools);
    const made = await api.post(secrets, { ...aSecret("one"), data: { k: "dg==" } }).expect(201);
    await api.delete(`${secrets}/one`).expect(200);
    const [, gone] = await api.watch(from, many(2));
    expect(gone?.object).toMatchObject({ data: { k: "dg==" }, metadata: { uid: made.metadata.uid } });
    expect(versionOf(gone?.object)).toBeGreaterThan(versionOf(made));
  });

  conformance("a change that changes nothing is no event", async (tools) => {
    const { api, secrets, from } = await start(tools);
    await api.post(secrets, aSecret("one", { a: "b" })).expect(201);
    await api.patch(`${secrets}/one`, "merge", { metadata: { labels: { a: "b" } } }).expect(200);
    await api.post(secrets, aSecret("two")).expect(201);
    expect(told(await api.watch(from, many(2)))).toEqual(["ADDED one", "ADDED two"]);
  });

  conformance("a dry run is no event", async (tools) => {
    const { api, secrets, from } = await start(tools);
    await api.post(`${secrets}?dryRun=All`, aSecret("dry")).expect(201);
    await api.post(secrets, aSecret("real")).expect(201);
    expect(told(await api.watch(from, many(1)))).toEqual(["ADDED real"]);
  });

  conformance("other namespaces are not told of; all are where none is named", async (tools) => {
    const { api, secrets, since } = await start(tools);
    const other = tools.unique("other");
    await api
      .post("/api/v1/namespaces", { apiVersion: "v1", kind: "Namespace", metadata: { name: other } })
      .expect(201);
    tools.removeLater(`/api/v1/namespaces/${other}`);
    await api.post(`/api/v1/namespaces/${other}/secrets`, aSecret("elsewhere")).expect(201);
    await api.post(secrets, aSecret("here")).expect(201);
    expect(told(await api.watch(`${secrets}?watch=1&resourceVersion=${since}`, many(1)))).toEqual(["ADDED here"]);
    const mine = (events: readonly WatchEvent[]) =>
      told(events).filter((line) => ["ADDED elsewhere", "ADDED here"].includes(line));
    const all = await api.watch(
      `/api/v1/secrets?watch=1&resourceVersion=${since}`,
      (events) => mine(events).length >= 2,
    );
    expect(mine(all)).toEqual(["ADDED elsewhere", "ADDED here"]);
  });

  conformance("a stream is JSON, one event a line", async (tools) => {
    const { api, secrets } = await start(tools);
    await api.post(secrets, aSecret("one")).expect(201);
    const reply = await api.get(`${secrets}?watch=true&timeoutSeconds=1`);
    expect(reply.status).toBe(200);
    expect(reply.headers["content-type"]).toBe("application/json");
    expect(reply.body).toMatchObject({ type: "ADDED", object: { metadata: { name: "one" } } });
  });

  conformance("timeoutSeconds ends a stream cleanly", async (tools) => {
    const { api, from } = await start(tools);
    expect(await api.watch(`${from}&timeoutSeconds=1`, toTheEnd)).toEqual([]);
  });

  conformance("any value of watch but false and 0 watches; those list", async (tools) => {
    const { api, secrets } = await start(tools);
    await api.post(secrets, aSecret("one")).expect(201);
    for (const value of ["true", "1", "yes", ""])
      expect(told(await api.watch(`${secrets}?watch=${value}&timeoutSeconds=1`, many(1)))).toEqual(["ADDED one"]);
    for (const value of ["false", "0", "False"])
      await api.get(`${secrets}?watch=${value}`).expect(200, { kind: "SecretList" });
  });

  conformance("watch on the path of one object is an ordinary get", async ({ api }) => {
    await api.get("/api/v1/namespaces/default?watch=true").expect(200, { kind: "Namespace" });
  });

  conformance("one object is watched by a field selector", async (tools) => {
    const { api, secrets, from } = await start(tools);
    await api.post(secrets, aSecret("one")).expect(201);
    await api.post(secrets, aSecret("two")).expect(201);
    expect(told(await api.watch(`${from}&fieldSelector=metadata.name%3Dtwo`, many(1)))).toEqual(["ADDED two"]);
  });

  conformance("the deprecated path of a collection watches it", async (tools) => {
    const { api, secrets, since } = await start(tools);
    await api.post(secrets, aSecret("one")).expect(201);
    const path = `/api/v1/watch/namespaces/${await tools.namespace()}/secrets?resourceVersion=${since}`;
    expect(told(await api.watch(path, many(1)))).toEqual(["ADDED one"]);
  });

  conformance("the deprecated path of an object watches that alone", async (tools) => {
    const { api, secrets } = await start(tools);
    for (const name of ["one", "two"]) await api.post(secrets, aSecret(name)).expect(201);
    const path = `/api/v1/watch/namespaces/${await tools.namespace()}/secrets/two?timeoutSeconds=1`;
    expect(told(await api.watch(path, toTheEnd))).toEqual(["ADDED two"]);
    expect(told(await api.watch("/api/v1/watch/namespaces/default?timeoutSeconds=1", toTheEnd))).toEqual([
      "ADDED default",
    ]);
  });

  conformance("the deprecated path takes nothing but GET", async ({ api }) => {
    await api.post("/api/v1/watch/secrets", {}).refuse(405, "MethodNotAllowed");
  });

  conformance("a version that is no number is refused before the stream begins", async (tools) => {
    const { api, secrets } = await start(tools);
    const reply = await api.get(`${secrets}?watch=true&resourceVersion=abc`);
    expect(reply.status).toBe(500);
    expect(reply.body.message).toContain('resourceVersion: Invalid value: "abc"');
  });

  conformance("a version from the future is waited for", async (tools) => {
    const { api, secrets } = await start(tools);
    expect(await api.watch(`${secrets}?watch=true&resourceVersion=9000000000&timeoutSeconds=1`, toTheEnd)).toEqual([]);
  });

  conformance("custom resources are watched", async ({ api, define }) => {
    const gadgets = await define({ kind: "Gadget" });
    const path = await gadgets.path();
    const { metadata } = await api.get(path).expect(200);
    const body = { apiVersion: gadgets.apiVersion(), kind: "Gadget", metadata: { name: "one" }, spec: { n: 1 } };
    await api.post(path, body).expect(201);
    const events = await api.watch(`${path}?watch=true&resourceVersion=${metadata.resourceVersion}`, many(1));
    expect(events[0]).toMatchObject({ type: "ADDED", object: body });
  });
});

area("watch selectors", (conformance) => {
  conformance("an object that begins to match is added, one that ceases to is deleted", async (tools) => {
    const { api, secrets, from } = await start(tools);
    await api.post(secrets, aSecret("one", { on: "no" })).expect(201);
    for (const on of ["yes", "yes-still", "no"])
      await api.patch(`${secrets}/one`, "merge", { metadata: { labels: { on } } }).expect(200);
    const events = await api.watch(`${from}&labelSelector=${encodeURIComponent("on in (yes,yes-still)")}`, many(3));
    expect(told(events)).toEqual(["ADDED one", "MODIFIED one", "DELETED one"]);
  });

  conformance("one that ceases to match comes as it last matched, under the version of the change", async (tools) => {
    const { api, secrets, from } = await start(tools);
    const made = await api.post(secrets, aSecret("one", { on: "yes" })).expect(201);
    const off = await api.patch(`${secrets}/one`, "merge", { metadata: { labels: { on: "no" } } }).expect(200);
    const [, left] = await api.watch(`${from}&labelSelector=on%3Dyes`, many(2));
    expect(left?.type).toBe("DELETED");
    expect(left?.object.metadata).toMatchObject({
      uid: made.metadata.uid,
      labels: { on: "yes" },
      resourceVersion: off.metadata.resourceVersion,
    });
  });

  conformance("one that never matched is not told of, not even its end", async (tools) => {
    const { api, secrets, from } = await start(tools);
    await api.post(secrets, aSecret("one", { on: "no" })).expect(201);
    await api.delete(`${secrets}/one`).expect(200);
    await api.post(secrets, aSecret("two", { on: "yes" })).expect(201);
    expect(told(await api.watch(`${from}&labelSelector=on%3Dyes`, many(1)))).toEqual(["ADDED two"]);
  });

  conformance("a field that changes moves an object in and out, too", async (tools) => {
    const { api, path } = tools;
    const pods = await path("pods");
    const { metadata } = await api.get(pods).expect(200);
    const spec = { containers: [{ name: "a", image: "a" }] };
    await api.post(pods, { apiVersion: "v1", kind: "Pod", metadata: { name: "one" }, spec }).expect(201);
    await api.patch(`${pods}/one/status`, "merge", { status: { phase: "Running" } }).expect(200);
    const query = `watch=1&resourceVersion=${metadata.resourceVersion}&fieldSelector=status.phase%3DPending`;
    expect(told(await api.watch(`${pods}?${query}`, many(2)))).toEqual(["ADDED one", "DELETED one"]);
  });

  conformance("the state that comes first is selected as well", async (tools) => {
    const { api, secrets } = await start(tools);
    for (const name of ["one", "two"]) await api.post(secrets, aSecret(name, { name })).expect(201);
    const events = await api.watch(`${secrets}?watch=true&labelSelector=name%3Dtwo&timeoutSeconds=1`, toTheEnd);
    expect(told(events)).toEqual(["ADDED two"]);
  });

  conformance("a malformed selector is refused before the stream begins", async (tools) => {
    const { api, secrets } = await start(tools);
    await api.get(`${secrets}?watch=true&labelSelector=a%3D%3D%3Db`).refuse(400, "BadRequest");
    await api.get(`${secrets}?watch=true&fieldSelector=spec.x%3D1`).refuse(400, "BadRequest");
  });
});

const initial = "watch=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan";

area("watch initial events", (conformance) => {
  for (const version of ["", "&resourceVersion=0"])
    conformance(
      `without a start (${version || "no version"}) the state comes first, then what happens`,
      async (tools) => {
        const { api, secrets } = await start(tools);
        await api.post(secrets, aSecret("one")).expect(201);
        // So that a state of any age has it.
        const { metadata } = await api.get(secrets).expect(200);
        await api.get(`${secrets}?resourceVersion=${metadata.resourceVersion}`).expect(200);
        const events = await api.watch(`${secrets}?watch=true${version}`, many(2), {
          onOpen: () => api.post(secrets, aSecret("two")).expect(201),
        });
        expect(told(events)).toEqual(["ADDED one", "ADDED two"]);
      },
    );

  conformance("sendInitialEvents with bookmarks marks the end of the state", async (tools) => {
    const { api, secrets } = await start(tools);
    const one = await api.post(secrets, aSecret("one")).expect(201);
    const events = await api.watch(`${secrets}?${initial}&allowWatchBookmarks=true`, many(3), {
      onOpen: () => api.post(secrets, aSecret("two")).expect(201),
    });
    const mark = events.findIndex(({ type }) => type === "BOOKMARK");
    expect(events[0]?.object.metadata.name).toBe("one");
    expect(mark).toBeGreaterThan(0);
    expect(events[mark]?.object).toMatchObject({
      kind: "Secret",
      apiVersion: "v1",
      metadata: { annotations: { "k8s.io/initial-events-end": "true" } },
    });
    expect(versionOf(events[mark]?.object)).toBeGreaterThanOrEqual(versionOf(one));
  });

  conformance("a watch without a version that allows bookmarks is marked, too", async (tools) => {
    const { api, secrets } = await start(tools);
    const events = await api.watch(`${secrets}?watch=true&allowWatchBookmarks=true`, many(1));
    expect(events[0]).toMatchObject({
      type: "BOOKMARK",
      object: { metadata: { annotations: { "k8s.io/initial-events-end": "true" } } },
    });
  });

  conformance("without bookmarks there is no mark", async (tools) => {
    const { api, secrets } = await start(tools);
    await api.post(secrets, aSecret("one")).expect(201);
    expect(told(await api.watch(`${secrets}?${initial}&timeoutSeconds=1`, toTheEnd))).toEqual(["ADDED one"]);
  });

  conformance("a version that has passed is no hindrance: the state is not older", async (tools) => {
    const { api, secrets, since } = await start(tools);
    await api.post(secrets, aSecret("one")).expect(201);
    await api.delete(`${secrets}/one`).expect(200);
    await api.post(secrets, aSecret("two")).expect(201);
    const { metadata } = await api.get(secrets).expect(200);
    await api.get(`${secrets}?resourceVersion=${metadata.resourceVersion}`).expect(200);
    const events = await api.watch(`${secrets}?${initial}&resourceVersion=${since}&timeoutSeconds=1`, toTheEnd);
    expect(told(events)).toEqual(["ADDED two"]);
  });

  conformance("sendInitialEvents=false sends no state", async (tools) => {
    const { api, secrets } = await start(tools);
    await api.post(secrets, aSecret("one")).expect(201);
    const query = "watch=true&sendInitialEvents=false&resourceVersionMatch=NotOlderThan&timeoutSeconds=1";
    expect(await api.watch(`${secrets}?${query}`, toTheEnd)).toEqual([]);
  });

  conformance("a state from the future is an error in the stream: 504 with its cause", async (tools) => {
    const { api, secrets } = await start(tools);
    const events = await api.watch(`${secrets}?${initial}&resourceVersion=9000000000`, toTheEnd);
    expect(events).toMatchObject([
      {
        type: "ERROR",
        object: {
          kind: "Status",
          code: 504,
          reason: "Timeout",
          details: { causes: [{ reason: "ResourceVersionTooLarge" }], retryAfterSeconds: 1 },
        },
      },
    ]);
  });

  const refusals: readonly (readonly [query: string, message: string])[] = [
    ["sendInitialEvents=true", "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan"],
    ["sendInitialEvents=false", "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan"],
    ["resourceVersionMatch=NotOlderThan", "resourceVersionMatch is forbidden for watch unless sendInitialEvents"],
    [
      "sendInitialEvents=true&resourceVersionMatch=Exact",
      'Unsupported value: "Exact": supported values: "NotOlderThan"',
    ],
    [
      "sendInitialEvents=true&resourceVersionMatch=NotOlderThan&continue=abc",
      "resourceVersionMatch is forbidden when continue is provided",
    ],
  ];
  for (const [query, message] of refusals)
    conformance(`${query} is refused for a watch`, async ({ api, path }) => {
      const status = await api.get(`${await path("secrets")}?watch=true&${query}`).refuse(422, "Invalid");
      expect(status.message).toContain(message);
      expect(status.details).toMatchObject({ group: "meta.k8s.io", kind: "ListOptions" });
    });
});

area("watch bookmarks", (conformance) => {
  conformance(
    "what a quiet stream that allows them may bring is bookmarks, never older than its start",
    async (tools) => {
      const { api, from, since } = await start(tools);
      const events = await api.watch(`${from}&allowWatchBookmarks=true&timeoutSeconds=3`, toTheEnd);
      for (const { type, object } of events) {
        expect(type).toBe("BOOKMARK");
        expect(object).toMatchObject({ kind: "Secret", apiVersion: "v1" });
        expect(object.metadata).not.toHaveProperty("annotations");
        expect(versionOf(object)).toBeGreaterThanOrEqual(BigInt(since));
      }
    },
  );

  conformance("none comes where they are not allowed", async (tools) => {
    const { api, from } = await start(tools);
    expect(await api.watch(`${from}&timeoutSeconds=3`, toTheEnd)).toEqual([]);
  });
});
