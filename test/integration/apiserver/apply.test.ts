import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { configMap, startTestServer, type TestServer } from "./api-client.ts";
import { aWidget, definitionsPath, widgetDefinition, widgetsPath } from "./widget-definition.ts";

const maps = "/api/v1/namespaces/default/configmaps";
const pods = "/api/v1/namespaces/default/pods";
let one: TestServer;
beforeAll(async () => {
  one = await startTestServer();
  await one.api.post(definitionsPath, widgetDefinition());
});
afterAll(() => one.stop());

const apply = (path: string, manager: string, body: unknown, query = "") =>
  one.api.patch(`${path}?fieldManager=${manager}${query}`, "apply", body);
const map = (name: string, data: object) => ({ apiVersion: "v1", kind: "ConfigMap", metadata: { name }, data });

describe("server-side apply", () => {
  test("the first apply creates and records what the manager said, and nothing else", async () => {
    const made = await apply(`${maps}/a1`, "one", map("a1", { x: "1" }));
    expect(made.status).toBe(201);
    expect(made.body.metadata.managedFields).toEqual([
      expect.objectContaining({
        manager: "one",
        operation: "Apply",
        fieldsType: "FieldsV1",
        fieldsV1: { "f:data": { "f:x": {} } },
      }),
    ]);
  });

  test("applying the same again changes nothing", async () => {
    const first = await apply(`${maps}/a2`, "one", map("a2", { x: "1" }));
    const second = await apply(`${maps}/a2`, "one", map("a2", { x: "1" }));
    expect(second.status).toBe(200);
    expect(second.body.metadata.resourceVersion).toBe(first.body.metadata.resourceVersion);
  });

  test("two managers share an object, and each removes only its own fields", async () => {
    await apply(`${maps}/a3`, "one", map("a3", { x: "1", shared: "s" }));
    const both = await apply(`${maps}/a3`, "two", map("a3", { y: "2", shared: "s" }));
    expect(both.body.data).toEqual({ x: "1", y: "2", shared: "s" });
    const less = await apply(`${maps}/a3`, "one", map("a3", {}));
    expect(less.body.data).toEqual({ y: "2", shared: "s" });
  });

  test("a value that another manager owns is a conflict with a cause, unless forced", async () => {
    await apply(`${maps}/a4`, "one", map("a4", { x: "1" }));
    const refused = await apply(`${maps}/a4`, "two", map("a4", { x: "2" }));
    expect(refused.body).toMatchObject({
      code: 409,
      reason: "Conflict",
      details: { causes: [{ reason: "FieldManagerConflict", message: 'conflict with "one"', field: ".data.x" }] },
    });
    const forced = await apply(`${maps}/a4`, "two", map("a4", { x: "2" }), "&force=true");
    expect(forced.body.data).toEqual({ x: "2" });
    expect(forced.body.metadata.managedFields.map((entry: { manager: string }) => entry.manager)).toEqual(["two"]);
  });

  test("an update takes fields over from an applier, who then conflicts", async () => {
    await apply(`${maps}/a5`, "one", map("a5", { x: "1", y: "1" }));
    const patched = await one.api.patch(`${maps}/a5?fieldManager=hand`, "merge", { data: { x: "9" } });
    const fieldsOf = (name: string) =>
      patched.body.metadata.managedFields.find((entry: { manager: string }) => entry.manager === name);
    expect(fieldsOf("hand").operation).toBe("Update");
    expect(fieldsOf("hand").fieldsV1).toEqual({ "f:data": { "f:x": {} } });
    expect(fieldsOf("one").operation).toBe("Apply");
    expect(fieldsOf("one").fieldsV1).toEqual({ "f:data": { "f:y": {} } });
    const refused = await apply(`${maps}/a5`, "one", map("a5", { x: "1", y: "1" }));
    expect(refused.body.details.causes[0].message).toBe('conflict with "hand" using v1');
  });

  test("containers of a pod merge by name and env by name", async () => {
    const pod = (containers: unknown[]) => ({
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name: "p1" },
      spec: { containers },
    });
    await apply(
      `${pods}/p1`,
      "one",
      pod([
        { name: "a", image: "x:1" },
        { name: "b", image: "y:1" },
      ]),
    );
    const two = await apply(`${pods}/p1`, "two", pod([{ name: "b", image: "y:2" }]), "&force=true");
    expect(two.status).toBe(200);
    expect(two.body.spec.containers.map((c: { name: string; image: string }) => `${c.name}=${c.image}`)).toEqual([
      "a=x:1",
      "b=y:2",
    ]);
  });

  test("defaults are in a custom object but nobody's, and list items merge by their map keys", async () => {
    const made = await apply(`${widgetsPath}/w1`, "one", aWidget("w1", { parts: [{ name: "p1" }] }));
    expect(made.body.spec).toMatchObject({ replicas: 1, parts: [{ name: "p1", size: 5 }] });
    expect(made.body.metadata.managedFields[0].fieldsV1).toEqual({
      "f:spec": { "f:color": {}, "f:parts": { 'k:{"name":"p1"}': { ".": {}, "f:name": {} } } },
    });
    const two = await apply(`${widgetsPath}/w1`, "two", {
      ...aWidget("w1", { parts: [{ name: "p2", size: 7 }], tags: ["t"] }),
    });
    expect(two.body.spec.parts).toEqual([
      { name: "p1", size: 5 },
      { name: "p2", size: 7 },
    ]);
    const less = await apply(`${widgetsPath}/w1`, "two", aWidget("w1"));
    expect(less.body.spec.parts).toEqual([{ name: "p1", size: 5 }]);
    expect(less.body.spec.tags).toBeUndefined();
  });

  test("status is applied through its own path and owned there", async () => {
    await apply(`${widgetsPath}/w2`, "one", aWidget("w2"));
    const status = { apiVersion: "example.com/v1", kind: "Widget", metadata: { name: "w2" }, status: { replicas: 3 } };
    const ignored = await apply(`${widgetsPath}/w2`, "one", { ...aWidget("w2"), status: { replicas: 3 } });
    expect(ignored.body.status).toBeUndefined();
    const made = await apply(`${widgetsPath}/w2/status`, "ctrl", status);
    expect(made.body).toMatchObject({ spec: { color: "red" }, status: { replicas: 3 } });
    const entry = made.body.metadata.managedFields.find((one: { manager: string }) => one.manager === "ctrl");
    expect(entry).toMatchObject({ subresource: "status", fieldsV1: { "f:status": { "f:replicas": {} } } });
    expect(made.body.metadata.generation).toBe(1);
  });

  test("apply without a manager, with managed fields, or of another name is refused", async () => {
    expect((await one.api.patch(`${maps}/a6`, "apply", map("a6", {}))).status).toBe(422);
    const managed = { ...configMap("a6", {}, { managedFields: [] }) };
    expect((await apply(`${maps}/a6`, "one", managed)).body.message).toMatch(/managedFields must be nil/);
    expect((await apply(`${maps}/a6`, "one", map("other", {}))).status).toBe(400);
  });

  test("a dry-run apply answers the result and stores nothing", async () => {
    expect((await apply(`${maps}/a7`, "one", map("a7", { x: "1" }), "&dryRun=All")).status).toBe(201);
    expect((await one.api.get(`${maps}/a7`)).status).toBe(404);
  });

  test("the body may be YAML", async () => {
    const yaml = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a8\ndata:\n  x: '1'\n";
    expect((await apply(`${maps}/a8`, "one", yaml)).body.data).toEqual({ x: "1" });
  });
});

