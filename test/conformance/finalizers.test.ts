/** Finalizers: what they hold, how they go, what may not be added. */
import { expect } from "vitest";
import { area } from "./support/conformance-case.ts";
import { aDeployment, aMap } from "./support/sample-objects.ts";

const hold = "example.com/hold";

area("finalizers", (conformance) => {
  conformance("a finalizer keeps the object, with a time and no grace", async ({ api, path }) => {
    const maps = await path("configmaps");
    await api.post(maps, aMap("one", {}, { finalizers: [hold] })).expect(201);
    const ending = await api.delete(`${maps}/one`).expect(200, { kind: "ConfigMap" });
    expect(ending.metadata).toMatchObject({ finalizers: [hold], deletionGracePeriodSeconds: 0 });
    expect(Math.abs(Date.parse(ending.metadata.deletionTimestamp) - Date.now())).toBeLessThan(20_000);
    await api.get(`${maps}/one`).expect(200);
    await api.patch(`${maps}/one`, "merge", { metadata: { finalizers: [] } }).expect(200);
  });

  conformance("giving up the last finalizer removes the object, answered with it", async ({ api, path }) => {
    const maps = await path("configmaps");
    await api.post(maps, aMap("one", {}, { finalizers: [hold] })).expect(201);
    const ending = await api.delete(`${maps}/one`).expect(200);
    const { finalizers: _gone, ...metadata } = ending.metadata;
    const answer = await api.put(`${maps}/one`, { ...ending, metadata }).expect(200, { kind: "ConfigMap" });
    expect(answer.metadata).not.toHaveProperty("finalizers");
    await api.get(`${maps}/one`).refuse(404, "NotFound");
  });

  conformance("watchers see one last event, of the object as it was", async ({ api, path }) => {
    const maps = await path("configmaps");
    await api.post(maps, aMap("one", {}, { finalizers: [hold] })).expect(201);
    const ending = await api.delete(`${maps}/one`).expect(200);
    const since = ending.metadata.resourceVersion;
    const events = await api.watch(
      `${maps}?watch=true&resourceVersion=${since}&fieldSelector=metadata.name%3Done`,
      (seen) => seen.some((event) => event.type === "DELETED"),
      { onOpen: () => api.patch(`${maps}/one`, "merge", { metadata: { finalizers: null } }).expect(200) },
    );
    expect(events.map((event) => event.type)).toEqual(["DELETED"]);
    expect(events[0]?.object.metadata.finalizers).toEqual([hold]);
  });

  conformance("one of two finalizers may go first", async ({ api, path }) => {
    const maps = await path("configmaps");
    await api.post(maps, aMap("one", {}, { finalizers: [hold, "example.com/other"] })).expect(201);
    await api.delete(`${maps}/one`).expect(200);
    await api.patch(`${maps}/one`, "merge", { metadata: { finalizers: ["example.com/other"] } }).expect(200);
    await api.get(`${maps}/one`).expect(200, { metadata: { finalizers: ["example.com/other"] } });
    await api.patch(`${maps}/one`, "merge", { metadata: { finalizers: [] } }).expect(200);
    await api.get(`${maps}/one`).refuse(404, "NotFound");
  });

  conformance("no finalizer is added to an object that is being deleted", async ({ api, path }) => {
    const maps = await path("configmaps");
    await api.post(maps, aMap("one", {}, { finalizers: [hold] })).expect(201);
    await api.delete(`${maps}/one`).expect(200);
    const status = await api
      .patch(`${maps}/one`, "merge", { metadata: { finalizers: [hold, "example.com/new"] } })
      .refuse(422, "Invalid");
    expect(status.message).toBe(
      'ConfigMap "one" is invalid: metadata.finalizers: Forbidden: no new finalizers can be added if the object is being deleted, found new finalizers []string{"example.com/new"}',
    );
    await api.patch(`${maps}/one`, "merge", { metadata: { finalizers: [] } }).expect(200);
  });

  conformance("a second deletion changes nothing", async ({ api, path }) => {
    const maps = await path("configmaps");
    await api.post(maps, aMap("one", {}, { finalizers: [hold] })).expect(201);
    const first = await api.delete(`${maps}/one`).expect(200);
    const second = await api.delete(`${maps}/one`).expect(200);
    expect(second).toEqual(first);
    await api.patch(`${maps}/one`, "merge", { metadata: { finalizers: [] } }).expect(200);
  });

  conformance("the deletion time cannot be taken back or moved", async ({ api, path }) => {
    const maps = await path("configmaps");
    await api.post(maps, aMap("one", {}, { finalizers: [hold] })).expect(201);
    const ending = await api.delete(`${maps}/one`).expect(200);
    const { deletionTimestamp: _time, deletionGracePeriodSeconds: _grace, ...metadata } = ending.metadata;
    const kept = await api.put(`${maps}/one`, { ...ending, metadata, data: { a: "1" } }).expect(200);
    expect(kept.metadata).toMatchObject({
      deletionTimestamp: ending.metadata.deletionTimestamp,
      deletionGracePeriodSeconds: 0,
    });
    await api.patch(`${maps}/one`, "merge", { metadata: { finalizers: [] } }).expect(200);
  });

  conformance("the first deletion counts as a generation", async ({ api, path }) => {
    const deployments = await path("deployments", "apps/v1");
    const body = aDeployment("one");
    await api.post(deployments, { ...body, metadata: { name: "one", finalizers: [hold] } }).expect(201);
    await api.delete(`${deployments}/one`).expect(200, { metadata: { generation: 2 } });
    await api.delete(`${deployments}/one`).expect(200, { metadata: { generation: 2 } });
    await api.patch(`${deployments}/one`, "merge", { metadata: { finalizers: [] } }).expect(200);
  });

  conformance("a finalizer must be a qualified name", async ({ api, path }) => {
    const status = await api
      .post(await path("configmaps"), aMap("one", {}, { finalizers: ["not ok"] }))
      .refuse(422, "Invalid");
    expect(status.details.causes).toMatchObject([
      { field: "metadata.finalizers", reason: "FieldValueInvalid" },
      {
        field: "metadata.finalizers[0]",
        message: 'Invalid value: "not ok": name is neither a standard finalizer name nor is it fully qualified',
      },
    ]);
  });

  conformance("a finalizer of a custom object may lack a domain, with a warning", async ({ api, define }) => {
    const things = await define({ kind: "Thing" });
    const at = await things.path();
    const metadata = { name: "one", finalizers: ["plain"] };
    const reply = await api.post(at, { apiVersion: things.apiVersion(), kind: "Thing", metadata });
    expect(reply.status).toBe(201);
    expect(String(reply.headers.warning)).toContain(
      'metadata.finalizers: \\"plain\\": prefer a domain-qualified finalizer name',
    );
    await api.patch(`${at}/one`, "merge", { metadata: { finalizers: null } }).expect(200);
  });

  conformance("orphan and foregroundDeletion exclude each other", async ({ api, path }) => {
    const finalizers = ["orphan", "foregroundDeletion"];
    const status = await api.post(await path("configmaps"), aMap("one", {}, { finalizers })).refuse(422, "Invalid");
    expect(status.message).toContain("finalizer orphan and foregroundDeletion cannot be both set");
  });
});
