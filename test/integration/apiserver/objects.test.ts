import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { aPod, configMap, eventually, startTestServer, type TestServer } from "./api-client.ts";

const maps = "/api/v1/namespaces/default/configmaps";
const pods = "/api/v1/namespaces/default/pods";
let one: TestServer;
beforeAll(async () => {
  one = await startTestServer();
});
afterAll(() => one.stop());

describe("create and read", () => {
  const refused: Array<{
    name: string;
    path: string;
    body: unknown;
    want: { status: number; reason: string; message?: RegExp };
  }> = [
    {
      name: "a bad name is a 422",
      path: maps,
      body: configMap("Bad_Name"),
      want: { status: 422, reason: "Invalid", message: /RFC 1123/ },
    },
    {
      name: "no name is a 422",
      path: maps,
      body: { apiVersion: "v1", kind: "ConfigMap" },
      want: { status: 422, reason: "Invalid", message: /name or generateName is required/ },
    },
    {
      name: "an unknown namespace is a 404",
      path: "/api/v1/namespaces/nowhere/configmaps",
      body: configMap("x"),
      want: { status: 404, reason: "NotFound", message: /namespaces "nowhere" not found/ },
    },
    {
      name: "another kind in the body is a 400",
      path: maps,
      body: { ...configMap("x"), kind: "Secret" },
      want: { status: 400, reason: "BadRequest" },
    },
    {
      name: "another namespace in the body is a 400",
      path: maps,
      body: configMap("x", {}, { namespace: "kube-system" }),
      want: { status: 400, reason: "BadRequest" },
    },
    { name: "a body that is not JSON is a 400", path: maps, body: "{", want: { status: 400, reason: "BadRequest" } },
    {
      name: "a value of the wrong type is a 400",
      path: maps,
      body: { ...configMap("x"), data: { a: 1 } },
      want: { status: 400, reason: "BadRequest", message: /cannot unmarshal number/ },
    },
    {
      name: "a bad label is a 422",
      path: maps,
      body: configMap("x", {}, { labels: { a: "not ok" } }),
      want: { status: 422, reason: "Invalid", message: /metadata\.labels/ },
    },
    {
      name: "a pod without containers is a 422",
      path: pods,
      body: { ...aPod("x"), spec: {} },
      want: { status: 422, reason: "Invalid", message: /spec\.containers: Required value/ },
    },
    {
      name: "a mount of no volume is a 422",
      path: pods,
      body: aPod("x", { containers: [{ name: "a", image: "b", volumeMounts: [{ name: "v", mountPath: "/v" }] }] }),
      want: { status: 422, reason: "Invalid", message: /volumeMounts\[0\]\.name: Not found: "v"/ },
    },
    {
      name: "an unknown priority class is a 403",
      path: pods,
      body: aPod("x", { priorityClassName: "nope" }),
      want: { status: 403, reason: "Forbidden" },
    },
    {
      name: "a lease time without six digits is a 400",
      path: "/apis/coordination.k8s.io/v1/namespaces/default/leases",
      body: { metadata: { name: "l" }, spec: { renewTime: "2026-01-01T00:00:00.123Z" } },
      want: { status: 400, reason: "BadRequest", message: /2006-01-02T15:04:05\.000000Z07:00/ },
    },
    {
      name: "an unknown resource is a 404",
      path: "/api/v1/namespaces/default/gadgets",
      body: {},
      want: { status: 404, reason: "NotFound", message: /could not find the requested resource/ },
    },
  ];
  test.each(refused)("$name", async ({ path, body, want }) => {
    const reply = await one.api.post(path, body);
    expect({ status: reply.status, reason: reply.body.reason }).toEqual({ status: want.status, reason: want.reason });
    if (want.message !== undefined) expect(reply.body.message).toMatch(want.message);
    expect(reply.body).toMatchObject({ kind: "Status", apiVersion: "v1", status: "Failure", code: want.status });
  });

  test("a lease with a six-digit time is taken as it is", async () => {
    const lease = {
      metadata: { name: "good" },
      spec: { holderIdentity: "me", renewTime: "2026-01-01T00:00:00.123456Z" },
    };
    const made = await one.api.post("/apis/coordination.k8s.io/v1/namespaces/default/leases", lease);
    expect(made.status).toBe(201);
    expect(made.body.spec.renewTime).toBe("2026-01-01T00:00:00.123456Z");
  });

  test("a body above 3 MiB is a 413 even when it does not say how long it is", async () => {
    const chunk = Buffer.alloc(512 * 1024, " ");
    async function* chunks() {
      for (let sent = 0; sent < 8; sent += 1) yield chunk;
    }
    const reply = await one.api.stream(maps, chunks());
    expect(reply).toBe(413);
  });

  test("a body above 3 MiB is a 413", async () => {
    const reply = await one.api.post(maps, configMap("huge", { a: "x".repeat(3 * 1024 * 1024) }));
    expect(reply.status).toBe(413);
  });
});