describe("patches", () => {
  beforeAll(async () => {
    await one.api.post(maps, configMap("p", { a: "1", b: "2" }));
  });

  test("a JSON patch with a failing test changes nothing", async () => {
    const operations = [
      { op: "replace", path: "/data/a", value: "9" },
      { op: "test", path: "/data/b", value: "no" },
    ];
    expect((await one.api.patch(`${maps}/p`, "json", operations)).status).toBe(422);
    expect((await one.api.get(`${maps}/p`)).body.data.a).toBe("1");
    const fine = await one.api.patch(`${maps}/p`, "json", [
      { op: "test", path: "/data/a", value: "1" },
      { op: "remove", path: "/data/b" },
    ]);
    expect(fine.body.data).toEqual({ a: "1" });
  });

  test("a strategic merge patch merges containers by name and obeys $patch: delete", async () => {
    const containers = [
      { name: "a", image: "x:1", env: [{ name: "E", value: "1" }] },
      { name: "b", image: "y:1" },
    ];
    await one.api.post("/apis/apps/v1/namespaces/default/deployments", {
      metadata: { name: "d" },
      spec: {
        selector: { matchLabels: { a: "b" } },
        template: { metadata: { labels: { a: "b" } }, spec: { containers } },
      },
    });
    const patch = {
      spec: {
        template: {
          spec: {
            containers: [
              { name: "a", env: [{ name: "F", value: "2" }] },
              { name: "b", $patch: "delete" },
            ],
          },
        },
      },
    };
    const patched = await one.api.patch("/apis/apps/v1/namespaces/default/deployments/d", "strategic", patch);
    const [only, ...none] = patched.body.spec.template.spec.containers;
    expect(none).toEqual([]);
    expect(only).toMatchObject({
      name: "a",
      image: "x:1",
      env: [
        { name: "F", value: "2" },
        { name: "E", value: "1" },
      ],
    });
    expect(patched.body.metadata.generation).toBe(2);
  });

  test("a strategic merge patch of a custom object is a 415", async () => {
    await one.api.post(widgetsPath, aWidget("s1"));
    expect((await one.api.patch(`${widgetsPath}/s1`, "strategic", {})).status).toBe(415);
  });
});
