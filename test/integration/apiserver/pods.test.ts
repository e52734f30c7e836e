import { Agent, request } from "undici";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { aPod, eventually, startTestServer, type TestServer } from "./api-client.ts";
import { type FakeKubelet, nodeStatus, startFakeKubelet } from "./fake-kubelet.ts";

const pods = "/api/v1/namespaces/default/pods";
let kubelet: FakeKubelet;
let one: TestServer;
beforeAll(async () => {
  kubelet = await startFakeKubelet();
  one = await startTestServer({ kubeletClient: { token: kubelet.token, caPem: kubelet.caPem } });
  await one.api.post("/api/v1/nodes", { metadata: { name: "node-1" } });
  await one.api.patch("/api/v1/nodes/node-1/status", "merge", { status: nodeStatus(kubelet.port) });
});
afterAll(async () => {
  await one.stop();
  await kubelet.close();
});

const bind = (name: string, node = "node-1") =>
  one.api.post(`${pods}/${name}/binding`, {
    apiVersion: "v1",
    kind: "Binding",
    metadata: { name },
    target: { kind: "Node", name: node },
  });

describe("pods", () => {
  test("a bound pod ends gracefully: marked first, gone when the kubelet deletes with 0", async () => {
    await one.api.post(pods, aPod("graceful"));
    await bind("graceful");
    const before = Date.now();
    const marked = (await one.api.delete(`${pods}/graceful`)).body;
    expect(marked.metadata.deletionGracePeriodSeconds).toBe(30);
    expect(Date.parse(marked.metadata.deletionTimestamp)).toBeGreaterThan(before + 25_000);
    const again = (await one.api.delete(`${pods}/graceful`)).body;
    expect(again.metadata.resourceVersion).toBe(marked.metadata.resourceVersion);
    const shorter = (await one.api.delete(`${pods}/graceful`, { gracePeriodSeconds: 5 })).body;
    expect(shorter.metadata.deletionGracePeriodSeconds).toBe(5);
    const longer = (await one.api.delete(`${pods}/graceful`, { gracePeriodSeconds: 60 })).body;
    expect(longer.metadata.deletionGracePeriodSeconds).toBe(5);
    await one.api.delete(`${pods}/graceful`, { gracePeriodSeconds: 0 });
    expect((await one.api.get(`${pods}/graceful`)).status).toBe(404);
  });

  test("a pod on no node goes at once, and an eviction is a deletion", async () => {
    await one.api.post(pods, aPod("loose"));
    await one.api.delete(`${pods}/loose`);
    expect((await one.api.get(`${pods}/loose`)).status).toBe(404);
    await one.api.post(pods, aPod("evicted"));
    const eviction = { apiVersion: "policy/v1", kind: "Eviction", metadata: { name: "evicted" } };
    expect((await one.api.post(`${pods}/evicted/eviction`, eviction)).status).toBe(201);
    expect((await one.api.get(`${pods}/evicted`)).status).toBe(404);
  });
});

describe("pod logs", () => {
  beforeAll(async () => {
    await one.api.post(pods, aPod("talker"));
    await bind("talker");
  });

  test("come from the kubelet of the node, with the parameters passed on", async () => {
    const reply = await one.api.get(`${pods}/talker/log?tailLines=5&previous=true&container=main`);
    expect(reply.body).toBe("line 1\nline 2\n");
    expect(reply.headers["content-type"]).toMatch(/text\/plain/);
    expect(kubelet.asked.at(-1)).toBe("/containerLogs/default/talker/main?previous=true&tailLines=5");
  });

  test("follow streams as it comes, and ends at the kubelet when the client leaves", async () => {
    const agent = new Agent({ connect: { ca: one.server.caPem } });
    const controller = new AbortController();
    const headers = { authorization: `Bearer ${one.server.adminToken}` };
    const reply = await request(`${one.server.url}${pods}/talker/log?follow=true`, {
      dispatcher: agent,
      signal: controller.signal,
      headers,
    });
    const reader = reply.body[Symbol.asyncIterator]();
    expect(String((await reader.next()).value)).toBe("line 1\n");
    const next = reader.next();
    for (const stream of kubelet.streams) stream.write("live\n");
    expect(String((await next).value)).toBe("live\n");
    controller.abort();
    await eventually("the kubelet's stream is closed", () => Promise.resolve(kubelet.streams.size === 0));
    await agent.destroy();
  });

  const refused: Array<{
    name: string;
    pod: () => Promise<string>;
    query: string;
    want: { status: number; message: RegExp };
  }> = [
    {
      name: "an unknown container",
      pod: async () => "talker",
      query: "container=nope",
      want: { status: 400, message: /container nope is not valid for pod talker/ },
    },
    {
      name: "a pod on no node",
      pod: async () => (await one.api.post(pods, aPod("nowhere"))).body.metadata.name,
      query: "",
      want: { status: 400, message: /does not have a host assigned/ },
    },
    {
      name: "an unknown pod",
      pod: async () => "ghost",
      query: "",
      want: { status: 404, message: /pods "ghost" not found/ },
    },
  ];
  test.each(refused)("of $name are a clear error", async ({ pod, query, want }) => {
    const reply = await one.api.get(`${pods}/${await pod()}/log?${query}`);
    expect(reply.status).toBe(want.status);
    expect(reply.body.message).toMatch(want.message);
  });

  test("the kubelet's own refusal is passed on, a dead kubelet is a 500", async () => {
    await one.api.post(pods, aPod("missing"));
    await bind("missing");
    expect((await one.api.get(`${pods}/missing/log`)).body).toMatchObject({ code: 404, message: "no such container" });
    await one.api.post("/api/v1/nodes", { metadata: { name: "dead" } });
    await one.api.patch("/api/v1/nodes/dead/status", "merge", { status: nodeStatus(1) });
    await one.api.post(pods, aPod("lost"));
    await bind("lost", "dead");
    expect((await one.api.get(`${pods}/lost/log`)).body).toMatchObject({
      code: 500,
      message: expect.stringContaining("https://127.0.0.1:1/containerLogs/default/lost/main"),
    });
  });

  test("without kubelet credentials they are a 501", async () => {
    const other = await startTestServer();
    await other.api.post("/api/v1/nodes", { metadata: { name: "node-1" } });
    await other.api.patch("/api/v1/nodes/node-1/status", "merge", { status: nodeStatus(kubelet.port) });
    await other.api.post(pods, aPod("p", { nodeName: "node-1" }));
    expect((await other.api.get(`${pods}/p/log`)).body).toMatchObject({ code: 501, reason: "NotImplemented" });
    await other.stop();
  });
});
