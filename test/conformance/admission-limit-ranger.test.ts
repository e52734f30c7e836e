/** Admission of pods and claims: limit ranges. */
import { expect } from "vitest";
import { area, type CaseTools, eventually } from "./support/conformance-case.ts";

const image = "registry.example.com/app:1";
const aPod = (name: string, resources: object = {}) => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name },
  spec: { containers: [{ name: "main", image, resources }] },
});

/** Servers learn of a limit range a moment after it is written: waits until a pod without resources shows it. */
async function limit(
  { api, path }: CaseTools,
  limits: readonly object[],
  shows: (status: number, body: { metadata?: { annotations?: object } }) => boolean,
): Promise<string> {
  const range = { apiVersion: "v1", kind: "LimitRange", metadata: { name: "bounds" }, spec: { limits } };
  await api.post(await path("limitranges"), range).expect(201);
  const pods = await path("pods");
  await eventually("the limit range is known", async () => {
    const reply = await api.post(`${pods}?dryRun=All`, aPod("probe"));
    return shows(reply.status, reply.body);
  });
  return pods;
}

area("admission: limit ranger", (conformance) => {
  conformance("defaults are filled in and noted", async (tools) => {
    const limits = [{ type: "Container", default: { cpu: "500m" }, defaultRequest: { cpu: "100m", memory: "64Mi" } }];
    const pods = await limit(tools, limits, (_status, body) => body.metadata?.annotations !== undefined);
    const pod = await tools.api.post(pods, aPod("one")).expect(201);
    expect(pod.spec.containers[0].resources).toEqual({
      limits: { cpu: "500m" },
      requests: { cpu: "100m", memory: "64Mi" },
    });
    expect(pod.metadata.annotations["kubernetes.io/limit-ranger"]).toBe(
      "LimitRanger plugin set: cpu, memory request for container main; cpu limit for container main",
    );
    expect(pod.status.qosClass).toBe("Burstable");
    const own = await tools.api
      .post(pods, aPod("two", { requests: { cpu: "200m", memory: "1Gi" }, limits: { cpu: "1" } }))
      .expect(201);
    expect(own.spec.containers[0].resources.requests).toEqual({ cpu: "200m", memory: "1Gi" });
  });

  conformance("below the minimum and above the maximum a container is refused, with every reason", async (tools) => {
    const limits = [{ type: "Container", min: { cpu: "100m" }, max: { cpu: "1" } }];
    const pods = await limit(tools, limits, (_status, body) => body.metadata?.annotations !== undefined);
    const high = await tools.api
      .post(pods, aPod("high", { requests: { cpu: "500m" }, limits: { cpu: "2" } }))
      .refuse(403, "Forbidden");
    expect(high.message).toBe('pods "high" is forbidden: maximum cpu usage per Container is 1, but limit is 2');
    const low = await tools.api
      .post(pods, aPod("low", { requests: { cpu: "50m" }, limits: { cpu: "50m" } }))
      .refuse(403, "Forbidden");
    expect(low.message).toBe('pods "low" is forbidden: minimum cpu usage per Container is 100m, but request is 50m');
    await tools.api.post(pods, aPod("fits", { requests: { cpu: "100m" }, limits: { cpu: "1" } })).expect(201);
  });

  conformance("the ratio of limit to request is bounded", async (tools) => {
    const limits = [{ type: "Container", maxLimitRequestRatio: { cpu: "2" } }];
    const pods = await limit(tools, limits, (status) => status === 403);
    const status = await tools.api
      .post(pods, aPod("one", { requests: { cpu: "100m" }, limits: { cpu: "300m" } }))
      .refuse(403, "Forbidden");
    expect(status.message).toBe(
      'pods "one" is forbidden: cpu max limit to request ratio per Container is 2, but provided ratio is 3.000000',
    );
    await tools.api.post(pods, aPod("two", { requests: { cpu: "100m" }, limits: { cpu: "200m" } })).expect(201);
  });

  conformance("a pod is bounded as a whole", async (tools) => {
    const pods = await limit(tools, [{ type: "Pod", max: { memory: "1Gi" } }], (status) => status === 403);
    const half = { name: "a", image, resources: { limits: { memory: "600Mi" } } };
    const two = { ...aPod("two"), spec: { containers: [half, { ...half, name: "b" }] } };
    const status = await tools.api.post(pods, two).refuse(403, "Forbidden");
    expect(status.message).toBe('pods "two" is forbidden: maximum memory usage per Pod is 1Gi, but limit is 1200Mi');
    await tools.api.post(pods, { ...two, spec: { containers: [half] } }).expect(201);
  });

  conformance("a claim is bounded by what it requests", async (tools) => {
    const limits = [
      { type: "PersistentVolumeClaim", min: { storage: "1Gi" }, max: { storage: "10Gi" } },
      { type: "Container", maxLimitRequestRatio: { cpu: "2" } },
    ];
    await limit(tools, limits, (status) => status === 403);
    const claims = await tools.path("persistentvolumeclaims");
    const claim = (name: string, storage: string) => ({
      apiVersion: "v1",
      kind: "PersistentVolumeClaim",
      metadata: { name },
      spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage } } },
    });
    const big = await tools.api.post(claims, claim("big", "20Gi")).refuse(403, "Forbidden");
    expect(big.message).toBe(
      'persistentvolumeclaims "big" is forbidden: maximum storage usage per PersistentVolumeClaim is 10Gi, but request is 20Gi',
    );
    await tools.api.post(claims, claim("small", "1Mi")).refuse(403, "Forbidden");
    await tools.api.post(claims, claim("fits", "5Gi")).expect(201);
  });
});
