/** Server-side apply: merging, conflicts, force, giving fields up, lists as maps and sets, subresources. */
import { expect } from "vitest";
import { area, type CaseTools } from "./support/conformance-case.ts";
import { aDeployment, aMap, aService, managerOf } from "./support/sample-objects.ts";

const as = (path: string, manager: string, query = "") => `${path}?fieldManager=${manager}${query}`;
const partial = (name: string, spec: object) => ({
  apiVersion: "apps/v1",
  kind: "Deployment",
  metadata: { name },
  spec,
});

const listSchema = {
  type: "object",
  properties: {
    spec: {
      type: "object",
      properties: {
        parts: {
          type: "array",
          "x-kubernetes-list-type": "map",
          "x-kubernetes-list-map-keys": ["name"],
          items: {
            type: "object",
            required: ["name"],
            properties: { name: { type: "string" }, size: { type: "integer", default: 5 } },
          },
        },
        tags: { type: "array", "x-kubernetes-list-type": "set", items: { type: "string" } },
        whole: { type: "array", items: { type: "string" } },
        frozen: {
          type: "object",
          "x-kubernetes-map-type": "atomic",
          additionalProperties: { type: "string" },
        },
      },
    },
  },
};

async function things({ define }: Pick<CaseTools, "define">) {
  const definition = await define({
    kind: "Thing",
    schema: listSchema,
    version: { subresources: { status: {} } },
  });
  const body = (spec: object) => ({
    apiVersion: definition.apiVersion(),
    kind: "Thing",
    metadata: { name: "one" },
    spec,
  });
  return { at: `${await definition.path()}/one`, body };
}

