import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { configMap, startTestServer, type TestServer, type WatchEvent } from "./api-client.ts";

const path = "/api/v1/namespaces/default/configmaps";
let one: TestServer;
beforeAll(async () => {
  one = await startTestServer({ historyLimit: 20 });
});
afterAll(() => one.stop());

const kinds = (events: WatchEvent[]) =>
  events.map((event) => `${event.type} ${event.object.metadata?.name ?? ""}`.trim());
const revisionNow = async () => (await one.api.get(path)).body.metadata.resourceVersion as string;

describe("watch", () => {
  test("events after a version come in order, past ones first", async () => {
    const since = await revisionNow();
    await one.api.post(path, configMap("w1", { a: "1" }));
    const events = await one.api.watch(`${path}?watch=true&resourceVersion=${since}`, (all) => all.length >= 3, {
      onOpen: async () => {
        await one.api.patch(`${path}/w1`, "merge", { data: { a: "2" } });
        await one.api.delete(`${path}/w1`);
      },
    });
    expect(kinds(events)).toEqual(["ADDED w1", "MODIFIED w1", "DELETED w1"]);
    const versions = events.map((event) => Number(event.object.metadata.resourceVersion));
    expect(versions).toEqual([...versions].sort((a, b) => a - b));
    expect(new Set(versions).size).toBe(3);
    expect(events[2]?.object).toMatchObject({ kind: "ConfigMap", apiVersion: "v1", data: { a: "2" } });
  });

  test("an object that enters or leaves the selection is added or deleted for the watcher", async () => {
    const since = await revisionNow();
    const events = await one.api.watch(
      `${path}?watch=1&resourceVersion=${since}&labelSelector=on=yes`,
      (all) => all.length >= 3,
      {
        onOpen: async () => {
          await one.api.post(path, configMap("w2"));
          await one.api.patch(`${path}/w2`, "merge", { metadata: { labels: { on: "yes" } } });
          await one.api.patch(`${path}/w2`, "merge", { data: { a: "1" } });
          await one.api.patch(`${path}/w2`, "merge", { metadata: { labels: { on: "no" } } });
        },
      },
    );
    expect(kinds(events)).toEqual(["ADDED w2", "MODIFIED w2", "DELETED w2"]);
  });

  test("without a version the present state comes first", async () => {
    await one.api.post(path, configMap("w3"));
    const events = await one.api.watch(`${path}?watch=true&fieldSelector=metadata.name=w3`, (all) => all.length >= 1);
    expect(kinds(events)).toEqual(["ADDED w3"]);
  });

  test("sendInitialEvents ends the state with an annotated bookmark, then live events follow", async () => {
    const query =
      "watch=true&sendInitialEvents=true&allowWatchBookmarks=true&resourceVersionMatch=NotOlderThan&fieldSelector=metadata.name=w3";
    const events = await one.api.watch(`${path}?${query}`, (all) => all.length >= 3, {
      onOpen: async () => {
        await one.api.patch(`${path}/w3`, "merge", { data: { live: "1" } });
      },
    });
    expect(kinds(events)).toEqual(["ADDED w3", "BOOKMARK", "MODIFIED w3"]);
    expect(events[1]?.object.metadata.annotations).toEqual({ "k8s.io/initial-events-end": "true" });
    expect(Number(events[1]?.object.metadata.resourceVersion)).toBeGreaterThan(0);
  });

  test("sendInitialEvents without resourceVersionMatch is refused", async () => {
    expect((await one.api.get(`${path}?watch=true&sendInitialEvents=true`)).status).toBe(400);
  });

  test("timeoutSeconds ends the stream cleanly, with a last bookmark where bookmarks are wanted", async () => {
    const since = await revisionNow();
    const events = await one.api.watch(
      `${path}?watch=true&timeoutSeconds=1&allowWatchBookmarks=true&resourceVersion=${since}`,
      () => false,
    );
    expect(kinds(events)).toEqual(["BOOKMARK"]);
  });

  test("a watch as a table sends rows, and columns with the first event only", async () => {
    await one.api.post(path, configMap("w4"));
    const accept = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json";
    const events = await one.api.watch(`${path}?watch=true`, (all) => all.length >= 2, { accept });
    expect(events[0]?.object).toMatchObject({ kind: "Table", rows: [{ object: { kind: "PartialObjectMetadata" } }] });
    expect(events[0]?.object.columnDefinitions.length).toBeGreaterThan(0);
    expect(events[1]?.object.columnDefinitions).toEqual([]);
  });
});

describe("compaction", () => {
  const churn = async () => {
    for (let index = 0; index < 30; index += 1)
      await one.api.patch(`${path}/churn`, "merge", { data: { n: String(index) } });
  };

  test("a watch from a version that is no longer known gets a 410 in the stream", async () => {
    await one.api.post(path, configMap("churn"));
    const since = await revisionNow();
    await churn();
    const events = await one.api.watch(`${path}?watch=true&resourceVersion=${since}`, (all) => all.length >= 1);
    expect(events).toHaveLength(1);
    expect(events[0]).toMatchObject({ type: "ERROR", object: { kind: "Status", code: 410, reason: "Expired" } });
  });

  test("an old continue token is a 410 that offers a token for an inconsistent rest", async () => {
    const first = (await one.api.get(`${path}?limit=1`)).body;
    await churn();
    const late = await one.api.get(`${path}?limit=100&continue=${first.metadata.continue}`);
    expect(late.body).toMatchObject({ code: 410, reason: "Expired" });
    const rest = await one.api.get(`${path}?limit=100&continue=${late.body.metadata.continue}`);
    expect(rest.status).toBe(200);
    const all = (await one.api.get(path)).body.items;
    expect(rest.body.items).toHaveLength(all.length - 1);
  });

  test("an exact list at a version that is no longer known is a 410", async () => {
    const since = await revisionNow();
    await churn();
    const reply = await one.api.get(`${path}?resourceVersionMatch=Exact&resourceVersion=${since}`);
    expect(reply.body).toMatchObject({ code: 410, reason: "Expired" });
  });

  test("a quiet resource can still be watched from an old version", async () => {
    const since = await revisionNow();
    await churn();
    const events = await one.api.watch(`/api/v1/nodes?watch=true&resourceVersion=${since}`, (all) => all.length >= 1, {
      onOpen: async () => {
        await one.api.post("/api/v1/nodes", { metadata: { name: "quiet" } });
      },
    });
    expect(kinds(events)).toEqual(["ADDED quiet"]);
  });
});

test("closing the server ends open watches", async () => {
  const other = await startTestServer();
  const ended = other.api.watch(`${path}?watch=true`, () => false);
  await new Promise((resolve) => setTimeout(resolve, 100));
  await other.server.close();
  await expect(ended).resolves.toEqual(expect.any(Array));
  await other.api.close();
});
