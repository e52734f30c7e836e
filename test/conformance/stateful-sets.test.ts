/** Stateful sets and daemon sets: what the server fills in, and what of them stays. */
import { expect } from "vitest";
import { area } from "./support/conformance-case.ts";
import { aContainer, aTemplate } from "./support/manifests.ts";

const apps = "apps/v1";
const aSet = (kind: string, name: string, spec: object = {}) => ({
  apiVersion: apps,
  kind,
  metadata: { name },
  spec: { selector: { matchLabels: { app: name } }, template: aTemplate(name), ...spec },
});
const aClaim = (name: string) => ({
  metadata: { name },
  spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Gi" } } },
});

area("stateful sets", (conformance) => {
  conformance("pods come in order, claims are retained, ten revisions are kept", async ({ api, path }) => {
    await api.post(await path("statefulsets", apps), aSet("StatefulSet", "one")).expect(201, {
      metadata: { generation: 1 },
      spec: {
        replicas: 1,
        podManagementPolicy: "OrderedReady",
        updateStrategy: { type: "RollingUpdate", rollingUpdate: { partition: 0 } },
        persistentVolumeClaimRetentionPolicy: { whenDeleted: "Retain", whenScaled: "Retain" },
        revisionHistoryLimit: 10,
      },
    });
  });

  conformance("claims are defaulted, and their names may be mounted", async ({ api, path }) => {
    const containers = [aContainer({ volumeMounts: [{ name: "data", mountPath: "/data" }] })];
    const template = aTemplate("one", { containers });
    const made = await api
      .post(
        await path("statefulsets", apps),
        aSet("StatefulSet", "one", { volumeClaimTemplates: [aClaim("data")], template }),
      )
      .expect(201);
    expect(made.spec.volumeClaimTemplates[0]).toMatchObject({
      apiVersion: "v1",
      kind: "PersistentVolumeClaim",
      spec: { volumeMode: "Filesystem" },
      status: { phase: "Pending" },
    });
  });

  conformance("what may change is named where something else does", async ({ api, path }) => {
    const sets = await path("statefulsets", apps);
    await api.post(sets, aSet("StatefulSet", "one", { serviceName: "a" })).expect(201);
    const status = await api.patch(`${sets}/one`, "merge", { spec: { serviceName: "b" } }).refuse(422, "Invalid");
    expect(status.details.causes).toEqual([
      {
        reason: "FieldValueForbidden",
        field: "spec",
        message:
          "Forbidden: updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden",
      },
    ]);
    await api.patch(`${sets}/one`, "merge", { spec: { replicas: 2, minReadySeconds: 5 } }).expect(200);
  });

  conformance("its name is a DNS label, its policies are known", async ({ api, path }) => {
    const sets = await path("statefulsets", apps);
    await api.post(sets, aSet("StatefulSet", "a.b")).refuse(422, "Invalid");
    const policy = await api
      .post(sets, aSet("StatefulSet", "one", { podManagementPolicy: "Chaos" }))
      .refuse(422, "Invalid");
    expect(policy.details.causes).toMatchObject([
      {
        field: "spec.podManagementPolicy",
        message: "Invalid value: \"Chaos\": must be 'OrderedReady' or 'Parallel'",
      },
    ]);
    const retention = { persistentVolumeClaimRetentionPolicy: { whenDeleted: "Keep" } };
    const kept = await api.post(sets, aSet("StatefulSet", "one", retention)).refuse(422, "Invalid");
    expect(kept.details.causes).toMatchObject([
      { field: "spec.persistentVolumeClaimRetentionPolicy.whenDeleted", reason: "FieldValueNotSupported" },
    ]);
  });

  conformance("its scale says the labels of its pods", async ({ api, path }) => {
    const sets = await path("statefulsets", apps);
    await api.post(sets, aSet("StatefulSet", "one")).expect(201);
    await api.get(`${sets}/one/scale`).expect(200, { status: { selector: "app=one" } });
  });
});

area("daemon sets", (conformance) => {
  conformance("one pod may be away at a time", async ({ api, path }) => {
    await api.post(await path("daemonsets", apps), aSet("DaemonSet", "one")).expect(201, {
      spec: {
        updateStrategy: { type: "RollingUpdate", rollingUpdate: { maxUnavailable: 1, maxSurge: 0 } },
        revisionHistoryLimit: 10,
      },
      status: { currentNumberScheduled: 0, desiredNumberScheduled: 0, numberMisscheduled: 0, numberReady: 0 },
    });
  });

  conformance("it surges or it takes away, not both, not neither", async ({ api, path }) => {
    const sets = await path("daemonsets", apps);
    const rolling = (maxUnavailable: number, maxSurge: number) =>
      aSet("DaemonSet", "one", { updateStrategy: { rollingUpdate: { maxUnavailable, maxSurge } } });
    const both = await api.post(sets, rolling(1, 1)).refuse(422, "Invalid");
    expect(both.details.causes[0].message).toBe("Invalid value: 1: may not be set when maxUnavailable is non-zero");
    const neither = await api.post(sets, rolling(0, 0)).refuse(422, "Invalid");
    expect(neither.details.causes[0].message).toBe("Required value: cannot be 0 when maxSurge is 0");
  });

  conformance("it has no scale", async ({ api, path }) => {
    const sets = await path("daemonsets", apps);
    await api.post(sets, aSet("DaemonSet", "one")).expect(201);
    await api.get(`${sets}/one/scale`).refuse(404, "NotFound");
  });
});

area("controller revisions", (conformance) => {
  conformance("the data of a revision is an object and stays", async ({ api, path }) => {
    const revisions = await path("controllerrevisions", apps);
    const revision = { apiVersion: apps, kind: "ControllerRevision", metadata: { name: "one" }, revision: 1 };
    const bare = await api.post(revisions, revision).refuse(422, "Invalid");
    expect(bare.details.causes).toMatchObject([{ field: "data", reason: "FieldValueRequired" }]);
    await api.post(revisions, { ...revision, data: { a: 1 } }).expect(201);
    await api.patch(`${revisions}/one`, "merge", { revision: 2 }).expect(200);
    const changed = await api.patch(`${revisions}/one`, "merge", { data: { a: 2 } }).refuse(422, "Invalid");
    expect(changed.details.causes).toMatchObject([{ field: "data", reason: "FieldValueInvalid" }]);
  });
});
