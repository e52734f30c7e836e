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

test("two seconds before the end of a stream that allows bookmarks one comes", async () => {
  const since = await revisionNow();
  const query = `watch=true&timeoutSeconds=3&allowWatchBookmarks=true&resourceVersion=${since}`;
  const events = await one.api.watch(`${path}?${query}`, () => false);
  expect(kinds(events)).toEqual(["BOOKMARK"]);
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
  const open = Promise.withResolvers<void>();
  const initial = "sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true";
  const ended = other.api.watch(`${path}?watch=true&${initial}`, () => {
    open.resolve();
    return false;
  });
  await open.promise;
  await other.server.close();
  await expect(ended).resolves.toEqual(expect.any(Array));
  await other.api.close();
});
