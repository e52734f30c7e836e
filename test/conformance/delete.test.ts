/** Deletion of one object and of collections: answers, grace periods, selections. */
import { expect } from "vitest";
import { area } from "./support/conformance-case.ts";
import { aDeployment, aMap, aPod } from "./support/sample-objects.ts";

const names = (list: { items: { metadata: { name: string } }[] }) => list.items.map((item) => item.metadata.name);

area("delete", (conformance) => {
  conformance("a deletion answers with a Status that names what went", async ({ api, path }) => {
    const maps = await path("configmaps");
    const made = await api.post(maps, aMap("one")).expect(201);
    expect(await api.delete(`${maps}/one`).expect(200)).toEqual({
      kind: "Status",
      apiVersion: "v1",
      metadata: {},
      status: "Success",
      details: { name: "one", kind: "configmaps", uid: made.metadata.uid },
    });
    await api.get(`${maps}/one`).refuse(404, "NotFound");
  });

  conformance("the Status of a kind in a group says the group", async ({ api, path }) => {
    const deployments = await path("deployments", "apps/v1");
    await api.post(deployments, aDeployment("one")).expect(201);
    await api.delete(`${deployments}/one?propagationPolicy=Background`).expect(200, {
      kind: "Status",
      details: { name: "one", group: "apps", kind: "deployments" },
    });
  });

  conformance("service accounts and pods are answered with the object", async ({ api, path }) => {
    const accounts = await path("serviceaccounts");
    const body = { apiVersion: "v1", kind: "ServiceAccount", metadata: { name: "one" } };
    await api.post(accounts, body).expect(201);
    await api.delete(`${accounts}/one`).expect(200, { kind: "ServiceAccount", metadata: { name: "one" } });
  });

  conformance("what is missing is a 404", async ({ api, path }) => {
    const status = await api.delete(`${await path("configmaps")}/gone`).refuse(404, "NotFound");
    expect(status.message).toBe('configmaps "gone" not found');
  });

  conformance("a pod without a node goes at once", async ({ api, path }) => {
    const pods = await path("pods");
    await api.post(pods, aPod("one")).expect(201);
    const gone = await api.delete(`${pods}/one`).expect(200, { kind: "Pod" });
    expect(gone.metadata).toMatchObject({ deletionGracePeriodSeconds: 0 });
    expect(gone.metadata.deletionTimestamp).toMatch(/Z$/);
    await api.get(`${pods}/one`).refuse(404, "NotFound");
  });

  conformance("a pod on a node gets its grace period, and its generation counts it", async ({ api, path }) => {
    const pods = await path("pods");
    const made = await api
      .post(pods, aPod("one", { nodeName: "elsewhere", terminationGracePeriodSeconds: 40 }))
      .expect(201);
    const ending = await api.delete(`${pods}/one`).expect(200);
    expect(ending.metadata.deletionGracePeriodSeconds).toBe(40);
    expect(ending.metadata.generation).toBe(made.metadata.generation + 1);
    const left = Date.parse(ending.metadata.deletionTimestamp) - Date.now();
    expect(left).toBeGreaterThan(0);
    expect(left).toBeLessThanOrEqual(41_000);
    await api.get(`${pods}/one`).expect(200);
    await api.delete(`${pods}/one?gracePeriodSeconds=0`).expect(200);
    await api.get(`${pods}/one`).refuse(404, "NotFound");
  });

  conformance("a running grace period can be shortened, never lengthened", async ({ api, path }) => {
    const pods = await path("pods");
    await api.post(pods, aPod("one", { nodeName: "elsewhere" })).expect(201);
    const first = await api.delete(`${pods}/one?gracePeriodSeconds=60`).expect(200);
    const longer = await api.delete(`${pods}/one?gracePeriodSeconds=90`).expect(200);
    expect(longer.metadata.deletionTimestamp).toBe(first.metadata.deletionTimestamp);
    const shorter = await api.delete(`${pods}/one?gracePeriodSeconds=30`).expect(200);
    expect(shorter.metadata.deletionGracePeriodSeconds).toBe(30);
    expect(Date.parse(first.metadata.deletionTimestamp) - Date.parse(shorter.metadata.deletionTimestamp)).toBe(30_000);
    await api.delete(`${pods}/one?gracePeriodSeconds=0`).expect(200);
  });

  conformance("a negative grace period is one second", async ({ api, path }) => {
    const pods = await path("pods");
    await api.post(pods, aPod("one", { nodeName: "elsewhere" })).expect(201);
    const ending = await api.delete(`${pods}/one?gracePeriodSeconds=-5`).expect(200);
    expect(ending.metadata.deletionGracePeriodSeconds).toBe(1);
    await api.delete(`${pods}/one?gracePeriodSeconds=0`).expect(200);
  });

  conformance("the system's namespaces are not deleted", async ({ api }) => {
    const status = await api.delete("/api/v1/namespaces/kube-system").refuse(403, "Forbidden");
    expect(status.message).toBe('namespaces "kube-system" is forbidden: this namespace may not be deleted');
  });

  conformance("a namespace answers with itself, terminating", async ({ api, unique }) => {
    const name = unique("ending");
    await api.post("/api/v1/namespaces", { apiVersion: "v1", kind: "Namespace", metadata: { name } }).expect(201);
    const ending = await api.delete(`/api/v1/namespaces/${name}`).expect(200, {
      kind: "Namespace",
      spec: { finalizers: ["kubernetes"] },
      status: { phase: "Terminating" },
    });
    expect(ending.metadata.deletionTimestamp).toMatch(/Z$/);
    expect(ending.metadata).not.toHaveProperty("deletionGracePeriodSeconds");
  });

  conformance("a collection goes by its selector, and is answered as it was", async ({ api, path }) => {
    const maps = await path("configmaps");
    for (const [name, tier] of [
      ["a", "x"],
      ["b", "x"],
      ["c", "y"],
    ])
      await api.post(maps, aMap(name ?? "", {}, { labels: { tier } })).expect(201);
    const answer = await api.delete(`${maps}?labelSelector=tier%3Dx`).expect(200, { kind: "ConfigMapList" });
    expect(names(answer)).toEqual(["a", "b"]);
    expect(answer.items[0].metadata).not.toHaveProperty("deletionTimestamp");
    expect(names(await api.get(`${maps}?labelSelector=tier`).expect(200))).toEqual(["c"]);
  });

  conformance("a field selector picks from a collection", async ({ api, path }) => {
    const maps = await path("configmaps");
    await api.post(maps, aMap("a")).expect(201);
    await api.post(maps, aMap("b")).expect(201);
    await api.delete(`${maps}?fieldSelector=metadata.name%3Db`).expect(200);
    await api.get(`${maps}/a`).expect(200);
    await api.get(`${maps}/b`).refuse(404, "NotFound");
  });

  conformance("a limit bounds how many of a collection go", async ({ api, path }) => {
    const maps = await path("configmaps");
    for (const name of ["a", "b", "c"]) await api.post(maps, aMap(name, {}, { labels: { mine: "1" } })).expect(201);
    const answer = await api.delete(`${maps}?labelSelector=mine&limit=2`).expect(200);
    expect(names(answer)).toEqual(["a", "b"]);
    expect(names(await api.get(`${maps}?labelSelector=mine`).expect(200))).toEqual(["c"]);
  });

  conformance("objects with finalizers stay of a collection", async ({ api, path }) => {
    const maps = await path("configmaps");
    await api.post(maps, aMap("a", {}, { labels: { mine: "1" }, finalizers: ["example.com/hold"] })).expect(201);
    await api.post(maps, aMap("b", {}, { labels: { mine: "1" } })).expect(201);
    await api.delete(`${maps}?labelSelector=mine`).expect(200);
    const left = await api.get(`${maps}?labelSelector=mine`).expect(200);
    expect(names(left)).toEqual(["a"]);
    expect(left.items[0].metadata.deletionTimestamp).toMatch(/Z$/);
    await api.patch(`${maps}/a`, "merge", { metadata: { finalizers: null } }).expect(200);
  });

  conformance("a malformed selector deletes nothing", async ({ api, path }) => {
    const maps = await path("configmaps");
    await api.post(maps, aMap("a")).expect(201);
    await api.delete(`${maps}?labelSelector=a%3D%3D%3Db`).refuse(400, "BadRequest");
    await api.get(`${maps}/a`).expect(200);
  });
});
