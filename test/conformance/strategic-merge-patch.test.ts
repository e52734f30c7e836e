/** Strategic merge patches of built-in kinds: merge keys, directives, orders; custom objects take none. */
import { expect } from "vitest";
import { area } from "./support/conformance-case.ts";
import { aDeployment, aMap, aService } from "./support/sample-objects.ts";

const two = [
  { name: "main", image: "example.com/image:1", env: [{ name: "E", value: "1" }] },
  { name: "side", image: "example.com/side:1" },
];
const inTemplate = (spec: object) => ({ spec: { template: { spec } } });
// biome-ignore lint/suspicious/noExplicitAny: cases look into answers of every shape
const images = (deployment: any) =>
  deployment.spec.template.spec.containers.map((one: { name: string; image: string }) => `${one.name}=${one.image}`);

area("strategic merge patch", (conformance) => {
  conformance("containers merge by name and keep what is not named", async ({ api, path }) => {
    const deployments = await path("deployments", "apps/v1");
    await api.post(deployments, aDeployment("one", {}, { containers: two })).expect(201);
    const patched = await api
      .patch(
        `${deployments}/one`,
        "strategic",
        inTemplate({ containers: [{ name: "side", image: "example.com/side:2" }] }),
      )
      .expect(200);
    expect(images(patched)).toEqual(["main=example.com/image:1", "side=example.com/side:2"]);
    expect(patched.spec.template.spec.containers[0].env).toEqual([{ name: "E", value: "1" }]);
  });

  conformance("a new item comes before what the server has alone", async ({ api, path }) => {
    const deployments = await path("deployments", "apps/v1");
    await api.post(deployments, aDeployment("one")).expect(201);
    const patched = await api
      .patch(
        `${deployments}/one`,
        "strategic",
        inTemplate({ containers: [{ name: "new", image: "example.com/new:1" }] }),
      )
      .expect(200);
    expect(images(patched)).toEqual(["new=example.com/new:1", "main=example.com/image:1"]);
  });

  conformance("$patch: delete removes an item", async ({ api, path }) => {
    const deployments = await path("deployments", "apps/v1");
    await api.post(deployments, aDeployment("one", {}, { containers: two })).expect(201);
    const patched = await api
      .patch(`${deployments}/one`, "strategic", inTemplate({ containers: [{ name: "main", $patch: "delete" }] }))
      .expect(200);
    expect(images(patched)).toEqual(["side=example.com/side:1"]);
  });

  conformance("$patch: replace replaces a list", async ({ api, path }) => {
    const deployments = await path("deployments", "apps/v1");
    await api.post(deployments, aDeployment("one", {}, { containers: two })).expect(201);
    const patched = await api
      .patch(
        `${deployments}/one`,
        "strategic",
        inTemplate({ containers: [{ $patch: "replace" }, { name: "only", image: "example.com/only:1" }] }),
      )
      .expect(200);
    expect(images(patched)).toEqual(["only=example.com/only:1"]);
  });

  conformance("$patch: replace replaces a map", async ({ api, path }) => {
    const maps = await path("configmaps");
    await api.post(maps, aMap("one", { data: { a: "1", b: "2" } })).expect(201);
    const patched = await api.patch(`${maps}/one`, "strategic", { data: { $patch: "replace", c: "3" } }).expect(200);
    expect(patched.data).toEqual({ c: "3" });
  });

  conformance("$patch: delete empties a map", async ({ api, path }) => {
    const maps = await path("configmaps");
    await api.post(maps, aMap("one", { data: { a: "1" } })).expect(201);
    const patched = await api.patch(`${maps}/one`, "strategic", { data: { $patch: "delete" } }).expect(200);
    expect(patched.data ?? {}).toEqual({});
  });

  conformance("$deleteFromPrimitiveList takes members out of a set", async ({ api, path }) => {
    const maps = await path("configmaps");
    await api.post(maps, aMap("one", {}, { finalizers: ["example.com/a", "example.com/b"] })).expect(201);
    const patched = await api
      .patch(`${maps}/one`, "strategic", {
        metadata: { "$deleteFromPrimitiveList/finalizers": ["example.com/a"] },
      })
      .expect(200);
    expect(patched.metadata.finalizers).toEqual(["example.com/b"]);
    const merged = await api
      .patch(`${maps}/one`, "strategic", { metadata: { finalizers: ["example.com/c"] } })
      .expect(200);
    expect(merged.metadata.finalizers).toEqual(["example.com/c", "example.com/b"]);
    await api.patch(`${maps}/one`, "merge", { metadata: { finalizers: null } }).expect(200);
  });

  conformance("$setElementOrder orders the items", async ({ api, path }) => {
    const deployments = await path("deployments", "apps/v1");
    await api.post(deployments, aDeployment("one", {}, { containers: two })).expect(201);
    const patched = await api
      .patch(
        `${deployments}/one`,
        "strategic",
        inTemplate({
          "$setElementOrder/containers": [{ name: "side" }, { name: "main" }],
          containers: [{ name: "main", image: "example.com/image:2" }],
        }),
      )
      .expect(200);
    expect(images(patched)).toEqual(["side=example.com/side:1", "main=example.com/image:2"]);
  });

  conformance("$retainKeys drops the other arms of a union", async ({ api, path }) => {
    const deployments = await path("deployments", "apps/v1");
    await api.post(deployments, aDeployment("one")).expect(201, { spec: { strategy: { type: "RollingUpdate" } } });
    const patched = await api
      .patch(`${deployments}/one`, "strategic", { spec: { strategy: { $retainKeys: ["type"], type: "Recreate" } } })
      .expect(200);
    expect(patched.spec.strategy).toEqual({ type: "Recreate" });
  });

  conformance("a field that $retainKeys does not list is a 400", async ({ api, path }) => {
    const deployments = await path("deployments", "apps/v1");
    await api.post(deployments, aDeployment("one")).expect(201);
    await api
      .patch(`${deployments}/one`, "strategic", {
        spec: { strategy: { $retainKeys: ["rollingUpdate"], type: "Recreate" } },
      })
      .refuse(400, "BadRequest");
  });

  conformance("volumes replace their source by name", async ({ api, path }) => {
    const deployments = await path("deployments", "apps/v1");
    await api.post(deployments, aDeployment("one", {}, { volumes: [{ name: "v", emptyDir: {} }] })).expect(201);
    const volumes = [{ name: "v", $retainKeys: ["name", "configMap"], configMap: { name: "c" } }];
    const patched = await api.patch(`${deployments}/one`, "strategic", inTemplate({ volumes })).expect(200);
    expect(patched.spec.template.spec.volumes).toMatchObject([{ name: "v", configMap: { name: "c" } }]);
    expect(patched.spec.template.spec.volumes[0]).not.toHaveProperty("emptyDir");
  });

  conformance("lists without a merge key are replaced", async ({ api, path }) => {
    const deployments = await path("deployments", "apps/v1");
    await api
      .post(deployments, aDeployment("one", {}, { tolerations: [{ key: "a", operator: "Exists" }] }))
      .expect(201);
    const tolerations = [{ key: "b", operator: "Exists" }];
    const patched = await api.patch(`${deployments}/one`, "strategic", inTemplate({ tolerations })).expect(200);
    expect(patched.spec.template.spec.tolerations).toEqual(tolerations);
  });

  conformance("ports of a service merge by port", async ({ api, path }) => {
    const services = await path("services");
    await api.post(services, aService("one", { ports: [{ name: "web", port: 80 }] })).expect(201);
    const patched = await api
      .patch(`${services}/one`, "strategic", { spec: { ports: [{ port: 80, targetPort: 8080 }] } })
      .expect(200);
    expect(patched.spec.ports).toMatchObject([{ name: "web", port: 80, targetPort: 8080 }]);
  });

  conformance("null removes a field, and none that was not there", async ({ api, path }) => {
    const maps = await path("configmaps");
    await api.post(maps, aMap("one", { data: { a: "1" } })).expect(201);
    const patched = await api.patch(`${maps}/one`, "strategic", { data: { a: null, b: null, c: "3" } }).expect(200);
    expect(patched.data).toEqual({ c: "3" });
  });

  conformance("an item without its merge key is refused", async ({ api, path }) => {
    const deployments = await path("deployments", "apps/v1");
    await api.post(deployments, aDeployment("one")).expect(201);
    const reply = await api.patch(`${deployments}/one`, "strategic", inTemplate({ containers: [{ image: "x" }] }));
    expect(reply.status).toBe(500);
    expect(reply.body.message).toContain("does not contain declared merge key: name");
  });

  conformance("an unknown directive is refused", async ({ api, path }) => {
    const maps = await path("configmaps");
    await api.post(maps, aMap("one", { data: { a: "1" } })).expect(201);
    const reply = await api.patch(`${maps}/one`, "strategic", { data: { $patch: "shuffle" } });
    expect(reply.status).toBe(500);
    expect(reply.body.message).toContain("unknown patch type: shuffle");
  });

  conformance("a custom object takes none: 415 with what it takes", async ({ api, define }) => {
    const things = await define({ kind: "Thing" });
    const at = await things.path();
    await api.post(at, { apiVersion: things.apiVersion(), kind: "Thing", metadata: { name: "one" } }).expect(201);
    const status = await api.patch(`${at}/one`, "strategic", {}).refuse(415, "UnsupportedMediaType");
    expect(status.message).toBe(
      "the body of the request was in an unknown format - accepted media types include: application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml",
    );
  });
});
