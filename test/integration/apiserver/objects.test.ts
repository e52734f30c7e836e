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
  test("a created object has uid, creation time and version, and is read back the same", async () => {
    const made = await one.api.post(maps, configMap("first", { a: "1" }));
    expect(made.status).toBe(201);
    expect(made.body.metadata).toMatchObject({ name: "first", namespace: "default" });
    expect(made.body.metadata.uid).toMatch(/^[0-9a-f-]{36}$/);
    expect(made.body.metadata.creationTimestamp).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
    expect((await one.api.get(`${maps}/first`)).body).toEqual(made.body);
  });

  test("a second object of the same name is a 409 AlreadyExists with details", async () => {
    await one.api.post(maps, configMap("twice"));
    const again = await one.api.post(maps, configMap("twice"));
    expect(again.status).toBe(409);
    expect(again.body).toMatchObject({
      kind: "Status",
      reason: "AlreadyExists",
      details: { name: "twice", kind: "configmaps" },
    });
  });

  test("generateName makes different names with the prefix", async () => {
    const names = await Promise.all(
      [1, 2].map(
        async () =>
          (await one.api.post(maps, { metadata: { generateName: "gen-" }, apiVersion: "v1", kind: "ConfigMap" })).body
            .metadata.name,
      ),
    );
    expect(names[0]).toMatch(/^gen-[a-z0-9]{5}$/);
    expect(names[0]).not.toBe(names[1]);
  });

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
  test("an update at an old resource version is a 409 Conflict and changes nothing", async () => {
    const made = (await one.api.post(maps, configMap("contended", { a: "1" }))).body;
    const second = await one.api.put(`${maps}/contended`, { ...made, data: { a: "2" } });
    expect(second.status).toBe(200);
    const stale = await one.api.put(`${maps}/contended`, { ...made, data: { a: "3" } });
    expect(stale.body).toMatchObject({ code: 409, reason: "Conflict" });
    expect((await one.api.get(`${maps}/contended`)).body.data).toEqual({ a: "2" });
  });

  test("an update that changes nothing keeps the resource version", async () => {
    const made = (await one.api.post(maps, configMap("same", { a: "1" }))).body;
    const again = await one.api.put(`${maps}/same`, made);
    expect(again.body.metadata.resourceVersion).toBe(made.metadata.resourceVersion);
  });

  test("what the server sets cannot be changed by a client", async () => {
    const made = (await one.api.post(maps, configMap("fixed"))).body;
    const changed = { ...made, metadata: { ...made.metadata, creationTimestamp: "2000-01-01T00:00:00Z" } };
    const reply = await one.api.put(`${maps}/fixed`, changed);
    expect(reply.body.metadata.creationTimestamp).toBe(made.metadata.creationTimestamp);
    const uid = await one.api.put(`${maps}/fixed`, { ...made, metadata: { ...made.metadata, uid: "other" } });
    expect(uid.status).toBe(409);
  });

  test("a dry run answers as if and stores nothing", async () => {
    const made = await one.api.post(`${maps}?dryRun=All`, configMap("dry", { a: "1" }));
    expect(made.status).toBe(201);
    expect((await one.api.get(`${maps}/dry`)).status).toBe(404);
    await one.api.post(maps, configMap("dry", { a: "1" }));
    const patched = await one.api.patch(`${maps}/dry?dryRun=All`, "merge", { data: { a: "2" } });
    expect(patched.body.data).toEqual({ a: "2" });
    expect((await one.api.delete(`${maps}/dry?dryRun=All`)).status).toBe(200);
    expect((await one.api.get(`${maps}/dry`)).body.data).toEqual({ a: "1" });
    expect((await one.api.post(`${maps}?dryRun=Some`, configMap("dry2"))).status).toBe(422);
  });

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

