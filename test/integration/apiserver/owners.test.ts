import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { configMap, eventually, startTestServer, type TestServer } from "./api-client.ts";

const maps = "/api/v1/namespaces/default/configmaps";
let one: TestServer;
beforeAll(async () => {
  one = await startTestServer();
});
afterAll(() => one.stop());

async function owner(name: string, metadata: object = {}) {
  const { uid } = (await one.api.post(maps, configMap(name, {}, metadata))).body.metadata;
  return { apiVersion: "v1", kind: "ConfigMap", name, uid };
}
const child = (name: string, owners: object[], metadata: object = {}) =>
  one.api.post(maps, configMap(name, {}, { ownerReferences: owners, ...metadata }));
const exists = async (name: string) => (await one.api.get(`${maps}/${name}`)).status === 200;

describe("owner garbage collection", () => {
  test("a dependent goes after its last owner, and its own dependents after it", async () => {
    const a = await owner("a");
    const { uid } = (await child("a-child", [a])).body.metadata;
    await child("a-grandchild", [{ ...a, name: "a-child", uid }]);
    await one.api.delete(`${maps}/a`);
    await eventually(
      "child and grandchild are gone",
      async () => !(await exists("a-child")) && !(await exists("a-grandchild")),
    );
  });

  test("with a living owner left, only the reference to the dead one is struck", async () => {
    const [b1, b2] = [await owner("b1"), await owner("b2")];
    await child("b-child", [b1, b2]);
    await one.api.delete(`${maps}/b1`);
    await eventually("one reference is left", async () => {
      const refs = (await one.api.get(`${maps}/b-child`)).body.metadata.ownerReferences;
      return refs.length === 1 && refs[0].name === "b2";
    });
  });

  test("Orphan leaves the dependents without the reference", async () => {
    const c = await owner("c");
    await child("c-child", [c]);
    await one.api.delete(`${maps}/c`, { propagationPolicy: "Orphan" });
    await eventually("the owner is gone", async () => !(await exists("c")));
    expect((await one.api.get(`${maps}/c-child`)).body.metadata.ownerReferences ?? []).toEqual([]);
  });

  test("Foreground keeps the owner until blocking dependents are gone", async () => {
    const d = await owner("d");
    await child("d-child", [{ ...d, blockOwnerDeletion: true }], { finalizers: ["example.com/hold"] });
    const deleted = await one.api.delete(`${maps}/d`, { propagationPolicy: "Foreground" });
    expect(deleted.body.metadata.finalizers).toEqual(["foregroundDeletion"]);
    await eventually(
      "the child is being deleted",
      async () => (await one.api.get(`${maps}/d-child`)).body.metadata.deletionTimestamp !== undefined,
    );
    expect(await exists("d")).toBe(true);
    await one.api.patch(`${maps}/d-child`, "merge", { metadata: { finalizers: null } });
    await eventually("both are gone", async () => !(await exists("d")) && !(await exists("d-child")));
  });

  test("an object that is born with a dead owner goes too", async () => {
    const e = await owner("e");
    await one.api.delete(`${maps}/e`);
    await child("e-child", [e]);
    await eventually("the late child is gone", async () => !(await exists("e-child")));
  });

  test("an owner of the same name but another uid is no owner", async () => {
    const f = await owner("f");
    await child("f-child", [{ ...f, uid: "00000000-0000-0000-0000-000000000000" }]);
    await eventually("the child is gone", async () => !(await exists("f-child")));
    expect(await exists("f")).toBe(true);
  });

  test("an owner in another namespace is none, and one event says so", async () => {
    await one.api.post("/api/v1/namespaces", { apiVersion: "v1", kind: "Namespace", metadata: { name: "far" } });
    const g = await owner("g");
    const wrong = configMap("g-child", {}, { namespace: "far", ownerReferences: [g] });
    await one.api.post("/api/v1/namespaces/far/configmaps", wrong);
    await eventually(
      "the child is gone",
      async () => (await one.api.get("/api/v1/namespaces/far/configmaps/g-child")).status === 404,
    );
    const events = await one.api.get("/api/v1/namespaces/far/events?fieldSelector=reason=OwnerRefInvalidNamespace");
    expect(events.body.items.map((event: { message: string }) => event.message)).toEqual([
      `ownerRef [v1/ConfigMap, namespace: far, name: g, uid: ${g.uid}] does not exist in namespace "far"`,
    ]);
  });

  test("an object without a namespace keeps an owner that has one, and an event warns", async () => {
    const h = await owner("h");
    const role = { apiVersion: "rbac.authorization.k8s.io/v1", kind: "ClusterRole", rules: [] };
    const roles = "/apis/rbac.authorization.k8s.io/v1/clusterroles";
    await one.api.post(roles, { ...role, metadata: { name: "h-child", ownerReferences: [h] } });
    const events = "/api/v1/namespaces/default/events?fieldSelector=involvedObject.name=h-child";
    await eventually("an event tells", async () => (await one.api.get(events)).body.items.length === 1);
    expect((await one.api.get(`${roles}/h-child`)).status).toBe(200);
  });
});

describe("the end of a namespace", () => {
  test("pods go first, and conditions tell what is left", async () => {
    await one.api.post("/api/v1/namespaces", { apiVersion: "v1", kind: "Namespace", metadata: { name: "ending" } });
    const inside = "/api/v1/namespaces/ending";
    await one.api.post(`${inside}/configmaps`, configMap("kept", {}, { namespace: "ending" }));
    const finalizers = ["example.com/hold"];
    const spec = { containers: [{ name: "main", image: "registry.example.com/app:1" }] };
    const pod = { apiVersion: "v1", kind: "Pod", metadata: { name: "p", finalizers }, spec };
    await eventually("pods are admitted", async () => (await one.api.post(`${inside}/pods`, pod)).status === 201);
    await one.api.delete(inside);
    await eventually("the namespace tells", async () => {
      const { conditions = [] } = (await one.api.get(inside)).body.status;
      return conditions.length === 5;
    });
    const { conditions } = (await one.api.get(inside)).body.status;
    expect(conditions.slice(3)).toMatchObject([
      {
        type: "NamespaceContentRemaining",
        status: "True",
        reason: "SomeResourcesRemain",
        message: "Some resources are remaining: pods. has 1 resource instances",
      },
      {
        type: "NamespaceFinalizersRemaining",
        status: "True",
        message: "Some content in the namespace has finalizers remaining: example.com/hold in 1 resource instances",
      },
    ]);
    expect((await one.api.get(`${inside}/configmaps/kept`)).status).toBe(200);
    await one.api.patch(`${inside}/pods/p`, "merge", { metadata: { finalizers: null } });
    await eventually("the namespace is gone", async () => (await one.api.get(inside)).status === 404);
  });

  test("a quota follows what its namespace holds", async () => {
    const quotas = "/api/v1/namespaces/default/resourcequotas";
    const spec = { hard: { "count/leases.coordination.k8s.io": "5" } };
    await one.api.post(quotas, { apiVersion: "v1", kind: "ResourceQuota", metadata: { name: "q" }, spec });
    const used = async () => (await one.api.get(`${quotas}/q`)).body.status.used?.["count/leases.coordination.k8s.io"];
    const leases = "/apis/coordination.k8s.io/v1/namespaces/default/leases";
    const lease = { apiVersion: "coordination.k8s.io/v1", kind: "Lease", metadata: { name: "l" } };
    await one.api.post(leases, lease);
    await eventually("it counts one", async () => (await used()) === "1");
    await one.api.delete(`${leases}/l`);
    await eventually("it counts none", async () => (await used()) === "0");
  });
});
