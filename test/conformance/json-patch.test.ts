/** JSON patches (RFC 6902): every operation, paths, and what fails the whole patch. */
import { expect } from "vitest";
import { area } from "./support/conformance-case.ts";
import { aDeployment, aMap } from "./support/sample-objects.ts";

area("json patch", (conformance) => {
  conformance("add, replace and remove in one patch", async ({ api, path }) => {
    const maps = await path("configmaps");
    await api.post(maps, aMap("one", { data: { a: "1", b: "2" } })).expect(201);
    const patched = await api
      .patch(`${maps}/one`, "json", [
        { op: "add", path: "/data/c", value: "3" },
        { op: "replace", path: "/data/a", value: "9" },
        { op: "remove", path: "/data/b" },
      ])
      .expect(200);
    expect(patched.data).toEqual({ a: "9", c: "3" });
  });

  conformance("move and copy", async ({ api, path }) => {
    const maps = await path("configmaps");
    await api.post(maps, aMap("one", { data: { a: "1", b: "2" } })).expect(201);
    const patched = await api
      .patch(`${maps}/one`, "json", [
        { op: "copy", from: "/data/a", path: "/data/c" },
        { op: "move", from: "/data/b", path: "/data/d" },
      ])
      .expect(200);
    expect(patched.data).toEqual({ a: "1", c: "1", d: "2" });
  });

  conformance("a test that fails is a 422 and changes nothing", async ({ api, path }) => {
    const maps = await path("configmaps");
    const made = await api.post(maps, aMap("one", { data: { a: "1" } })).expect(201);
    const status = await api
      .patch(`${maps}/one`, "json", [
        { op: "replace", path: "/data/a", value: "2" },
        { op: "test", path: "/data/a", value: "1" },
      ])
      .refuse(422, "Invalid");
    expect(status.message).toBe("the server rejected our request due to an error in our request");
    expect(await api.get(`${maps}/one`).expect(200)).toEqual(made);
  });

  conformance("a test that holds lets the rest through", async ({ api, path }) => {
    const maps = await path("configmaps");
    const made = await api.post(maps, aMap("one", { data: { a: "1" } })).expect(201);
    await api
      .patch(`${maps}/one`, "json", [
        { op: "test", path: "/metadata/resourceVersion", value: made.metadata.resourceVersion },
        { op: "replace", path: "/data/a", value: "2" },
      ])
      .expect(200, { data: { a: "2" } });
  });

  conformance("escapes in paths", async ({ api, path }) => {
    const maps = await path("configmaps");
    await api.post(maps, aMap("one", {}, { annotations: { "example.com/a": "1" } })).expect(201);
    await api
      .patch(`${maps}/one`, "json", [{ op: "replace", path: "/metadata/annotations/example.com~1a", value: "2" }])
      .expect(200, { metadata: { annotations: { "example.com/a": "2" } } });
  });

  conformance("lists take indices, and - appends", async ({ api, path }) => {
    const maps = await path("configmaps");
    await api.post(maps, aMap("one", {}, { finalizers: ["example.com/b"] })).expect(201);
    const patched = await api
      .patch(`${maps}/one`, "json", [
        { op: "add", path: "/metadata/finalizers/-", value: "example.com/c" },
        { op: "add", path: "/metadata/finalizers/0", value: "example.com/a" },
        { op: "remove", path: "/metadata/finalizers/1" },
      ])
      .expect(200);
    expect(patched.metadata.finalizers).toEqual(["example.com/a", "example.com/c"]);
    await api.patch(`${maps}/one`, "json", [{ op: "remove", path: "/metadata/finalizers" }]).expect(200);
  });

  const unapplicable: readonly (readonly [name: string, operation: object])[] = [
    ["removing what is not there", { op: "remove", path: "/data/none" }],
    ["replacing an item that is not there", { op: "replace", path: "/metadata/finalizers/1", value: "example.com/b" }],
    ["adding below what is not there", { op: "add", path: "/binaryData/a", value: "MQ==" }],
    ["moving from nowhere", { op: "move", from: "/data/none", path: "/data/b" }],
    ["an index out of bounds", { op: "add", path: "/metadata/finalizers/7", value: "example.com/b" }],
  ];
  for (const [name, operation] of unapplicable) {
    conformance(`${name} is a 422`, async ({ api, path }) => {
      const maps = await path("configmaps");
      await api.post(maps, aMap("one", { data: { a: "1" } }, { finalizers: ["example.com/a"] })).expect(201);
      await api.patch(`${maps}/one`, "json", [operation]).refuse(422, "Invalid");
      await api.patch(`${maps}/one`, "merge", { metadata: { finalizers: null } }).expect(200);
    });
  }

  conformance("an object for a patch, or no JSON, is a 400", async ({ api, path }) => {
    const maps = await path("configmaps");
    await api.post(maps, aMap("one")).expect(201);
    await api.patch(`${maps}/one`, "json", { op: "remove", path: "/data" }).refuse(400, "BadRequest");
    await api.patch(`${maps}/one`, "json", "[").refuse(400, "BadRequest");
  });

  conformance("more than 10,000 operations are too many", async ({ api, path }) => {
    const maps = await path("configmaps");
    await api.post(maps, aMap("one", { data: { a: "1" } })).expect(201);
    const many = Array.from({ length: 10_001 }, () => ({ op: "test", path: "/data/a", value: "1" }));
    const status = await api.patch(`${maps}/one`, "json", many).refuse(413, "RequestEntityTooLarge");
    expect(status.message).toContain("The allowed maximum operations in a JSON patch is 10000, got 10001");
  });

  conformance("a result of the wrong type is a 422 of the patch", async ({ api, path }) => {
    const deployments = await path("deployments", "apps/v1");
    await api.post(deployments, aDeployment("one")).expect(201);
    const status = await api
      .patch(`${deployments}/one`, "json", [{ op: "replace", path: "/spec/replicas", value: "many" }])
      .refuse(422, "Invalid");
    expect(status.details.causes[0]).toMatchObject({ field: "patch", reason: "FieldValueInvalid" });
  });

  conformance("a result with another name is a 400", async ({ api, path }) => {
    const maps = await path("configmaps");
    await api.post(maps, aMap("one")).expect(201);
    await api
      .patch(`${maps}/one`, "json", [{ op: "replace", path: "/metadata/name", value: "two" }])
      .refuse(400, "BadRequest");
  });

  conformance("a result with another uid is a 422", async ({ api, path }) => {
    const maps = await path("configmaps");
    await api.post(maps, aMap("one")).expect(201);
    const uid = "11111111-2222-3333-4444-555555555555";
    const status = await api
      .patch(`${maps}/one`, "json", [{ op: "replace", path: "/metadata/uid", value: uid }])
      .refuse(422, "Invalid");
    expect(status.details.causes).toContainEqual({
      reason: "FieldValueInvalid",
      message: `Invalid value: "${uid}": field is immutable`,
      field: "metadata.uid",
    });
  });

  conformance("custom objects take JSON patches too", async ({ api, define }) => {
    const things = await define({ kind: "Thing" });
    const at = await things.path();
    const body = { apiVersion: things.apiVersion(), kind: "Thing", metadata: { name: "one" }, spec: { list: [1, 2] } };
    await api.post(at, body).expect(201);
    const patched = await api.patch(`${at}/one`, "json", [{ op: "remove", path: "/spec/list/0" }]).expect(200);
    expect(patched.spec).toEqual({ list: [2] });
  });
});