describe("config maps and secrets", () => {
  test("stringData of a secret becomes base64 data and is gone", async () => {
    const path = "/api/v1/namespaces/default/secrets";
    const made = await one.api.post(path, { metadata: { name: "s" }, data: { a: "eA==" }, stringData: { b: "y" } });
    expect(made.body).toMatchObject({ type: "Opaque", data: { a: "eA==", b: "eQ==" } });
    expect(made.body.stringData).toBeUndefined();
  });

  test("an immutable config map keeps its data but takes labels", async () => {
    const made = (await one.api.post(maps, { ...configMap("frozen", { a: "1" }), immutable: true })).body;
    const change = await one.api.patch(`${maps}/frozen`, "merge", { data: { a: "2" } });
    expect(change.body).toMatchObject({ code: 422, reason: "Invalid" });
    const label = await one.api.patch(`${maps}/frozen`, "merge", { metadata: { labels: { a: "b" } } });
    expect(label.status).toBe(200);
    expect(made.immutable).toBe(true);
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

  test("pages cover the list at one version, whatever is written meanwhile", async () => {
    const first = await one.api.get(`${path}?limit=4`);
    expect(first.body.items).toHaveLength(4);
    expect(first.body.metadata.remainingItemCount).toBe(7);
    await one.api.post(path, configMap("cm-55"));
    await one.api.delete(`${path}/cm-9`);
    const rest = await one.api.get(`${path}?limit=100&continue=${first.body.metadata.continue}`);
    expect(rest.body.items.map((item: { metadata: { name: string } }) => item.metadata.name)).toEqual([
      "cm-4",
      "cm-5",
      "cm-6",
      "cm-7",
      "cm-8",
      "cm-9",
      "kube-root-ca.crt",
    ]);
    expect(rest.body.metadata.resourceVersion).toBe(first.body.metadata.resourceVersion);
    expect(rest.body.metadata.continue).toBeUndefined();
    await one.api.post(path, configMap("cm-9"));
    await one.api.delete(`${path}/cm-55`);
  });

  test("a list at an exact version shows the past, one from the future is a 504", async () => {
    const before = (await one.api.get(path)).body;
    await one.api.delete(`${path}/cm-0`);
    const past = await one.api.get(
      `${path}?resourceVersionMatch=Exact&resourceVersion=${before.metadata.resourceVersion}`,
    );
    expect(past.body.items).toEqual(before.items);
    const future = await one.api.get(`${path}?resourceVersion=${Number(before.metadata.resourceVersion) + 1000}`);
    expect(future.status).toBe(504);
  });

  test("built-in list items carry no kind of their own, as on a real server", async () => {
    const list = await one.api.get(`${path}?limit=1`);
    expect(list.body).toMatchObject({ kind: "ConfigMapList", apiVersion: "v1" });
    expect(Object.keys(list.body.items[0])).not.toContain("kind");
  });

  test("a delete of a collection takes what is selected and no more", async () => {
    const gone = await one.api.delete(`${path}?labelSelector=parity=odd`);
    expect(gone.status).toBe(200);
    const left = await one.api.get(path);
    expect(left.body.items.map((item: { metadata: { name: string } }) => item.metadata.name)).toEqual([
      "cm-2",
      "cm-4",
      "cm-6",
      "cm-8",
      "cm-9",
      "kube-root-ca.crt",
    ]);
  });
});

describe("deletion", () => {
  test("an object without finalizers is gone at once and the answer says whose", async () => {
    const made = (await one.api.post(maps, configMap("brief"))).body;
    const reply = await one.api.delete(`${maps}/brief`);
    expect(reply.body).toMatchObject({
      kind: "Status",
      status: "Success",
      details: { name: "brief", kind: "configmaps", uid: made.metadata.uid },
    });
    expect((await one.api.get(`${maps}/brief`)).status).toBe(404);
  });

  test("a finalizer holds an object until it is taken off", async () => {
    await one.api.post(maps, configMap("held", {}, { finalizers: ["example.com/hold"] }));
    const deleted = await one.api.delete(`${maps}/held`);
    expect(deleted.body.metadata.deletionTimestamp).toBeDefined();
    const added = await one.api.patch(`${maps}/held`, "merge", {
      metadata: { finalizers: ["example.com/hold", "example.com/more"] },
    });
    expect(added.body).toMatchObject({ code: 422 });
    const freed = await one.api.patch(`${maps}/held`, "merge", { metadata: { finalizers: null } });
    expect(freed.status).toBe(200);
    expect((await one.api.get(`${maps}/held`)).status).toBe(404);
  });

  test("preconditions that do not hold are a 409", async () => {
    const made = (await one.api.post(maps, configMap("guarded"))).body;
    expect((await one.api.delete(`${maps}/guarded`, { preconditions: { uid: "other" } })).status).toBe(409);
    expect((await one.api.delete(`${maps}/guarded`, { preconditions: { resourceVersion: "1" } })).status).toBe(409);
    const { uid, resourceVersion } = made.metadata;
    expect((await one.api.delete(`${maps}/guarded`, { preconditions: { uid, resourceVersion } })).status).toBe(200);
  });

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
