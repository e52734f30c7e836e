/** Managed fields as every kind of write leaves them: shapes, managers, times, order, resets. */
import { expect } from "vitest";
import { area } from "./support/conformance-case.ts";
import { aDeployment, aMap, aPod, managerOf } from "./support/sample-objects.ts";

area("managed fields", (conformance) => {
  conformance("a creation records its manager, operation, version and time", async ({ api, path }) => {
    const made = await api
      .post(`${await path("configmaps")}?fieldManager=me`, aMap("one", { data: { a: "1" } }))
      .expect(201);
    expect(made.metadata.managedFields).toEqual([
      {
        manager: "me",
        operation: "Update",
        apiVersion: "v1",
        time: made.metadata.creationTimestamp,
        fieldsType: "FieldsV1",
        fieldsV1: { "f:data": { ".": {}, "f:a": {} } },
      },
    ]);
  });

  conformance("without a manager it is the program of the user agent", async ({ api, path }) => {
    const headers = { "user-agent": "my-tool/v1.2 (linux)" };
    const made = await api.post(await path("configmaps"), aMap("one", { data: { a: "1" } }), { headers }).expect(201);
    expect(made.metadata.managedFields[0].manager).toBe("my-tool");
  });

  conformance("identity is owned by nobody, generateName is", async ({ api, path }) => {
    const body = { apiVersion: "v1", kind: "ConfigMap", metadata: { generateName: "made-", labels: { a: "b" } } };
    const made = await api.post(`${await path("configmaps")}?fieldManager=me`, body).expect(201);
    expect(managerOf(made, "me").fieldsV1).toEqual({
      "f:metadata": { "f:generateName": {}, "f:labels": { ".": {}, "f:a": {} } },
    });
  });

  conformance(
    "structs that a built-in type always has are not owned, what is set in them is",
    async ({ api, path }) => {
      const made = await api
        .post(`${await path("deployments", "apps/v1")}?fieldManager=me`, aDeployment("one"))
        .expect(201);
      const { fieldsV1 } = managerOf(made, "me");
      expect(Object.keys(fieldsV1)).toEqual(["f:spec"]);
      expect(Object.keys(fieldsV1["f:spec"])).not.toContain(".");
      expect(fieldsV1["f:spec"]["f:selector"]).toEqual({});
      expect(fieldsV1["f:spec"]["f:template"]["f:metadata"]).toEqual({ "f:labels": { ".": {}, "f:app": {} } });
      const container = fieldsV1["f:spec"]["f:template"]["f:spec"]["f:containers"]['k:{"name":"main"}'];
      expect(container).toMatchObject({
        ".": {},
        "f:name": {},
        "f:image": {},
        "f:resources": {},
        "f:imagePullPolicy": {},
      });
    },
  );

  conformance("a custom object's maps are owned with what is in them", async ({ api, define }) => {
    const things = await define({ kind: "Thing" });
    const body = {
      apiVersion: things.apiVersion(),
      kind: "Thing",
      metadata: { name: "one" },
      spec: { a: { b: 1 }, c: [] },
    };
    const made = await api.post(`${await things.path()}?fieldManager=me`, body).expect(201);
    expect(managerOf(made, "me").fieldsV1).toEqual({
      "f:spec": { ".": {}, "f:a": { ".": {}, "f:b": {} }, "f:c": {} },
    });
  });

  conformance("an updater owns what it added or changed, no more", async ({ api, path }) => {
    const maps = await path("configmaps");
    const made = await api.post(`${maps}?fieldManager=one`, aMap("one", { data: { a: "1", b: "1" } })).expect(201);
    const next = await api
      .put(`${maps}/one?fieldManager=two`, { ...made, data: { a: "1", b: "2", c: "3" } })
      .expect(200);
    expect(managerOf(next, "one").fieldsV1).toEqual({ "f:data": { ".": {}, "f:a": {} } });
    expect(managerOf(next, "two").fieldsV1).toEqual({ "f:data": { "f:b": {}, "f:c": {} } });
  });

  conformance("what is removed belongs to nobody", async ({ api, path }) => {
    const maps = await path("configmaps");
    await api.post(`${maps}?fieldManager=one`, aMap("one", { data: { a: "1", b: "1" } })).expect(201);
    const next = await api.patch(`${maps}/one?fieldManager=two`, "merge", { data: { a: null } }).expect(200);
    expect(next.metadata.managedFields).toHaveLength(1);
    expect(managerOf(next, "one").fieldsV1).toEqual({ "f:data": { ".": {}, "f:b": {} } });
  });

  conformance("one manager's updates gather in one entry", async ({ api, path }) => {
    const maps = await path("configmaps");
    await api.post(`${maps}?fieldManager=me`, aMap("one", { data: { a: "1" } })).expect(201);
    const next = await api.patch(`${maps}/one?fieldManager=me`, "merge", { data: { b: "1" } }).expect(200);
    expect(next.metadata.managedFields).toHaveLength(1);
    expect(managerOf(next, "me").fieldsV1).toEqual({ "f:data": { ".": {}, "f:a": {}, "f:b": {} } });
  });

  conformance("applying and updating under one name are two managers, appliers first", async ({ api, path }) => {
    const at = `${await path("configmaps")}/one?fieldManager=me`;
    await api.patch(at, "apply", aMap("one", { data: { a: "1" } })).expect(201);
    const next = await api.patch(at, "merge", { data: { b: "1" } }).expect(200);
    expect(next.metadata.managedFields.map((entry: { operation: string }) => entry.operation)).toEqual([
      "Apply",
      "Update",
    ]);
  });

  conformance("an apply owns what it names, containers without their defaults", async ({ api, path }) => {
    const at = `${await path("pods")}/one?fieldManager=me`;
    const made = await api.patch(at, "apply", aPod("one")).expect(201);
    expect(managerOf(made, "me").fieldsV1).toEqual({
      "f:spec": { "f:containers": { 'k:{"name":"main"}': { ".": {}, "f:image": {}, "f:name": {} } } },
    });
  });

  conformance("an empty map that is applied is owned as it is", async ({ api, define }) => {
    const things = await define({ kind: "Thing" });
    const body = { apiVersion: things.apiVersion(), kind: "Thing", metadata: { name: "one" }, spec: {} };
    const made = await api.patch(`${await things.path()}/one?fieldManager=me`, "apply", body).expect(201);
    expect(managerOf(made, "me").fieldsV1).toEqual({ "f:spec": {} });
  });

  conformance("status written through its path says so", async ({ api, path }) => {
    const deployments = await path("deployments", "apps/v1");
    await api.post(`${deployments}?fieldManager=me`, aDeployment("one")).expect(201);
    const next = await api
      .patch(`${deployments}/one/status?fieldManager=me`, "merge", { status: { replicas: 3 } })
      .expect(200);
    expect(managerOf(next, "me", "status")).toMatchObject({
      operation: "Update",
      apiVersion: "apps/v1",
      fieldsV1: { "f:status": { "f:replicas": {} } },
    });
    expect(managerOf(next, "me").fieldsV1).not.toHaveProperty("f:status");
  });

  conformance("scale written through its path says so", async ({ api, path }) => {
    const deployments = await path("deployments", "apps/v1");
    await api.post(`${deployments}?fieldManager=me`, aDeployment("one")).expect(201);
    await api.patch(`${deployments}/one/scale?fieldManager=other`, "merge", { spec: { replicas: 3 } }).expect(200);
    const after = await api.get(`${deployments}/one`).expect(200);
    expect(managerOf(after, "other", "scale")).toMatchObject({
      operation: "Update",
      apiVersion: "apps/v1",
      fieldsV1: { "f:spec": { "f:replicas": {} } },
    });
    // The times of a Scale's entries are not carried over.
    expect(managerOf(after, "other", "scale")).not.toHaveProperty("time");
    expect(managerOf(after, "me").fieldsV1["f:spec"]).not.toHaveProperty("f:replicas");
  });

  for (const [name, managedFields] of [
    ["an empty list", []],
    ["one empty entry", [{}]],
  ] as const) {
    conformance(`${name} forgets all managers, and updates are not tracked any more`, async ({ api, path }) => {
      const maps = await path("configmaps");
      const made = await api.post(maps, aMap("one", { data: { a: "1" } })).expect(201);
      const reset = await api
        .put(`${maps}/one`, { ...made, metadata: { ...made.metadata, managedFields } })
        .expect(200);
      expect(reset.metadata).not.toHaveProperty("managedFields");
      const next = await api.patch(`${maps}/one`, "merge", { data: { b: "1" } }).expect(200);
      expect(next.metadata).not.toHaveProperty("managedFields");
    });
  }

  conformance("a client that leaves them out loses none", async ({ api, path }) => {
    const maps = await path("configmaps");
    await api.post(`${maps}?fieldManager=me`, aMap("one", { data: { a: "1" } })).expect(201);
    const next = await api.put(`${maps}/one?fieldManager=other`, aMap("one", { data: { a: "1", b: "1" } })).expect(200);
    expect(managerOf(next, "me").fieldsV1).toEqual({ "f:data": { ".": {}, "f:a": {} } });
  });

  conformance("a client may rename a manager", async ({ api, path }) => {
    const maps = await path("configmaps");
    const made = await api.post(`${maps}?fieldManager=old`, aMap("one", { data: { a: "1" } })).expect(201);
    const managedFields = made.metadata.managedFields.map((entry: object) => ({ ...entry, manager: "new" }));
    const next = await api.put(`${maps}/one`, { ...made, metadata: { ...made.metadata, managedFields } }).expect(200);
    expect(next.metadata.managedFields.map((entry: { manager: string }) => entry.manager)).toEqual(["new"]);
  });

  conformance("malformed entries are passed over for the stored ones", async ({ api, path }) => {
    const maps = await path("configmaps");
    const made = await api.post(`${maps}?fieldManager=me`, aMap("one", { data: { a: "1" } })).expect(201);
    const managedFields = [
      { manager: "x", operation: "Guess", apiVersion: "v1", fieldsType: "FieldsV1", fieldsV1: {} },
    ];
    const next = await api.put(`${maps}/one`, { ...made, metadata: { ...made.metadata, managedFields } }).expect(200);
    expect(managerOf(next, "me")).toBeDefined();
    expect(next.metadata.managedFields).toHaveLength(1);
  });

  conformance("beyond ten updaters the oldest are merged", async ({ api, path }) => {
    const maps = await path("configmaps");
    await api.post(`${maps}?fieldManager=m00`, aMap("one", { data: { k00: "1" } })).expect(201);
    let last = await api.get(`${maps}/one`).expect(200);
    for (let i = 1; i <= 11; i += 1) {
      const id = String(i).padStart(2, "0");
      last = await api.patch(`${maps}/one?fieldManager=m${id}`, "merge", { data: { [`k${id}`]: "1" } }).expect(200);
    }
    expect(last.metadata.managedFields).toHaveLength(10);
    expect(managerOf(last, "ancient-changes")).toMatchObject({ operation: "Update", apiVersion: "v1" });
  });

  conformance("a manager's name is bounded and printable", async ({ api, path }) => {
    const maps = await path("configmaps");
    const long = await api.post(`${maps}?fieldManager=${"m".repeat(129)}`, aMap("one")).refuse(422, "Invalid");
    expect(long.message).toBe(
      'CreateOptions.meta.k8s.io "" is invalid: fieldManager: Too long: may not be more than 128 bytes',
    );
    const odd = await api.post(`${maps}?fieldManager=a%0Ab`, aMap("one")).refuse(422, "Invalid");
    expect(odd.message).toContain("invalid character U+000A (at position 1)");
    await api.post(`${maps}?fieldManager=${"m".repeat(128)}`, aMap("one")).expect(201);
  });

  conformance("a version of its own: fields are owned in the version that wrote them", async ({ api, define }) => {
    const schema = { openAPIV3Schema: { type: "object", "x-kubernetes-preserve-unknown-fields": true } };
    const things = await define({
      kind: "Thing",
      versions: [
        { name: "v1", schema },
        { name: "v2", storage: false, schema },
      ],
    });
    const body = { apiVersion: things.apiVersion("v1"), kind: "Thing", metadata: { name: "one" }, spec: { a: 1 } };
    await api.post(`${await things.path("v1")}?fieldManager=me`, body).expect(201);
    const next = await api
      .patch(`${await things.path("v2")}/one?fieldManager=me`, "merge", { spec: { b: 2 } })
      .expect(200);
    const versions = next.metadata.managedFields.map((entry: { apiVersion: string }) => entry.apiVersion);
    expect(versions.sort()).toEqual([things.apiVersion("v1"), things.apiVersion("v2")]);
  });
});
