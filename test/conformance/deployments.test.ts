/** Deployments, replica sets and replication controllers: defaults, selectors, strategies, scale. */
import { expect } from "vitest";
import { area } from "./support/conformance-case.ts";
import { aContainer, aDeployment, aTemplate } from "./support/manifests.ts";

const apps = "apps/v1";
const aReplicaSet = (name: string, spec: object = {}) => ({
  apiVersion: apps,
  kind: "ReplicaSet",
  metadata: { name },
  spec: { selector: { matchLabels: { app: name } }, template: aTemplate(name), ...spec },
});

area("deployments", (conformance) => {
  conformance(
    "a deployment rolls a quarter at a time, keeps ten revisions, gives up after ten minutes",
    async ({ api, path }) => {
      const made = await api.post(await path("deployments", apps), aDeployment("one")).expect(201, {
        metadata: { generation: 1 },
        spec: {
          replicas: 1,
          strategy: { type: "RollingUpdate", rollingUpdate: { maxUnavailable: "25%", maxSurge: "25%" } },
          revisionHistoryLimit: 10,
          progressDeadlineSeconds: 600,
          template: { spec: { restartPolicy: "Always", terminationGracePeriodSeconds: 30, dnsPolicy: "ClusterFirst" } },
        },
      });
      expect(made.status).toEqual({});
      expect(made.spec.template.spec.enableServiceLinks).toBeUndefined();
    },
  );

  conformance("a template's limits are not its requests: that is for pods", async ({ api, path }) => {
    const containers = [aContainer({ resources: { limits: { cpu: "1" } } })];
    const made = await api
      .post(await path("deployments", apps), aDeployment("one", { template: aTemplate("one", { containers }) }))
      .expect(201);
    expect(made.spec.template.spec.containers[0].resources).toEqual({ limits: { cpu: "1" } });
  });

  conformance("a selector that does not match the template", async ({ api, path }) => {
    const status = await api
      .post(await path("deployments", apps), aDeployment("one", { selector: { matchLabels: { app: "two" } } }))
      .refuse(422, "Invalid");
    expect(status.details.causes).toEqual([
      {
        reason: "FieldValueInvalid",
        field: "spec.template.metadata.labels",
        message: 'Invalid value: {"app":"one"}: `selector` does not match template `labels`',
      },
    ]);
    expect(status.message).toMatch(/^Deployment\.apps "one" is invalid: /);
  });

  conformance("a selector that is missing, or empty", async ({ api, path }) => {
    const deployments = await path("deployments", apps);
    const none = await api.post(deployments, aDeployment("one", { selector: undefined })).refuse(422, "Invalid");
    expect(none.details.causes[0]).toMatchObject({ field: "spec.selector", reason: "FieldValueRequired" });
    const empty = await api.post(deployments, aDeployment("one", { selector: {} })).refuse(422, "Invalid");
    expect(empty.details.causes).toMatchObject([
      { field: "spec.selector", message: "Invalid value: {}: empty selector is invalid for deployment" },
    ]);
  });

  conformance("a selector does not change", async ({ api, path }) => {
    const deployments = await path("deployments", apps);
    await api.post(deployments, aDeployment("one")).expect(201);
    const status = await api
      .patch(`${deployments}/one`, "merge", {
        spec: { selector: { matchLabels: { more: "a" } }, template: { metadata: { labels: { more: "a" } } } },
      })
      .refuse(422, "Invalid");
    expect(status.details.causes).toEqual([
      {
        reason: "FieldValueInvalid",
        field: "spec.selector",
        message: 'Invalid value: {"matchLabels":{"app":"one","more":"a"}}: field is immutable',
      },
    ]);
  });

  conformance("an update that may take nothing down and add nothing", async ({ api, path }) => {
    const strategy = { rollingUpdate: { maxUnavailable: 0, maxSurge: 0 } };
    const status = await api
      .post(await path("deployments", apps), aDeployment("one", { strategy }))
      .refuse(422, "Invalid");
    expect(status.details.causes).toMatchObject([
      {
        field: "spec.strategy.rollingUpdate.maxUnavailable",
        message: "Invalid value: 0: may not be 0 when `maxSurge` is 0",
      },
    ]);
  });

  conformance("shares over the whole, and words that are none", async ({ api, path }) => {
    const deployments = await path("deployments", apps);
    const strategy = (maxUnavailable: string) => ({ strategy: { rollingUpdate: { maxUnavailable } } });
    const much = await api.post(deployments, aDeployment("one", strategy("101%"))).refuse(422, "Invalid");
    expect(much.details.causes[0].message).toBe('Invalid value: "101%": must not be greater than 100%');
    const word = await api.post(deployments, aDeployment("one", strategy("all"))).refuse(422, "Invalid");
    expect(word.details.causes[0].message).toMatch(/a valid percent string must be a numeric string/);
  });

  conformance("Recreate has nothing to roll", async ({ api, path }) => {
    const deployments = await path("deployments", apps);
    const strategy = { type: "Recreate", rollingUpdate: { maxSurge: 1 } };
    const status = await api.post(deployments, aDeployment("one", { strategy })).refuse(422, "Invalid");
    expect(status.details.causes).toMatchObject([
      {
        field: "spec.strategy.rollingUpdate",
        message: "Forbidden: may not be specified when strategy `type` is 'Recreate'",
      },
    ]);
    const made = await api.post(deployments, aDeployment("one", { strategy: { type: "Recreate" } })).expect(201);
    expect(made.spec.strategy).toEqual({ type: "Recreate" });
  });

  conformance("pods of a deployment always run, and their spec is checked in the template", async ({ api, path }) => {
    const deployments = await path("deployments", apps);
    const never = aDeployment("one", { template: aTemplate("one", { restartPolicy: "Never" }) });
    const status = await api.post(deployments, never).refuse(422, "Invalid");
    expect(status.details.causes).toMatchObject([
      {
        field: "spec.template.spec.restartPolicy",
        message: 'Unsupported value: "Never": supported values: "Always"',
      },
    ]);
    const bad = aDeployment("one", { template: aTemplate("one", { containers: [{ name: "main" }] }) });
    const image = await api.post(deployments, bad).refuse(422, "Invalid");
    expect(image.details.causes).toMatchObject([{ field: "spec.template.spec.containers[0].image" }]);
  });

  conformance("negative counts, and a deadline within the time to be ready", async ({ api, path }) => {
    const deployments = await path("deployments", apps);
    const less = await api.post(deployments, aDeployment("one", { replicas: -1 })).refuse(422, "Invalid");
    expect(less.details.causes).toMatchObject([
      { field: "spec.replicas", message: "Invalid value: -1: must be greater than or equal to 0" },
    ]);
    const times = { progressDeadlineSeconds: 5, minReadySeconds: 5 };
    const soon = await api.post(deployments, aDeployment("one", times)).refuse(422, "Invalid");
    expect(soon.details.causes).toMatchObject([
      { field: "spec.progressDeadlineSeconds", message: "Invalid value: 5: must be greater than minReadySeconds" },
    ]);
  });

  conformance("the generation counts changes of the spec, not of labels or status", async ({ api, path }) => {
    const one = `${await path("deployments", apps)}/one`;
    await api.post(one.slice(0, -4), aDeployment("one")).expect(201);
    await api.patch(one, "merge", { spec: { replicas: 3 } }).expect(200, { metadata: { generation: 2 } });
    await api.patch(one, "merge", { metadata: { labels: { a: "b" } } }).expect(200, { metadata: { generation: 2 } });
    await api
      .patch(`${one}/status`, "merge", { status: { replicas: 3, observedGeneration: 2 } })
      .expect(200, { metadata: { generation: 2 }, status: { replicas: 3 } });
  });

  conformance("a status that counts more than there is", async ({ api, path }) => {
    const one = `${await path("deployments", apps)}/one`;
    await api.post(one.slice(0, -4), aDeployment("one")).expect(201);
    const status = await api
      .patch(`${one}/status`, "merge", { status: { replicas: 1, readyReplicas: 2 } })
      .refuse(422, "Invalid");
    expect(status.details.causes).toMatchObject([
      { field: "status.readyReplicas", message: "Invalid value: 2: cannot be greater than status.replicas" },
    ]);
  });

  conformance("its scale is a view of its replicas", async ({ api, path }) => {
    const one = `${await path("deployments", apps)}/one`;
    await api.post(one.slice(0, -4), aDeployment("one")).expect(201);
    const scale = await api.get(`${one}/scale`).expect(200, {
      kind: "Scale",
      apiVersion: "autoscaling/v1",
      spec: { replicas: 1 },
      status: { replicas: 0, selector: "app=one" },
    });
    await api.put(`${one}/scale`, { ...scale, spec: { replicas: 4 } }).expect(200, { spec: { replicas: 4 } });
    await api.get(one).expect(200, { spec: { replicas: 4 }, metadata: { generation: 2 } });
  });

  conformance("replica sets keep their selector as well", async ({ api, path }) => {
    const sets = await path("replicasets", apps);
    await api.post(sets, aReplicaSet("one")).expect(201, { spec: { replicas: 1 }, status: { replicas: 0 } });
    const status = await api
      .patch(`${sets}/one`, "merge", {
        spec: { selector: { matchLabels: { b: "c" } }, template: { metadata: { labels: { b: "c" } } } },
      })
      .refuse(422, "Invalid");
    expect(status.details.causes).toMatchObject([{ field: "spec.selector", reason: "FieldValueInvalid" }]);
    await api.get(`${sets}?fieldSelector=status.replicas%3D0`).refuse(400, "BadRequest");
  });

  conformance("a replication controller takes labels and selector from its template", async ({ api, path }) => {
    const controller = {
      apiVersion: "v1",
      kind: "ReplicationController",
      metadata: { name: "one" },
      spec: { template: aTemplate("one") },
    };
    await api.post(await path("replicationcontrollers"), controller).expect(201, {
      metadata: { labels: { app: "one" }, generation: 1 },
      spec: { replicas: 1, selector: { app: "one" } },
      status: { replicas: 0 },
    });
  });
});
