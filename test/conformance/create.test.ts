/** Creation: names, namespaces, system fields, conflicts, kinds that a PUT creates. */
import { expect } from "vitest";
import { area } from "./support/conformance-case.ts";
import { aDeployment, aLease, aMap, aPod } from "./support/sample-objects.ts";

area("create", (conformance) => {
  conformance("the answer is the stored object with identity, 201", async ({ api, path, namespace }) => {
    const maps = await path("configmaps");
    const made = await api.post(maps, aMap("one", { data: { a: "1" } })).expect(201, {
      kind: "ConfigMap",
      apiVersion: "v1",
      metadata: { name: "one", namespace: await namespace() },
      data: { a: "1" },
    });
    expect(made.metadata.uid).toMatch(/^[0-9a-f-]{36}$/);
    expect(made.metadata.resourceVersion).toMatch(/^\d+$/);
    expect(made.metadata.creationTimestamp).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
    expect(await api.get(`${maps}/one`).expect(200)).toEqual(made);
  });

  conformance("a taken name is a 409 AlreadyExists with details", async ({ api, path }) => {
    const maps = await path("configmaps");
    await api.post(maps, aMap("one")).expect(201);
    const status = await api.post(maps, aMap("one")).refuse(409, "AlreadyExists");
    expect(status.message).toBe('configmaps "one" already exists');
    expect(status.details).toEqual({ name: "one", kind: "configmaps" });
  });

  conformance("a name that is still being deleted says so", async ({ api, path }) => {
    const maps = await path("configmaps");
    await api.post(maps, aMap("one", {}, { finalizers: ["example.com/hold"] })).expect(201);
    await api.delete(`${maps}/one`).expect(200);
    const status = await api.post(maps, aMap("one")).refuse(409, "AlreadyExists");
    expect(status.message).toBe('object is being deleted: configmaps "one" already exists');
    await api.patch(`${maps}/one`, "merge", { metadata: { finalizers: null } }).expect(200);
  });

  conformance("generateName makes a free name of prefix and five characters", async ({ api, path }) => {
    const maps = await path("configmaps");
    const body = { apiVersion: "v1", kind: "ConfigMap", metadata: { generateName: "made-" } };
    const names = new Set<string>();
    for (let i = 0; i < 3; i += 1) names.add((await api.post(maps, body).expect(201)).metadata.name);
    expect(names.size).toBe(3);
    for (const name of names) expect(name).toMatch(/^made-[bcdfghjklmnpqrstvwxz2456789]{5}$/);
  });

  conformance("a long generateName is cut so that the name stays within 63 characters", async ({ api, path }) => {
    const body = { apiVersion: "v1", kind: "ConfigMap", metadata: { generateName: "a".repeat(70) } };
    const made = await api.post(await path("configmaps"), body).expect(201);
    expect(made.metadata.name).toHaveLength(63);
  });

  conformance("a name wins over generateName, which stays in the object", async ({ api, path }) => {
    const made = await api
      .post(await path("configmaps"), aMap("mine", {}, { generateName: "other-" }))
      .expect(201, { metadata: { name: "mine", generateName: "other-" } });
    expect(made.metadata.name).toBe("mine");
  });

  conformance("neither name nor generateName is a 422 on metadata.name", async ({ api, path }) => {
    const status = await api
      .post(await path("configmaps"), { apiVersion: "v1", kind: "ConfigMap", metadata: {} })
      .refuse(422, "Invalid");
    expect(status.details.causes).toContainEqual({
      reason: "FieldValueRequired",
      message: "Required value: name or generateName is required",
      field: "metadata.name",
    });
  });

  conformance("system fields that a client sends are not taken", async ({ api, path }) => {
    const sent = {
      uid: "11111111-2222-3333-4444-555555555555",
      creationTimestamp: "2001-01-01T00:00:00Z",
      deletionTimestamp: "2001-01-01T00:00:00Z",
      deletionGracePeriodSeconds: 5,
      selfLink: "/somewhere",
    };
    const { metadata } = await api.post(await path("configmaps"), aMap("one", {}, sent)).expect(201);
    expect(metadata.uid).not.toBe(sent.uid);
    expect(metadata.creationTimestamp).not.toBe(sent.creationTimestamp);
    for (const field of ["deletionTimestamp", "deletionGracePeriodSeconds", "selfLink"])
      expect(metadata).not.toHaveProperty(field);
  });

  conformance("a resourceVersion in a creation is refused", async ({ api, path }) => {
    const reply = await api.post(await path("configmaps"), aMap("one", {}, { resourceVersion: "5" }));
    expect(reply.status).toBe(500);
    expect(reply.body.message).toBe("resourceVersion should not be set on objects to be created");
  });

  conformance("another namespace than the path's is a 400", async ({ api, path }) => {
    const status = await api
      .post(await path("configmaps"), aMap("one", {}, { namespace: "kube-system" }))
      .refuse(400, "BadRequest");
    expect(status.message).toBe(
      "the namespace of the provided object does not match the namespace sent on the request",
    );
  });

  conformance("a namespace that does not exist is a 404 of the namespace", async ({ api, unique }) => {
    const name = unique("nowhere");
    const status = await api.post(`/api/v1/namespaces/${name}/configmaps`, aMap("one")).refuse(404, "NotFound");
    expect(status.message).toBe(`namespaces "${name}" not found`);
    expect(status.details).toEqual({ name, kind: "namespaces" });
  });

  conformance("a namespace that is being deleted takes nothing new", async ({ api, unique, removeLater }) => {
    const name = unique("ending");
    const metadata = { name, finalizers: ["example.com/hold"] };
    await api.post("/api/v1/namespaces", { apiVersion: "v1", kind: "Namespace", metadata }).expect(201);
    removeLater(`/api/v1/namespaces/${name}`);
    await api.delete(`/api/v1/namespaces/${name}`).expect(200, { status: { phase: "Terminating" } });
    const status = await api.post(`/api/v1/namespaces/${name}/configmaps`, aMap("one")).refuse(403, "Forbidden");
    expect(status.message).toBe(
      `configmaps "one" is forbidden: unable to create new content in namespace ${name} because it is being terminated`,
    );
    expect(status.details.causes).toEqual([
      {
        reason: "NamespaceTerminating",
        message: `namespace ${name} is being terminated`,
        field: "metadata.namespace",
      },
    ]);
    await api.patch(`/api/v1/namespaces/${name}`, "merge", { metadata: { finalizers: null } }).expect(200);
  });

  conformance("a namespaced kind is not created outside of a namespace", async ({ api }) => {
    await api.post("/api/v1/configmaps", aMap("one")).refuse(405, "MethodNotAllowed");
  });

  conformance("another kind in the body is a 400", async ({ api, path }) => {
    await api.post(await path("configmaps"), { ...aMap("one"), kind: "Secret" }).refuse(400, "BadRequest");
  });

  conformance("kind and apiVersion may be left out", async ({ api, path }) => {
    await api
      .post(await path("configmaps"), { metadata: { name: "one" } })
      .expect(201, { kind: "ConfigMap", apiVersion: "v1" });
  });

  conformance("kinds with a generation begin at 1", async ({ api, path }) => {
    await api
      .post(await path("deployments", "apps/v1"), aDeployment("one"))
      .expect(201, { metadata: { generation: 1 } });
  });

  conformance("status in a creation is dropped where it has its own endpoint", async ({ api, path }) => {
    const made = await api
      .post(await path("pods"), { ...aPod("one"), status: { phase: "Running", podIP: "10.0.0.1" } })
      .expect(201, { status: { phase: "Pending" } });
    expect(made.status).not.toHaveProperty("podIP");
  });

  conformance("structs of built-in types are there even when nobody gave them", async ({ api, path }) => {
    const made = await api.post(await path("deployments", "apps/v1"), aDeployment("one")).expect(201);
    expect(made.status).toEqual({});
    expect(made.spec.template.spec.containers[0].resources).toEqual({});
  });

  conformance("a PUT creates a lease that is not there", async ({ api, path }) => {
    const leases = await path("leases", "coordination.k8s.io/v1");
    const made = await api.put(`${leases}/one`, aLease("one")).expect(201, { metadata: { name: "one" } });
    expect(made.metadata.uid).toMatch(/-/);
  });

  conformance("a PUT does not create a config map", async ({ api, path }) => {
    const status = await api.put(`${await path("configmaps")}/one`, aMap("one")).refuse(404, "NotFound");
    expect(status.message).toBe('configmaps "one" not found');
  });

  conformance("a PUT that would create takes no uid", async ({ api, path }) => {
    const leases = await path("leases", "coordination.k8s.io/v1");
    await api
      .put(`${leases}/one`, aLease("one", {}, { uid: "11111111-2222-3333-4444-555555555555" }))
      .refuse(409, "Conflict");
  });

  conformance("repeated owner references are stored once, with a warning", async ({ api, path }) => {
    const owner = { apiVersion: "v1", kind: "ConfigMap", name: "owner", uid: "11111111-2222-3333-4444-555555555555" };
    const reply = await api.post(await path("configmaps"), aMap("one", {}, { ownerReferences: [owner, owner] }));
    expect(reply.status).toBe(201);
    expect(reply.body.metadata.ownerReferences).toEqual([owner]);
    expect(String(reply.headers.warning)).toContain(`duplicate UID(s) observed: ${owner.uid}`);
  });
});
