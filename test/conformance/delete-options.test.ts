/** DeleteOptions: where they are read, preconditions, propagation policies, contradictions. */
import { expect } from "vitest";
import { area } from "./support/conformance-case.ts";
import { aDeployment, aMap } from "./support/sample-objects.ts";

const otherUid = "11111111-2222-3333-4444-555555555555";
const optionsOf = (fields: object) => ({ kind: "DeleteOptions", apiVersion: "v1", ...fields });

area("delete options", (conformance) => {
  conformance("another uid in the preconditions is a 409 that names both", async ({ api, path }) => {
    const maps = await path("configmaps");
    const made = await api.post(maps, aMap("one")).expect(201);
    const status = await api
      .delete(`${maps}/one`, optionsOf({ preconditions: { uid: otherUid } }))
      .refuse(409, "Conflict");
    expect(status.message).toBe(
      `Operation cannot be fulfilled on ConfigMap "one": the UID in the precondition (${otherUid}) does not match the UID in record (${made.metadata.uid}). The object might have been deleted and then recreated`,
    );
    await api.get(`${maps}/one`).expect(200);
  });

  conformance("another version in the preconditions is a 409", async ({ api, path }) => {
    const deployments = await path("deployments", "apps/v1");
    const made = await api.post(deployments, aDeployment("one")).expect(201);
    const version = made.metadata.resourceVersion;
    const status = await api
      .delete(`${deployments}/one`, optionsOf({ preconditions: { resourceVersion: "1" } }))
      .refuse(409, "Conflict");
    expect(status.message).toBe(
      `Operation cannot be fulfilled on Deployment.apps "one": the ResourceVersion in the precondition (1) does not match the ResourceVersion in record (${version}). The object might have been modified`,
    );
  });

  conformance("preconditions that hold let the deletion through", async ({ api, path }) => {
    const maps = await path("configmaps");
    const { metadata } = await api.post(maps, aMap("one")).expect(201);
    const preconditions = { uid: metadata.uid, resourceVersion: metadata.resourceVersion };
    await api.delete(`${maps}/one`, optionsOf({ preconditions })).expect(200);
  });

  conformance("foreground deletion marks the object and waits", async ({ api, path }) => {
    const maps = await path("configmaps");
    await api.post(maps, aMap("one", {}, { finalizers: ["example.com/hold"] })).expect(201);
    const ending = await api.delete(`${maps}/one?propagationPolicy=Foreground`).expect(200, { kind: "ConfigMap" });
    expect(ending.metadata.finalizers).toEqual(["example.com/hold", "foregroundDeletion"]);
    expect(ending.metadata.deletionGracePeriodSeconds).toBe(0);
    await api.patch(`${maps}/one`, "merge", { metadata: { finalizers: null } }).expect(200);
  });

  conformance("orphaning adds the orphan finalizer", async ({ api, path }) => {
    const maps = await path("configmaps");
    await api.post(maps, aMap("one", {}, { finalizers: ["example.com/hold"] })).expect(201);
    const ending = await api.delete(`${maps}/one`, optionsOf({ propagationPolicy: "Orphan" })).expect(200);
    expect(ending.metadata.finalizers).toEqual(["example.com/hold", "orphan"]);
    await api.patch(`${maps}/one`, "merge", { metadata: { finalizers: null } }).expect(200);
  });

  conformance("a second deletion may change the policy", async ({ api, path }) => {
    const maps = await path("configmaps");
    await api.post(maps, aMap("one", {}, { finalizers: ["example.com/hold"] })).expect(201);
    await api.delete(`${maps}/one?propagationPolicy=Foreground`).expect(200);
    const ending = await api.delete(`${maps}/one?propagationPolicy=Background`).expect(200);
    expect(ending.metadata.finalizers).toEqual(["example.com/hold"]);
    await api.patch(`${maps}/one`, "merge", { metadata: { finalizers: null } }).expect(200);
  });

  conformance("orphanDependents is the old word for the policy", async ({ api, path }) => {
    const maps = await path("configmaps");
    await api.post(maps, aMap("one", {}, { finalizers: ["example.com/hold"] })).expect(201);
    const ending = await api.delete(`${maps}/one?orphanDependents=true`).expect(200);
    expect(ending.metadata.finalizers).toContain("orphan");
    await api.patch(`${maps}/one`, "merge", { metadata: { finalizers: null } }).expect(200);
  });

  conformance("orphanDependents=false is a 202 while the object stays", async ({ api, path }) => {
    const maps = await path("configmaps");
    await api.post(maps, aMap("one", {}, { finalizers: ["example.com/hold"] })).expect(201);
    await api.delete(`${maps}/one?orphanDependents=false`).expect(202, { kind: "ConfigMap" });
    await api.patch(`${maps}/one`, "merge", { metadata: { finalizers: null } }).expect(200);
  });

  conformance("a policy and orphanDependents contradict each other", async ({ api, path }) => {
    const maps = await path("configmaps");
    await api.post(maps, aMap("one")).expect(201);
    const options = optionsOf({ orphanDependents: true, propagationPolicy: "Background" });
    const status = await api.delete(`${maps}/one`, options).refuse(422, "Invalid");
    expect(status.message).toBe(
      'DeleteOptions.meta.k8s.io "" is invalid: propagationPolicy: Invalid value: "Background": orphanDependents and deletionPropagation cannot be both set',
    );
  });

  conformance("an unknown policy is a 422 that lists the known ones", async ({ api, path }) => {
    const maps = await path("configmaps");
    await api.post(maps, aMap("one")).expect(201);
    const status = await api.delete(`${maps}/one?propagationPolicy=Sideways`).refuse(422, "Invalid");
    expect(status.message).toBe(
      'DeleteOptions.meta.k8s.io "" is invalid: propagationPolicy: Unsupported value: "Sideways": supported values: "Foreground", "Background", "Orphan", "nil"',
    );
  });

  conformance("with a body the query is not looked at", async ({ api, path }) => {
    const maps = await path("configmaps");
    await api.post(maps, aMap("one")).expect(201);
    await api.delete(`${maps}/one?dryRun=All`, optionsOf({})).expect(200);
    await api.get(`${maps}/one`).refuse(404, "NotFound");
  });

  conformance("a grace period that is no number is a 400", async ({ api, path }) => {
    const maps = await path("configmaps");
    await api.post(maps, aMap("one")).expect(201);
    await api.delete(`${maps}/one?gracePeriodSeconds=soon`).refuse(400, "BadRequest");
    await api.delete(`${maps}/one`, optionsOf({ gracePeriodSeconds: "soon" })).refuse(400, "BadRequest");
  });

  conformance("a body of another kind is a 400", async ({ api, path }) => {
    const maps = await path("configmaps");
    await api.post(maps, aMap("one")).expect(201);
    await api.delete(`${maps}/one`, aMap("one")).refuse(400, "BadRequest");
    await api.get(`${maps}/one`).expect(200);
  });

  conformance("options may come in the group of what is deleted", async ({ api, path }) => {
    const deployments = await path("deployments", "apps/v1");
    await api.post(deployments, aDeployment("one")).expect(201);
    const options = { kind: "DeleteOptions", apiVersion: "apps/v1", propagationPolicy: "Background" };
    await api.delete(`${deployments}/one`, options).expect(200);
  });
});
