/** Horizontal pod autoscalers: two versions over one object. */
import { expect } from "vitest";
import { area } from "./support/conformance-case.ts";

const scaleTargetRef = { apiVersion: "apps/v1", kind: "Deployment", name: "web" };
const anAutoscaler = (version: "v1" | "v2", name: string, spec: object = {}) => ({
  apiVersion: `autoscaling/${version}`,
  kind: "HorizontalPodAutoscaler",
  metadata: { name },
  spec: { scaleTargetRef, maxReplicas: 5, ...spec },
});

area("autoscaling", (conformance) => {
  conformance("without metrics, it aims at 80 % of the CPU", async ({ api, path }) => {
    await api.post(await path("horizontalpodautoscalers", "autoscaling/v2"), anAutoscaler("v2", "one")).expect(201, {
      spec: {
        minReplicas: 1,
        metrics: [
          { type: "Resource", resource: { name: "cpu", target: { type: "Utilization", averageUtilization: 80 } } },
        ],
      },
    });
  });

  conformance("what is written as v1 is read as v2, and back", async ({ api, path }) => {
    const v1 = await path("horizontalpodautoscalers", "autoscaling/v1");
    const v2 = await path("horizontalpodautoscalers", "autoscaling/v2");
    await api
      .post(v1, anAutoscaler("v1", "one", { targetCPUUtilizationPercentage: 60 }))
      .expect(201, { apiVersion: "autoscaling/v1", spec: { targetCPUUtilizationPercentage: 60, minReplicas: 1 } });
    await api.get(`${v2}/one`).expect(200, {
      apiVersion: "autoscaling/v2",
      spec: { metrics: [{ type: "Resource", resource: { name: "cpu", target: { averageUtilization: 60 } } }] },
    });
    const changed = await api.get(`${v2}/one`).expect(200);
    changed.spec.metrics[0].resource.target.averageUtilization = 70;
    await api.put(`${v2}/one`, changed).expect(200);
    await api.get(`${v1}/one`).expect(200, { spec: { targetCPUUtilizationPercentage: 70 } });
  });

  conformance("metrics that v1 cannot say survive a write through it", async ({ api, path }) => {
    const v1 = await path("horizontalpodautoscalers", "autoscaling/v1");
    const v2 = await path("horizontalpodautoscalers", "autoscaling/v2");
    const memory = {
      type: "Resource",
      resource: { name: "memory", target: { type: "AverageValue", averageValue: "1Gi" } },
    };
    await api.post(v2, anAutoscaler("v2", "one", { metrics: [memory] })).expect(201);
    const old = await api.get(`${v1}/one`).expect(200);
    expect(old.metadata.annotations["autoscaling.alpha.kubernetes.io/metrics"]).toContain("memory");
    await api.put(`${v1}/one`, { ...old, spec: { ...old.spec, maxReplicas: 7 } }).expect(200);
    const now = await api.get(`${v2}/one`).expect(200, { spec: { maxReplicas: 7, metrics: [memory] } });
    expect(now.metadata.annotations).toBeUndefined();
  });

  conformance("a behaviour is filled in on both sides", async ({ api, path }) => {
    const made = await api
      .post(
        await path("horizontalpodautoscalers", "autoscaling/v2"),
        anAutoscaler("v2", "one", { behavior: { scaleDown: { stabilizationWindowSeconds: 60 } } }),
      )
      .expect(201);
    expect(made.spec.behavior.scaleDown).toEqual({
      stabilizationWindowSeconds: 60,
      selectPolicy: "Max",
      policies: [{ type: "Percent", value: 100, periodSeconds: 15 }],
    });
    expect(made.spec.behavior.scaleUp.policies).toHaveLength(2);
  });

  conformance("fewer at most than at least, no target, a metric of two kinds", async ({ api, path }) => {
    const scalers = await path("horizontalpodautoscalers", "autoscaling/v2");
    const range = await api
      .post(scalers, anAutoscaler("v2", "one", { minReplicas: 9, maxReplicas: 2 }))
      .refuse(422, "Invalid");
    expect(range.details.causes).toMatchObject([
      {
        field: "spec.maxReplicas",
        message: "Invalid value: 2: must be greater than or equal to `minReplicas`",
      },
    ]);
    const target = await api
      .post(scalers, anAutoscaler("v2", "one", { scaleTargetRef: { apiVersion: "apps/v1", kind: "", name: "" } }))
      .refuse(422, "Invalid");
    expect(target.details.causes.map((one: { field: string }) => one.field)).toEqual([
      "spec.scaleTargetRef.kind",
      "spec.scaleTargetRef.name",
    ]);
    const metric = await api
      .post(scalers, anAutoscaler("v2", "one", { metrics: [{ type: "Pods" }] }))
      .refuse(422, "Invalid");
    expect(metric.details.causes[0]).toMatchObject({
      field: "spec.metrics[0].pods",
      message: "Required value: must populate information for the given metric source",
    });
  });
});
