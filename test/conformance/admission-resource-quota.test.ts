/** Admission by resource quotas. A server without controllers fills no status, so the cases write it themselves. */
import { expect } from "vitest";
import { area, type CaseTools } from "./support/conformance-case.ts";

const aPod = (name: string, resources: object = {}) => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name },
  spec: { containers: [{ name: "main", image: "registry.example.com/app:1", resources }] },
});

async function limit(
  { api, path }: CaseTools,
  hard: Readonly<Record<string, string>>,
  spec: object = {},
): Promise<void> {
  const quotas = await path("resourcequotas");
  const quota = { apiVersion: "v1", kind: "ResourceQuota", metadata: { name: "q" }, spec: { hard, ...spec } };
  await api.post(quotas, quota).expect(201);
  const used = Object.fromEntries(Object.keys(hard).map((name) => [name, "0"]));
  await api.patch(`${quotas}/q/status`, "merge", { status: { hard, used } }).expect(200);
}

area("admission: resource quota", (conformance) => {
  conformance("pods beyond the quota are refused with what was asked, used and allowed", async (tools) => {
    await limit(tools, { pods: "1" });
    const pods = await tools.path("pods");
    await tools.api.post(pods, aPod("one")).expect(201);
    const status = await tools.api.post(pods, aPod("two")).refuse(403, "Forbidden");
    expect(status.message).toBe(
      'pods "two" is forbidden: exceeded quota: q, requested: pods=1, used: pods=1, limited: pods=1',
    );
    const quota = await tools.api.get(`${await tools.path("resourcequotas")}/q`).expect(200);
    expect(quota.status).toEqual({ hard: { pods: "1" }, used: { pods: "1" } });
  });

  conformance("several resources are named in order, in canonical quantities", async (tools) => {
    await limit(tools, { "requests.cpu": "1", "limits.memory": "1Gi", pods: "5" });
    const pods = await tools.path("pods");
    const small = { requests: { cpu: "600m" }, limits: { memory: "512Mi" } };
    await tools.api.post(pods, aPod("one", small)).expect(201);
    const status = await tools.api
      .post(pods, aPod("two", { requests: { cpu: "0.5" }, limits: { memory: "768Mi" } }))
      .refuse(403, "Forbidden");
    expect(status.message).toBe(
      'pods "two" is forbidden: exceeded quota: q, requested: limits.memory=768Mi,requests.cpu=500m, ' +
        "used: limits.memory=512Mi,requests.cpu=600m, limited: limits.memory=1Gi,requests.cpu=1",
    );
  });

  conformance("a quota of CPU or memory wants every container to say how much", async (tools) => {
    await limit(tools, { "limits.cpu": "1", "requests.memory": "1Gi" });
    const status = await tools.api.post(await tools.path("pods"), aPod("one")).refuse(403, "Forbidden");
    expect(status.message).toBe(
      'pods "one" is forbidden: failed quota: q: must specify limits.cpu for: main; requests.memory for: main',
    );
  });

  conformance("objects of any kind are counted, and a dry run takes nothing", async (tools) => {
    await limit(tools, { "count/leases.coordination.k8s.io": "1", configmaps: "1" });
    const leases = await tools.path("leases", "coordination.k8s.io/v1");
    const lease = { apiVersion: "coordination.k8s.io/v1", kind: "Lease", metadata: { name: "l" } };
    await tools.api.post(`${leases}?dryRun=All`, lease).expect(201);
    await tools.api.post(leases, lease).expect(201);
    const status = await tools.api.post(leases, { ...lease, metadata: { name: "m" } }).refuse(403, "Forbidden");
    expect(status.message).toBe(
      'leases.coordination.k8s.io "m" is forbidden: exceeded quota: q, requested: ' +
        "count/leases.coordination.k8s.io=1, used: count/leases.coordination.k8s.io=1, " +
        "limited: count/leases.coordination.k8s.io=1",
    );
  });

  conformance("services with node ports are counted apart, also when one becomes such", async (tools) => {
    await limit(tools, { "services.nodeports": "0", services: "1" });
    const services = await tools.path("services");
    const service = { apiVersion: "v1", kind: "Service", metadata: { name: "s" }, spec: { ports: [{ port: 80 }] } };
    await tools.api.post(services, service).expect(201);
    const status = await tools.api
      .patch(`${services}/s`, "merge", { spec: { type: "NodePort" } })
      .refuse(403, "Forbidden");
    expect(status.message).toContain("requested: services.nodeports=1, used: services.nodeports=0");
  });

  conformance("a quota of best-effort pods leaves others alone", async (tools) => {
    await limit(tools, { pods: "0" }, { scopes: ["BestEffort"] });
    const pods = await tools.path("pods");
    await tools.api.post(pods, aPod("burstable", { requests: { cpu: "1m" } })).expect(201);
    await tools.api.post(pods, aPod("best-effort")).refuse(403, "Forbidden");
  });
});