describe("update", () => {
  const validations = [
    { mode: "Strict", want: { status: 400, warning: undefined } },
    { mode: "Warn", want: { status: 201, warning: /unknown field \\"spec.containers\[0\].bogus\\"/ } },
    { mode: "Ignore", want: { status: 201, warning: undefined } },
  ];
  test.each(validations)("an unknown field under fieldValidation=$mode", async ({ mode, want }) => {
    const pod = aPod(`field-${mode.toLowerCase()}`, { containers: [{ name: "a", image: "b", bogus: 1 }] });
    const reply = await one.api.post(`${pods}?fieldValidation=${mode}`, pod);
    expect(reply.status).toBe(want.status);
    if (want.warning === undefined) expect(reply.headers.warning).toBeUndefined();
    else expect(String(reply.headers.warning)).toMatch(want.warning);
    if (reply.status === 201) expect(reply.body.spec.containers[0].bogus).toBeUndefined();
    else expect(reply.body.message).toMatch(/strict decoding error: unknown field "spec\.containers\[0\]\.bogus"/);
  });
});

describe("selection and paging", () => {
  beforeAll(async () => {
    await one.api.post("/api/v1/namespaces", { metadata: { name: "many" } });
    for (let index = 0; index < 10; index += 1) {
      const labels = { parity: index % 2 === 0 ? "even" : "odd", n: String(index) };
      await one.api.post("/api/v1/namespaces/many/configmaps", configMap(`cm-${index}`, {}, { labels }));
    }
  });
  const path = "/api/v1/namespaces/many/configmaps";

  const selectors: Array<{ query: string; want: string[] }> = [
    { query: "labelSelector=parity=even,n!=0", want: ["cm-2", "cm-4", "cm-6", "cm-8"] },
    { query: "labelSelector=n in (1,3)", want: ["cm-1", "cm-3"] },
    { query: "labelSelector=n notin (1,3),parity=odd", want: ["cm-5", "cm-7", "cm-9"] },
    { query: "labelSelector=!parity", want: ["kube-root-ca.crt"] },
    { query: "fieldSelector=metadata.name=cm-7", want: ["cm-7"] },
    {
      query: "fieldSelector=metadata.name!=cm-7,metadata.namespace=many&labelSelector=parity=odd",
      want: ["cm-1", "cm-3", "cm-5", "cm-9"],
    },
  ];
  test.each(selectors)("$query", async ({ query, want }) => {
    const list = await one.api.get(`${path}?${query.replaceAll(" ", "%20")}`);
    expect(list.body.items.map((item: { metadata: { name: string } }) => item.metadata.name)).toEqual(want);
  });

  test.each(["labelSelector=a b c", "fieldSelector=spec.nope=1", "limit=x", "continue=abc", "resourceVersion=x"])(
    "the malformed %s is a 400",
    async (query) => {
      const reply = await one.api.get(`${path}?${query.replaceAll(" ", "%20")}`);
      expect(reply.body).toMatchObject({ code: 400, reason: "BadRequest" });
    },
  );
});

describe("deletion", () => {
  test("a namespace refuses new objects while it is deleted, is emptied, and goes", async () => {
    await one.api.post("/api/v1/namespaces", { metadata: { name: "doomed" } });
    await eventually(
      "the default account exists",
      async () => (await one.api.get("/api/v1/namespaces/doomed/serviceaccounts/default")).status === 200,
    );
    await one.api.post("/api/v1/namespaces/doomed/configmaps", configMap("plain"));
    await one.api.post(
      "/api/v1/namespaces/doomed/configmaps",
      configMap("held", {}, { finalizers: ["example.com/hold"] }),
    );
    const deleted = await one.api.delete("/api/v1/namespaces/doomed");
    expect(deleted.body.status.phase).toBe("Terminating");
    const refused = await one.api.post("/api/v1/namespaces/doomed/configmaps", configMap("late"));
    expect(refused.body).toMatchObject({ code: 403, reason: "Forbidden" });
    expect(refused.body.message).toMatch(/because it is being terminated/);
    await eventually(
      "the plain object is gone",
      async () => (await one.api.get("/api/v1/namespaces/doomed/configmaps/plain")).status === 404,
    );
    expect((await one.api.get("/api/v1/namespaces/doomed")).status).toBe(200);
    await one.api.patch("/api/v1/namespaces/doomed/configmaps/held", "merge", { metadata: { finalizers: null } });
    await eventually(
      "the namespace is gone",
      async () => (await one.api.get("/api/v1/namespaces/doomed")).status === 404,
    );
  });
});

describe("both faces of events", () => {
  test("an event written as events.k8s.io/v1 reads as core/v1 and back", async () => {
    const event = {
      metadata: { name: "e1", namespace: "default" },
      regarding: { kind: "Pod", name: "p", namespace: "default" },
      note: "hello",
      reason: "Tested",
      type: "Normal",
      action: "Test",
      eventTime: "2026-01-01T00:00:00.000000Z",
      reportingController: "example.com/test",
      reportingInstance: "test-1",
    };
    expect((await one.api.post("/apis/events.k8s.io/v1/namespaces/default/events", event)).status).toBe(201);
    const core = (
      await one.api.get("/api/v1/namespaces/default/events?fieldSelector=involvedObject.name=p,reason=Tested")
    ).body.items[0];
    expect(core).toMatchObject({
      involvedObject: { kind: "Pod", name: "p" },
      message: "hello",
      reportingComponent: "example.com/test",
    });
    const back = (await one.api.get("/apis/events.k8s.io/v1/namespaces/default/events/e1")).body;
    expect(back).toMatchObject({ apiVersion: "events.k8s.io/v1", regarding: { name: "p" }, note: "hello" });
    expect(back.involvedObject).toBeUndefined();
  });
});
