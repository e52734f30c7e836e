/** Replacement: addresses, versions, what clients cannot change, writes that change nothing. */
import { expect } from "vitest";
import { area } from "./support/conformance-case.ts";
import { aDeployment, aLease, aMap } from "./support/sample-objects.ts";

const staleMessage = "the object has been modified; please apply your changes to the latest version and try again";

area("update", (conformance) => {
  conformance("a replacement under the current version gets a new one", async ({ api, path }) => {
    const maps = await path("configmaps");
    const made = await api.post(maps, aMap("one", { data: { a: "1" } })).expect(201);
    const next = await api.put(`${maps}/one`, { ...made, data: { b: "2" } }).expect(200, { data: { b: "2" } });
    expect(next.data).toEqual({ b: "2" });
    expect(next.metadata.resourceVersion).not.toBe(made.metadata.resourceVersion);
    expect(next.metadata.uid).toBe(made.metadata.uid);
  });

  conformance("an old version is a 409 that says what to do", async ({ api, path }) => {
    const maps = await path("configmaps");
    const made = await api.post(maps, aMap("one")).expect(201);
    await api.put(`${maps}/one`, { ...made, data: { a: "1" } }).expect(200);
    const status = await api.put(`${maps}/one`, { ...made, data: { a: "2" } }).refuse(409, "Conflict");
    expect(status.message).toBe(`Operation cannot be fulfilled on configmaps "one": ${staleMessage}`);
    expect(status.details).toEqual({ name: "one", kind: "configmaps" });
  });

  conformance("without a version most kinds are overwritten", async ({ api, path }) => {
    const maps = await path("configmaps");
    await api.post(maps, aMap("one", { data: { a: "1" } })).expect(201);
    await api.put(`${maps}/one`, aMap("one", { data: { a: "2" } })).expect(200, { data: { a: "2" } });
  });

  conformance("a lease must name the version that it changes", async ({ api, path }) => {
    const leases = await path("leases", "coordination.k8s.io/v1");
    await api.post(leases, aLease("one")).expect(201);
    const status = await api.put(`${leases}/one`, aLease("one")).refuse(422, "Invalid");
    expect(status.message).toBe(
      'leases.coordination.k8s.io "one" is invalid: metadata.resourceVersion: Invalid value: 0: must be specified for an update',
    );
  });

  conformance("a custom object must name the version that it changes", async ({ api, define }) => {
    const things = await define({ kind: "Thing" });
    const at = await things.path();
    const body = { apiVersion: things.apiVersion(), kind: "Thing", metadata: { name: "one" } };
    await api.post(at, body).expect(201);
    const status = await api.put(`${at}/one`, body).refuse(422, "Invalid");
    expect(status.details.causes[0].field).toBe("metadata.resourceVersion");
  });

  conformance("a replacement that changes nothing makes no new version", async ({ api, path }) => {
    const maps = await path("configmaps");
    const made = await api.post(maps, aMap("one", { data: { a: "1" } })).expect(201);
    const same = await api.put(`${maps}/one`, made).expect(200);
    expect(same.metadata.resourceVersion).toBe(made.metadata.resourceVersion);
  });

  conformance("another uid is a 409 precondition", async ({ api, path }) => {
    const maps = await path("configmaps");
    const made = await api.post(maps, aMap("one")).expect(201);
    const uid = "11111111-2222-3333-4444-555555555555";
    const status = await api.put(`${maps}/one`, aMap("one", {}, { uid })).refuse(409, "Conflict");
    expect(status.message).toContain(
      `Precondition failed: UID in precondition: ${uid}, UID in object meta: ${made.metadata.uid}`,
    );
  });

  conformance("another name than the path's is a 400", async ({ api, path }) => {
    const maps = await path("configmaps");
    await api.post(maps, aMap("one")).expect(201);
    const status = await api.put(`${maps}/one`, aMap("two")).refuse(400, "BadRequest");
    expect(status.message).toBe("the name of the object (two) does not match the name on the URL (one)");
  });

  conformance("a body without a name is a 400", async ({ api, path }) => {
    const maps = await path("configmaps");
    await api.post(maps, aMap("one")).expect(201);
    const body = { apiVersion: "v1", kind: "ConfigMap", metadata: {} };
    await api.put(`${maps}/one`, body).refuse(400, "BadRequest");
  });

  conformance("another namespace than the path's is a 400", async ({ api, path }) => {
    const maps = await path("configmaps");
    await api.post(maps, aMap("one")).expect(201);
    await api.put(`${maps}/one`, aMap("one", {}, { namespace: "kube-system" })).refuse(400, "BadRequest");
  });

  conformance("what is missing is a 404 with details", async ({ api, path }) => {
    const deployments = await path("deployments", "apps/v1");
    const status = await api.put(`${deployments}/gone`, aDeployment("gone")).refuse(404, "NotFound");
    expect(status.message).toBe('deployments.apps "gone" not found');
    expect(status.details).toEqual({ name: "gone", group: "apps", kind: "deployments" });
  });

  conformance("creation time and generation are overruled in silence", async ({ api, path }) => {
    const deployments = await path("deployments", "apps/v1");
    const made = await api.post(deployments, aDeployment("one")).expect(201);
    const metadata = { ...made.metadata, creationTimestamp: "2001-01-01T00:00:00Z", generation: 77 };
    const next = await api.put(`${deployments}/one`, { ...made, metadata }).expect(200);
    expect(next.metadata).toMatchObject({
      creationTimestamp: made.metadata.creationTimestamp,
      generation: 1,
    });
  });

  conformance("an update cannot begin a deletion", async ({ api, path }) => {
    const maps = await path("configmaps");
    const made = await api.post(maps, aMap("one")).expect(201);
    const metadata = { ...made.metadata, deletionTimestamp: "2031-01-01T00:00:00Z" };
    const status = await api.put(`${maps}/one`, { ...made, metadata }).refuse(422, "Invalid");
    expect(status.details.causes[0]).toMatchObject({ field: "metadata.deletionTimestamp" });
  });

  conformance("generation counts changes of spec, not of labels", async ({ api, path }) => {
    const deployments = await path("deployments", "apps/v1");
    const made = await api.post(deployments, aDeployment("one")).expect(201);
    const metadata = { ...made.metadata, labels: { a: "b" } };
    const labelled = await api.put(`${deployments}/one`, { ...made, metadata }).expect(200);
    expect(labelled.metadata.generation).toBe(1);
    const scaled = await api
      .put(`${deployments}/one`, { ...labelled, spec: { ...labelled.spec, replicas: 3 } })
      .expect(200);
    expect(scaled.metadata.generation).toBe(2);
  });

  conformance("the main endpoint leaves status alone, the status endpoint leaves spec alone", async ({ api, path }) => {
    const deployments = await path("deployments", "apps/v1");
    const made = await api.post(deployments, aDeployment("one")).expect(201);
    const both = { ...made, spec: { ...made.spec, replicas: 5 }, status: { replicas: 4, updatedReplicas: 1 } };
    const main = await api.put(`${deployments}/one`, both).expect(200);
    expect(main).toMatchObject({ spec: { replicas: 5 }, status: {} });
    const again = { ...main, spec: { ...main.spec, replicas: 9 }, status: { replicas: 4, updatedReplicas: 1 } };
    const status = await api.put(`${deployments}/one/status`, again).expect(200);
    expect(status).toMatchObject({ spec: { replicas: 5 }, status: { replicas: 4, updatedReplicas: 1 } });
    expect(status.metadata.generation).toBe(2);
  });

  conformance("status of a custom object takes no label", async ({ api, define }) => {
    const things = await define({ kind: "Thing", version: { subresources: { status: {} } } });
    const at = await things.path();
    const body = { apiVersion: things.apiVersion(), kind: "Thing", metadata: { name: "one" } };
    const made = await api.post(at, body).expect(201);
    const metadata = { ...made.metadata, labels: { a: "b" } };
    const next = await api.put(`${at}/one/status`, { ...made, metadata, status: { ok: true } }).expect(200);
    expect(next.status).toEqual({ ok: true });
    expect(next.metadata).not.toHaveProperty("labels");
  });

  conformance("status where there is none is a 404", async ({ api, path }) => {
    const maps = await path("configmaps");
    await api.post(maps, aMap("one")).expect(201);
    await api.put(`${maps}/one/status`, aMap("one")).refuse(404, "NotFound");
  });

  conformance("scale is a view of replicas with its own version check", async ({ api, path }) => {
    const deployments = await path("deployments", "apps/v1");
    await api.post(deployments, aDeployment("one")).expect(201);
    const scale = await api.get(`${deployments}/one/scale`).expect(200, {
      kind: "Scale",
      apiVersion: "autoscaling/v1",
      spec: { replicas: 1 },
      status: { replicas: 0, selector: "app=one" },
    });
    await api
      .put(`${deployments}/one/scale`, { ...scale, spec: { replicas: 4 } })
      .expect(200, { spec: { replicas: 4 } });
    await api.get(`${deployments}/one`).expect(200, { spec: { replicas: 4 }, metadata: { generation: 2 } });
    await api.put(`${deployments}/one/scale`, { ...scale, spec: { replicas: 5 } }).refuse(409, "Conflict");
  });

  conformance("a negative scale is a 422 of the Scale", async ({ api, path }) => {
    const deployments = await path("deployments", "apps/v1");
    await api.post(deployments, aDeployment("one")).expect(201);
    const body = { apiVersion: "autoscaling/v1", kind: "Scale", metadata: { name: "one" }, spec: { replicas: -1 } };
    const status = await api.put(`${deployments}/one/scale`, body).refuse(422, "Invalid");
    expect(status.details.causes).toMatchObject([{ field: "spec.replicas" }]);
  });
});