area("server-side apply", (conformance) => {
  conformance("the first apply creates, 201, and the next changes, 200", async ({ api, path }) => {
    const at = as(`${await path("configmaps")}/one`, "m");
    await api.patch(at, "apply", aMap("one", { data: { a: "1" } })).expect(201, { data: { a: "1" } });
    await api.patch(at, "apply", aMap("one", { data: { a: "2" } })).expect(200, { data: { a: "2" } });
  });

  conformance("applying the same again makes no new version", async ({ api, path }) => {
    const at = as(`${await path("configmaps")}/one`, "m");
    const first = await api.patch(at, "apply", aMap("one", { data: { a: "1" } })).expect(201);
    expect(await api.patch(at, "apply", aMap("one", { data: { a: "1" } })).expect(200)).toEqual(first);
  });

  conformance("YAML is read too", async ({ api, path }) => {
    const text = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: one\ndata:\n  a: '1'\n";
    await api.patch(as(`${await path("configmaps")}/one`, "m"), "apply", text).expect(201, { data: { a: "1" } });
  });

  conformance("managers add to each other, and take back only their own", async ({ api, path }) => {
    const at = `${await path("configmaps")}/one`;
    await api.patch(as(at, "m1"), "apply", aMap("one", { data: { a: "1", s: "s" } })).expect(201);
    const both = await api.patch(as(at, "m2"), "apply", aMap("one", { data: { b: "2", s: "s" } })).expect(200);
    expect(both.data).toEqual({ a: "1", b: "2", s: "s" });
    const less = await api.patch(as(at, "m1"), "apply", aMap("one")).expect(200);
    expect(less.data).toEqual({ b: "2", s: "s" });
    const none = await api.patch(as(at, "m2"), "apply", aMap("one")).expect(200);
    expect(none).not.toHaveProperty("data");
  });

  conformance("another manager's value is a 409 with cause, field and message", async ({ api, path }) => {
    const at = `${await path("configmaps")}/one`;
    await api.patch(as(at, "m1"), "apply", aMap("one", { data: { a: "1" } })).expect(201);
    const status = await api.patch(as(at, "m2"), "apply", aMap("one", { data: { a: "2" } })).refuse(409, "Conflict");
    expect(status.message).toBe('Apply failed with 1 conflict: conflict with "m1": .data.a');
    expect(status.details.causes).toEqual([
      { reason: "FieldManagerConflict", message: 'conflict with "m1"', field: ".data.a" },
    ]);
  });

  conformance("several conflicts are listed by manager", async ({ api, path }) => {
    const at = `${await path("configmaps")}/one`;
    await api.patch(as(at, "m1"), "apply", aMap("one", { data: { a: "1", b: "1" } })).expect(201);
    await api.patch(`${at}?fieldManager=hand`, "merge", { data: { c: "1" } }).expect(200);
    const status = await api
      .patch(as(at, "m2"), "apply", aMap("one", { data: { a: "2", b: "2", c: "2" } }))
      .refuse(409, "Conflict");
    expect(status.message).toBe(
      'Apply failed with 3 conflicts: conflicts with "hand" using v1:\n- .data.c\nconflicts with "m1":\n- .data.a\n- .data.b',
    );
    expect(status.details.causes).toHaveLength(3);
  });

  conformance("the same value is no conflict but shared", async ({ api, path }) => {
    const at = `${await path("configmaps")}/one`;
    await api.patch(as(at, "m1"), "apply", aMap("one", { data: { a: "1" } })).expect(201);
    const both = await api.patch(as(at, "m2"), "apply", aMap("one", { data: { a: "1" } })).expect(200);
    for (const manager of ["m1", "m2"]) expect(managerOf(both, manager).fieldsV1).toEqual({ "f:data": { "f:a": {} } });
  });

  conformance("force takes the field, and the other manager loses it", async ({ api, path }) => {
    const at = `${await path("configmaps")}/one`;
    await api.patch(as(at, "m1"), "apply", aMap("one", { data: { a: "1", b: "1" } })).expect(201);
    const forced = await api.patch(as(at, "m2", "&force=true"), "apply", aMap("one", { data: { a: "2" } })).expect(200);
    expect(forced.data).toEqual({ a: "2", b: "1" });
    expect(managerOf(forced, "m1").fieldsV1).toEqual({ "f:data": { "f:b": {} } });
    expect(managerOf(forced, "m2").fieldsV1).toEqual({ "f:data": { "f:a": {} } });
  });

  conformance("force without apply is a 422", async ({ api, path }) => {
    const maps = await path("configmaps");
    await api.post(maps, aMap("one")).expect(201);
    const status = await api.patch(`${maps}/one?force=true`, "merge", {}).refuse(422, "Invalid");
    expect(status.message).toBe(
      'PatchOptions.meta.k8s.io "" is invalid: force: Forbidden: may not be specified for non-apply patch',
    );
  });

  conformance("an apply must name its manager", async ({ api, path }) => {
    const status = await api.patch(`${await path("configmaps")}/one`, "apply", aMap("one")).refuse(422, "Invalid");
    expect(status.message).toBe(
      'PatchOptions.meta.k8s.io "" is invalid: fieldManager: Required value: is required for apply patch',
    );
  });

  conformance("managed fields cannot be applied", async ({ api, path }) => {
    const at = as(`${await path("configmaps")}/one`, "m");
    const entry = { manager: "x", operation: "Apply", apiVersion: "v1", fieldsType: "FieldsV1", fieldsV1: {} };
    const status = await api.patch(at, "apply", aMap("one", {}, { managedFields: [entry] })).refuse(400, "BadRequest");
    expect(status.message).toBe("metadata.managedFields must be nil");
  });

  conformance("another kind or version than the path's is a 400", async ({ api, path }) => {
    const at = as(`${await path("configmaps")}/one`, "m");
    const status = await api.patch(at, "apply", { ...aMap("one"), kind: "Secret" }).refuse(400, "BadRequest");
    expect(status.message).toBe("invalid object type: /v1, Kind=Secret");
    await api.patch(at, "apply", { metadata: { name: "one" } }).refuse(400, "BadRequest");
  });

  conformance("another name than the path's is a 400", async ({ api, path }) => {
    await api.patch(as(`${await path("configmaps")}/one`, "m"), "apply", aMap("two")).refuse(400, "BadRequest");
  });

  conformance("a version in the configuration is a precondition", async ({ api, path }) => {
    const at = as(`${await path("configmaps")}/one`, "m");
    const made = await api.patch(at, "apply", aMap("one", { data: { a: "1" } })).expect(201);
    const { resourceVersion } = made.metadata;
    await api.patch(at, "apply", aMap("one", { data: { a: "2" } }, { resourceVersion })).expect(200);
    await api.patch(at, "apply", aMap("one", { data: { a: "3" } }, { resourceVersion })).refuse(409, "Conflict");
  });

  conformance("a uid in a configuration that would create is a 409", async ({ api, path }) => {
    const uid = "11111111-2222-3333-4444-555555555555";
    const status = await api
      .patch(as(`${await path("configmaps")}/one`, "m"), "apply", aMap("one", {}, { uid }))
      .refuse(409, "Conflict");
    expect(status.message).toContain("uid mismatch: the provided object specified uid");
  });

  conformance("containers merge by name, and go by being left out", async ({ api, path }) => {
    const at = `${await path("deployments", "apps/v1")}/one`;
    await api.patch(as(at, "m1"), "apply", aDeployment("one")).expect(201);
    const side = { template: { spec: { containers: [{ name: "side", image: "example.com/side:1" }] } } };
    const both = await api.patch(as(at, "m2"), "apply", partial("one", side)).expect(200);
    const names = (deployment: typeof both) =>
      deployment.spec.template.spec.containers.map((one: { name: string }) => one.name);
    expect(names(both)).toEqual(["main", "side"]);
    const less = await api.patch(as(at, "m2"), "apply", partial("one", {})).expect(200);
    expect(names(less)).toEqual(["main"]);
  });

  conformance("ports of a container are told apart by their defaulted protocol", async ({ api, path }) => {
    const at = `${await path("deployments", "apps/v1")}/one`;
    const ports = [{ containerPort: 53 }, { containerPort: 53, protocol: "UDP" }];
    const containers = [{ name: "main", image: "example.com/image:1", ports }];
    const made = await api.patch(as(at, "m"), "apply", aDeployment("one", {}, { containers })).expect(201);
    expect(made.spec.template.spec.containers[0].ports).toHaveLength(2);
    const owned = managerOf(made, "m").fieldsV1["f:spec"]["f:template"]["f:spec"]["f:containers"];
    expect(owned['k:{"name":"main"}']["f:ports"]).toEqual({
      'k:{"containerPort":53,"protocol":"TCP"}': { ".": {}, "f:containerPort": {} },
      'k:{"containerPort":53,"protocol":"UDP"}': { ".": {}, "f:containerPort": {}, "f:protocol": {} },
    });
  });

  conformance("two items of one key are refused", async ({ api, path }) => {
    const containers = [
      { name: "main", image: "example.com/image:1" },
      { name: "main", image: "example.com/image:2" },
    ];
    const reply = await api.patch(
      as(`${await path("deployments", "apps/v1")}/one`, "m"),
      "apply",
      aDeployment("one", {}, { containers }),
    );
    expect(reply.status).toBe(500);
    expect(reply.body.message).toContain('.spec.template.spec.containers: duplicate entries for key [name="main"]');
  });

  conformance("an update takes a field over, and the applier conflicts", async ({ api, path }) => {
    const at = `${await path("configmaps")}/one`;
    await api.patch(as(at, "m"), "apply", aMap("one", { data: { a: "1", b: "1" } })).expect(201);
    const patched = await api.patch(`${at}?fieldManager=hand`, "merge", { data: { a: "9" } }).expect(200);
    expect(managerOf(patched, "m").fieldsV1).toEqual({ "f:data": { "f:b": {} } });
    expect(managerOf(patched, "hand")).toMatchObject({ operation: "Update", fieldsV1: { "f:data": { "f:a": {} } } });
    const status = await api
      .patch(as(at, "m"), "apply", aMap("one", { data: { a: "1", b: "1" } }))
      .refuse(409, "Conflict");
    expect(status.details.causes[0].message).toBe('conflict with "hand" using v1');
  });

  conformance("an atomic map is owned and replaced as a whole", async ({ api, path }) => {
    const at = `${await path("services")}/one`;
    await api.patch(as(at, "m1"), "apply", aService("one", { selector: { a: "1" } })).expect(201);
    const selector = { apiVersion: "v1", kind: "Service", metadata: { name: "one" }, spec: { selector: { b: "2" } } };
    const status = await api.patch(as(at, "m2"), "apply", selector).refuse(409, "Conflict");
    expect(status.details.causes).toMatchObject([{ field: ".spec.selector" }]);
    const forced = await api.patch(as(at, "m2", "&force=true"), "apply", selector).expect(200);
    expect(forced.spec.selector).toEqual({ b: "2" });
  });

  conformance("custom lists merge as maps by key, defaults belonging to nobody", async ({ api, define }) => {
    const { at, body } = await things({ define });
    const made = await api.patch(as(at, "m1"), "apply", body({ parts: [{ name: "a" }] })).expect(201);
    expect(made.spec.parts).toEqual([{ name: "a", size: 5 }]);
    expect(managerOf(made, "m1").fieldsV1).toEqual({
      "f:spec": { "f:parts": { 'k:{"name":"a"}': { ".": {}, "f:name": {} } } },
    });
    const both = await api.patch(as(at, "m2"), "apply", body({ parts: [{ name: "b", size: 7 }] })).expect(200);
    expect(both.spec.parts).toEqual([
      { name: "a", size: 5 },
      { name: "b", size: 7 },
    ]);
    const less = await api.patch(as(at, "m1"), "apply", body({})).expect(200);
    expect(less.spec.parts).toEqual([{ name: "b", size: 7 }]);
  });

  conformance("custom sets merge by member, atomic lists and maps do not merge", async ({ api, define }) => {
    const { at, body } = await things({ define });
    const first = { tags: ["x", "y"], whole: ["1"], frozen: { a: "1" } };
    const made = await api.patch(as(at, "m1"), "apply", body(first)).expect(201);
    expect(managerOf(made, "m1").fieldsV1).toEqual({
      "f:spec": { "f:frozen": {}, "f:tags": { 'v:"x"': {}, 'v:"y"': {} }, "f:whole": {} },
    });
    const both = await api.patch(as(at, "m2"), "apply", body({ tags: ["y", "z"] })).expect(200);
    expect(both.spec.tags).toEqual(["x", "y", "z"]);
    const less = await api
      .patch(as(at, "m1"), "apply", body({ tags: ["x"], whole: ["1"], frozen: { a: "1" } }))
      .expect(200);
    expect([...less.spec.tags].sort()).toEqual(["x", "y", "z"]);
    const status = await api
      .patch(as(at, "m2"), "apply", body({ whole: ["2"], frozen: { b: "1" } }))
      .refuse(409, "Conflict");
    expect(status.details.causes.map((cause: { field: string }) => cause.field).sort()).toEqual([
      ".spec.frozen",
      ".spec.whole",
    ]);
  });

  conformance("a key field that is left out is refused", async ({ api, define }) => {
    const { at, body } = await things({ define });
    const reply = await api.patch(as(at, "m"), "apply", body({ parts: [{ size: 1 }] }));
    expect(reply.status).toBe(500);
    expect(reply.body.message).toContain(
      ".spec.parts: element 0: associative list with keys has an element that omits",
    );
  });

  conformance("status is applied through its path, and owned there", async ({ api, define }) => {
    const definition = await define({ kind: "Thing", version: { subresources: { status: {} } } });
    const at = `${await definition.path()}/one`;
    const base = { apiVersion: definition.apiVersion(), kind: "Thing", metadata: { name: "one" } };
    const main = await api.patch(as(at, "m"), "apply", { ...base, spec: { a: 1 }, status: { b: 1 } }).expect(201);
    expect(main).not.toHaveProperty("status");
    expect(managerOf(main, "m").fieldsV1).toEqual({ "f:spec": { ".": {}, "f:a": {} } });
    const both = await api
      .patch(as(`${at}/status`, "c"), "apply", { ...base, spec: { a: 9 }, status: { b: 2 } })
      .expect(200);
    expect(both).toMatchObject({ spec: { a: 1 }, status: { b: 2 } });
    expect(managerOf(both, "c", "status").fieldsV1).toEqual({ "f:status": { ".": {}, "f:b": {} } });
  });

  conformance("status of what is not there is a 404, not a creation", async ({ api, path }) => {
    const at = as(`${await path("deployments", "apps/v1")}/one/status`, "m");
    const body = { apiVersion: "apps/v1", kind: "Deployment", metadata: { name: "one" }, status: { replicas: 1 } };
    await api.patch(at, "apply", body).refuse(404, "NotFound");
  });

  conformance("what was there before the first apply belongs to a manager of that name", async ({ api, path }) => {
    const maps = await path("configmaps");
    const made = await api.post(maps, aMap("one", { data: { a: "1" } })).expect(201);
    const reset = await api
      .put(`${maps}/one`, { ...made, metadata: { ...made.metadata, managedFields: [{}] } })
      .expect(200);
    expect(reset.metadata).not.toHaveProperty("managedFields");
    const status = await api
      .patch(as(`${maps}/one`, "m"), "apply", aMap("one", { data: { a: "2" } }))
      .refuse(409, "Conflict");
    expect(status.details.causes[0].message).toBe('conflict with "before-first-apply" using v1');
  });

  conformance("kubectl's own annotation lets its manager go over to server-side apply", async ({ api, path }) => {
    const maps = await path("configmaps");
    const config = aMap("one", { data: { a: "1" } });
    const annotations = { "kubectl.kubernetes.io/last-applied-configuration": JSON.stringify(config) };
    await api
      .post(`${maps}?fieldManager=kubectl-client-side-apply`, aMap("one", { data: { a: "1" } }, { annotations }))
      .expect(201);
    const at = `${maps}/one`;
    await api.patch(as(at, "other"), "apply", aMap("one", { data: { a: "2" } })).refuse(409, "Conflict");
    const next = await api.patch(as(at, "kubectl"), "apply", aMap("one", { data: { a: "2" } })).expect(200);
    const written = next.metadata.annotations["kubectl.kubernetes.io/last-applied-configuration"];
    expect(JSON.parse(written).data).toEqual({ a: "2" });
  });

  conformance("scale is applied as a Scale and conflicts in its terms", async ({ api, path }) => {
    const at = `${await path("deployments", "apps/v1")}/one`;
    await api.patch(as(at, "m1"), "apply", aDeployment("one", { replicas: 2 })).expect(201);
    const scale = { apiVersion: "autoscaling/v1", kind: "Scale", metadata: { name: "one" }, spec: { replicas: 5 } };
    const status = await api.patch(as(`${at}/scale`, "m2"), "apply", scale).refuse(409, "Conflict");
    expect(status.details.causes).toMatchObject([{ field: ".spec.replicas", message: 'conflict with "m1"' }]);
    await api.patch(as(`${at}/scale`, "m2", "&force=true"), "apply", scale).expect(200, { spec: { replicas: 5 } });
    const after = await api.get(at).expect(200, { spec: { replicas: 5 } });
    expect(managerOf(after, "m2", "scale").fieldsV1).toEqual({ "f:spec": { "f:replicas": {} } });
    expect(managerOf(after, "m2", "scale")).not.toHaveProperty("time");
    expect(managerOf(after, "m1").fieldsV1["f:spec"]).not.toHaveProperty("f:replicas");
  });
});
