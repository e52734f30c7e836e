import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ApiClient, configMap, startTestServer, type TestServer } from "./api-client.ts";

const accounts = "/api/v1/namespaces/default/serviceaccounts";
let one: TestServer;
let now = Date.parse("2026-01-01T00:00:00Z");
beforeAll(async () => {
  const clock = { now: () => now, monotonic: () => now, sleep: () => Promise.resolve() };
  one = await startTestServer({ clock, tokens: [{ token: "reader-token", user: "reader", groups: ["team"] }] });
});
afterAll(() => one.stop());

const review = (token: string, audiences?: string[]) =>
  one.api.post("/apis/authentication.k8s.io/v1/tokenreviews", {
    apiVersion: "authentication.k8s.io/v1",
    kind: "TokenReview",
    spec: { token, ...(audiences ? { audiences } : {}) },
  });

describe("authentication", () => {
  const anonymous = [
    { path: "/healthz", want: 200 },
    { path: "/livez", want: 200 },
    { path: "/readyz", want: 200 },
    { path: "/version", want: 200 },
    { path: "/api/v1/namespaces", want: 403 },
    { path: "/apis", want: 403 },
    { path: "/openapi/v3", want: 403 },
    { path: "/metrics", want: 403 },
  ];
  test.each(anonymous)("without a token $path answers $want", async ({ path, want }) => {
    const client = new ApiClient(one.server, "");
    expect((await client.get(path)).status).toBe(want);
    await client.close();
  });

  test("a token from the options authenticates as its user, and has a kubeconfig", async () => {
    const client = one.api.as("reader-token");
    const self = await client.post("/apis/authentication.k8s.io/v1/selfsubjectreviews", {
      apiVersion: "authentication.k8s.io/v1",
      kind: "SelfSubjectReview",
    });
    expect(self.body.status.userInfo).toEqual({ username: "reader", groups: ["team", "system:authenticated"] });
    expect(one.server.kubeconfig("reader")).toContain("token: reader-token");
    expect(() => one.server.kubeconfig("nobody")).toThrow(/no token was given for the user nobody/);
    await client.close();
  });
});

describe("service account tokens", () => {
  const request = (spec: object = {}) => ({ apiVersion: "authentication.k8s.io/v1", kind: "TokenRequest", spec });

  test("every namespace has a default account and the root certificate", async () => {
    expect((await one.api.get(`${accounts}/default`)).status).toBe(200);
    expect((await one.api.get("/api/v1/namespaces/kube-system/configmaps/kube-root-ca.crt")).body.data["ca.crt"]).toBe(
      one.server.caPem,
    );
  });

  test("a requested token authenticates as the account until it expires", async () => {
    const issued = (await one.api.post(`${accounts}/default/token`, request({ expirationSeconds: 600 }))).body;
    expect(issued.status.expirationTimestamp).toBe(new Date(now + 600_000).toISOString().replace(".000Z", "Z"));
    const client = one.api.as(issued.status.token);
    expect((await client.get("/api")).status).toBe(200);
    const reviewed = (await review(issued.status.token)).body.status;
    expect(reviewed).toMatchObject({
      authenticated: true,
      user: { username: "system:serviceaccount:default:default" },
    });
    now += 601_000;
    expect((await client.get("/api")).status).toBe(401);
    await client.close();
  });

  test("a token bound to a pod ends with the pod, and every token ends with its account", async () => {
    await one.api.post(accounts, { metadata: { name: "bound" } });
    const pods = "/api/v1/namespaces/default/pods";
    await one.api.post(pods, {
      metadata: { name: "holder" },
      spec: { serviceAccountName: "bound", containers: [{ name: "a", image: "b" }] },
    });
    const podToken = (
      await one.api.post(
        `${accounts}/bound/token`,
        request({ boundObjectRef: { kind: "Pod", apiVersion: "v1", name: "holder" } }),
      )
    ).body.status.token;
    const plainToken = (await one.api.post(`${accounts}/bound/token`, request())).body.status.token;
    expect((await review(podToken)).body.status.user.extra).toMatchObject({
      "authentication.kubernetes.io/pod-name": ["holder"],
    });
    await one.api.delete(`${pods}/holder`);
    expect((await review(podToken)).body.status.error).toBeDefined();
    expect((await review(plainToken)).body.status.authenticated).toBe(true);
    await one.api.delete(`${accounts}/bound`);
    await one.api.post(accounts, { metadata: { name: "bound" } });
    expect((await review(plainToken)).body.status.authenticated).toBeUndefined();
  });
});

describe("formats", () => {
  const path = "/api/v1/namespaces/default/configmaps";
  const unsupported: Array<{ method: string; path: string; want: number }> = [
    { method: "PUT", path, want: 405 },
    { method: "POST", path: `${path}/meta`, want: 405 },
    { method: "GET", path: "/apis/nope.example.com/v1/things", want: 404 },
    { method: "GET", path: `${path}/meta/status`, want: 404 },
    { method: "GET", path: "/api/v2/pods", want: 404 },
    { method: "GET", path: "/api/v1/%zz", want: 400 },
  ];
  test.each(unsupported)("$method $path is a $want Status", async ({ method, path: target, want }) => {
    const reply = await one.api.send(method, target, method === "GET" ? undefined : {});
    expect(reply.status).toBe(want);
    expect(reply.body.kind).toBe("Status");
  });
});

test("writes are counted by resource, subresource and verb; reads, dry runs and failures are not", async () => {
  const other = await startTestServer();
  const path = "/api/v1/namespaces/default/configmaps";
  await other.api.post(path, configMap("a"));
  await other.api.post(path, configMap("a"));
  await other.api.post(`${path}?dryRun=All`, configMap("b"));
  await other.api.patch(`${path}/a`, "merge", { data: { x: "1" } });
  await other.api.patch("/api/v1/namespaces/default/status", "merge", { metadata: { labels: { a: "b" } } });
  await other.api.get(path);
  await other.api.delete(`${path}/a`);
  expect(
    [...other.server.writes()].sort((a, b) => (`${a.resource}${a.verb}` < `${b.resource}${b.verb}` ? -1 : 1)),
  ).toEqual([
    { resource: "configmaps", subresource: "", verb: "create", count: 1 },
    { resource: "configmaps", subresource: "", verb: "delete", count: 1 },
    { resource: "configmaps", subresource: "", verb: "patch", count: 1 },
    { resource: "namespaces", subresource: "status", verb: "patch", count: 1 },
  ]);
  await other.stop();
});
