/** JSON merge patches (RFC 7396). */
import { expect } from "vitest";
import { area } from "./support/conformance-case.ts";
import { aDeployment, aMap } from "./support/sample-objects.ts";

area("merge patch", (conformance) => {
  conformance("maps merge, null removes, and what is not named stays", async ({ api, path }) => {
    const maps = await path("configmaps");
    await api.post(maps, aMap("one", { data: { a: "1", b: "2" } }, { labels: { x: "1" } })).expect(201);
    const patched = await api.patch(`${maps}/one`, "merge", { data: { a: null, c: "3" } }).expect(200);
    expect(patched.data).toEqual({ b: "2", c: "3" });
    expect(patched.metadata.labels).toEqual({ x: "1" });
  });

  conformance("lists are replaced as a whole", async ({ api, path }) => {
    const deployments = await path("deployments", "apps/v1");
    const containers = [
      { name: "main", image: "example.com/image:1" },
      { name: "side", image: "example.com/side:1" },
    ];
    await api.post(deployments, aDeployment("one", {}, { containers })).expect(201);
    const only = [{ name: "side", image: "example.com/side:2" }];
    const patched = await api
      .patch(`${deployments}/one`, "merge", { spec: { template: { spec: { containers: only } } } })
      .expect(200);
    expect(patched.spec.template.spec.containers.map((one: { image: string }) => one.image)).toEqual([
      "example.com/side:2",
    ]);
  });

  conformance("a patch that changes nothing makes no new version", async ({ api, path }) => {
    const maps = await path("configmaps");
    const made = await api.post(maps, aMap("one", { data: { a: "1" } })).expect(201);
    const same = await api.patch(`${maps}/one`, "merge", { data: { a: "1" } }).expect(200);
    expect(same).toEqual(made);
  });

  conformance("a version in the patch is a precondition", async ({ api, path }) => {
    const maps = await path("configmaps");
    const made = await api.post(maps, aMap("one")).expect(201);
    const { resourceVersion } = made.metadata;
    await api.patch(`${maps}/one`, "merge", { metadata: { resourceVersion }, data: { a: "1" } }).expect(200);
    await api
      .patch(`${maps}/one`, "merge", { metadata: { resourceVersion }, data: { a: "2" } })
      .refuse(409, "Conflict");
  });

  conformance("a patch of what is missing is a 404", async ({ api, path }) => {
    await api.patch(`${await path("configmaps")}/gone`, "merge", { data: {} }).refuse(404, "NotFound");
  });

  conformance("a list, a word or no JSON for a patch is a 400", async ({ api, path }) => {
    const maps = await path("configmaps");
    await api.post(maps, aMap("one")).expect(201);
    for (const body of ["[]", '"word"', "{"]) await api.patch(`${maps}/one`, "merge", body).refuse(400, "BadRequest");
  });

  conformance("status is patched through its own path alone", async ({ api, path }) => {
    const deployments = await path("deployments", "apps/v1");
    await api.post(deployments, aDeployment("one")).expect(201);
    const patch = { spec: { replicas: 7 }, status: { replicas: 2 } };
    const status = await api.patch(`${deployments}/one/status`, "merge", patch).expect(200);
    expect(status).toMatchObject({ spec: { replicas: 1 }, status: { replicas: 2 } });
    const main = await api
      .patch(`${deployments}/one`, "merge", { spec: { replicas: 7 }, status: { replicas: 5 } })
      .expect(200);
    expect(main).toMatchObject({ spec: { replicas: 7 }, status: { replicas: 2 } });
  });

  conformance("scale is patched in terms of the Scale", async ({ api, path }) => {
    const deployments = await path("deployments", "apps/v1");
    await api.post(deployments, aDeployment("one")).expect(201);
    await api
      .patch(`${deployments}/one/scale`, "merge", { spec: { replicas: 6 } })
      .expect(200, { kind: "Scale", spec: { replicas: 6 } });
    await api.get(`${deployments}/one`).expect(200, { spec: { replicas: 6 } });
  });

  conformance("a null in a new map of a custom object leaves no trace", async ({ api, define }) => {
    const things = await define({ kind: "Thing" });
    const at = await things.path();
    await api.post(at, { apiVersion: things.apiVersion(), kind: "Thing", metadata: { name: "one" } }).expect(201);
    const patched = await api.patch(`${at}/one`, "merge", { spec: { a: { b: null, c: 1 } } }).expect(200);
    expect(patched.spec).toEqual({ a: { c: 1 } });
  });
});
