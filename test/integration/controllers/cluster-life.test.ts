import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { eventually } from "../apiserver/api-client.ts";
import { hasKubectl } from "../apiserver/kubectl.ts";
import { openWorkloadCluster, type WorkloadCluster } from "./workload-cluster.ts";

let cluster: WorkloadCluster;

beforeAll(async () => {
  cluster = await openWorkloadCluster(["node-1", "node-2", "node-3"], { podQuarantineMs: 200 });
});
afterAll(() => cluster.close());

const get = async (path: string) => (await cluster.api.get(path)).body;
const create = async (path: string, body: object) => {
  const reply = await cluster.api.post(path, body);
  expect(reply.status, JSON.stringify(reply.body)).toBe(201);
};
const podPath = (name: string) => `/api/v1/namespaces/default/pods/${name}`;
const createPod = (name: string, spec: object, labels: Record<string, string> = {}) =>
  create("/api/v1/namespaces/default/pods", {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name, labels },
    spec: { containers: [{ name: "main", image: "runs" }], ...spec },
  });
const asking = (cpu: string, image = "runs") => ({
  containers: [{ name: "main", image, resources: { requests: { cpu } } }],
});
const isRunning = async (name: string) => (await get(podPath(name))).status?.phase === "Running";
const deployment = (name: string, replicas: number) => ({
  apiVersion: "apps/v1",
  kind: "Deployment",
  metadata: { name },
  spec: {
    replicas,
    selector: { matchLabels: { app: name } },
    template: { metadata: { labels: { app: name } }, spec: { containers: [{ name: "main", image: "runs" }] } },
  },
});
const deploy = async (name: string, replicas: number) => {
  const path = "/apis/apps/v1/namespaces/default/deployments";
  await create(path, deployment(name, replicas));
  await eventually(`${name} is ready`, async () => (await get(`${path}/${name}`)).status?.readyReplicas === replicas);
};

describe("services", () => {
  it("have the ready pods behind them, as slices and as endpoints", async () => {
    await deploy("shop", 2);
    await create("/api/v1/namespaces/default/services", {
      apiVersion: "v1",
      kind: "Service",
      metadata: { name: "shop" },
      spec: { selector: { app: "shop" }, ports: [{ port: 80, targetPort: 8080 }] },
    });
    const slices = async () =>
      (await get("/apis/discovery.k8s.io/v1/namespaces/default/endpointslices")).items.filter(
        (slice: { metadata: { labels: Record<string, string> } }) =>
          slice.metadata.labels["kubernetes.io/service-name"] === "shop",
      );
    await eventually("two endpoints are there", async () => (await slices())[0]?.endpoints?.length === 2);
    const [slice] = await slices();
    expect(slice).toMatchObject({ addressType: "IPv4", ports: [{ port: 8080, protocol: "TCP" }] });
    expect(slice.metadata.ownerReferences[0]).toMatchObject({ kind: "Service", name: "shop" });
    const path = "/api/v1/namespaces/default/endpoints/shop";
    await eventually("endpoints too", async () => (await get(path)).subsets?.[0]?.addresses?.length === 2);
    await cluster.api.delete(podPath(slice.endpoints[0].targetRef.name));
    await eventually("the successor took its place", async () => {
      const names = ((await slices())[0]?.endpoints ?? []).map(
        (one: { targetRef: { name: string } }) => one.targetRef.name,
      );
      return names.length === 2 && !names.includes(slice.endpoints[0].targetRef.name);
    });
    await cluster.api.delete("/api/v1/namespaces/default/services/shop");
    await eventually(
      "all is gone",
      async () => (await slices()).length === 0 && (await cluster.api.get(path)).status === 404,
    );
  });
});

describe("the scheduler", () => {
  it("makes room for the more important, waits for the victim's end, and keeps the room", async () => {
    await create("/apis/scheduling.k8s.io/v1/priorityclasses", {
      apiVersion: "scheduling.k8s.io/v1",
      kind: "PriorityClass",
      metadata: { name: "high" },
      value: 1_000,
    });
    await cluster.addNode("small", { labels: { size: "small" }, allocatable: { cpu: "1" } });
    const here = { nodeSelector: { size: "small" } };
    await createPod("victim", { ...asking("1", "slow-end"), ...here });
    await eventually("the victim runs", () => isRunning("victim"));
    await createPod("vip", { ...asking("1"), ...here, priorityClassName: "high" });
    await eventually(
      "the victim is asked to go",
      async () => (await get(podPath("victim"))).metadata.deletionTimestamp !== undefined,
    );
    await eventually(
      "the node is nominated",
      async () => (await get(podPath("vip"))).status.nominatedNodeName === "small",
    );
    expect((await get(podPath("victim"))).status.conditions).toContainEqual(
      expect.objectContaining({ type: "DisruptionTarget", reason: "PreemptionByScheduler" }),
    );
    await createPod("latecomer", { ...asking("1"), ...here });
    cluster.runner.finishSlowEnds();
    await eventually("the important one runs", () => isRunning("vip"));
    const { spec, status } = await get(podPath("latecomer"));
    expect(spec.nodeName).toBeUndefined();
    expect(status.conditions[0]).toMatchObject({ type: "PodScheduled", reason: "Unschedulable" });
    for (const name of ["vip", "latecomer"]) await cluster.api.delete(podPath(name));
    await cluster.api.delete("/api/v1/nodes/small");
  });

  it("tries a pod again when its gate is lifted and when a node comes", async () => {
    await createPod("gated", { schedulingGates: [{ name: "example.com/wait" }], nodeSelector: { late: "yes" } });
    await cluster.addNode("late", { labels: { late: "yes" } });
    await cluster.api.patch(podPath("gated"), "json", [{ op: "remove", path: "/spec/schedulingGates" }]);
    await eventually("it runs", () => isRunning("gated"));
    await cluster.api.delete(podPath("gated"));
    await cluster.api.delete("/api/v1/nodes/late");
  });
});

describe("nodes", () => {
  const setReady = (name: string, status: string) =>
    cluster.api.patch(`/api/v1/nodes/${name}/status`, "strategic", {
      status: { conditions: [{ type: "Ready", status }] },
    });
  const taintsOf = async (name: string) =>
    ((await get(`/api/v1/nodes/${name}`)).spec.taints ?? []).map(
      (taint: { key: string; effect: string }) => `${taint.key}:${taint.effect}`,
    );

  it("that are not ready are tainted, and their pods are not ready and leave after their time", async () => {
    await cluster.addNode("weak", { labels: { weak: "yes" } });
    const tolerations = [
      { key: "node.kubernetes.io/not-ready", operator: "Exists", effect: "NoExecute", tolerationSeconds: 1 },
    ];
    await createPod("tenant", { nodeSelector: { weak: "yes" }, tolerations });
    await eventually("it runs", () => isRunning("tenant"));
    await setReady("weak", "False");
    await eventually("the node is tainted", async () => (await taintsOf("weak")).length === 2);
    expect(await taintsOf("weak")).toEqual([
      "node.kubernetes.io/not-ready:NoSchedule",
      "node.kubernetes.io/not-ready:NoExecute",
    ]);
    await eventually("its pod left", async () => (await cluster.api.get(podPath("tenant"))).status === 404);
    await setReady("weak", "True");
    await eventually("the taints are gone", async () => (await taintsOf("weak")).length === 0);
  });

  it("that are gone take their pods along", async () => {
    await createPod("orphan", { nodeSelector: { weak: "yes" }, containers: [{ name: "main", image: "slow-end" }] });
    await eventually("it runs", () => isRunning("orphan"));
    await cluster.api.delete("/api/v1/nodes/weak");
    await eventually("it is gone", async () => (await cluster.api.get(podPath("orphan"))).status === 404);
  });
});

describe("a node without a sign of life", () => {
  it("is unknown after its grace time, and one that renews its lease is not", async () => {
    const lonely = await openWorkloadCluster(["quiet", "beating"], { nodeGraceMs: 3_000 });
    const path = "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases";
    const spec = () => ({ holderIdentity: "beating", renewTime: new Date().toISOString().replace("Z", "000Z") });
    const lease = { apiVersion: "coordination.k8s.io/v1", kind: "Lease", metadata: { name: "beating" }, spec: spec() };
    await lonely.api.post(path, lease);
    let lastBeat: Promise<unknown> = Promise.resolve();
    const beat = setInterval(() => {
      lastBeat = lonely.api.patch(`${path}/beating`, "merge", { spec: spec() });
    }, 500);
    try {
      const read = async (name: string) => (await lonely.api.get(`/api/v1/nodes/${name}`)).body;
      const readyOf = async (name: string) =>
        (await read(name)).status.conditions.find((one: { type: string }) => one.type === "Ready");
      await eventually("the quiet one is unknown", async () => (await readyOf("quiet")).status === "Unknown");
      expect(await readyOf("quiet")).toMatchObject({
        reason: "NodeStatusUnknown",
        message: "Kubelet stopped posting node status.",
      });
      await eventually("and tainted", async () => (await read("quiet")).spec.taints?.length === 2);
      expect((await readyOf("beating")).status).toBe("True");
    } finally {
      clearInterval(beat);
      await lastBeat;
      await lonely.close();
    }
  });
});

describe.skipIf(!hasKubectl())("kubectl drain", () => {
  it("waits for what a disruption budget guards, and goes on when it may", async () => {
    await deploy("guarded", 2);
    await create("/apis/policy/v1/namespaces/default/poddisruptionbudgets", {
      apiVersion: "policy/v1",
      kind: "PodDisruptionBudget",
      metadata: { name: "guarded" },
      spec: { minAvailable: 2, selector: { matchLabels: { app: "guarded" } } },
    });
    const budget = "/apis/policy/v1/namespaces/default/poddisruptionbudgets/guarded";
    await eventually("the budget is known", async () => (await get(budget)).status?.currentHealthy === 2);
    const [pod] = (await get("/api/v1/namespaces/default/pods?labelSelector=app%3Dguarded")).items;
    const drain = cluster.kubectl.start(`drain ${pod.spec.nodeName} --timeout=60s`);
    let said = "";
    for (const stream of [drain.stdout, drain.stderr]) stream?.on("data", (chunk) => (said += String(chunk)));
    const ended = new Promise<number | null>((resolve) => drain.on("close", resolve));
    const refusal = "Cannot evict pod as it would violate the pod's disruption budget.";
    await eventually("the eviction is refused", async () => said.includes(refusal));
    await cluster.api.patch("/apis/apps/v1/namespaces/default/deployments/guarded/scale", "merge", {
      spec: { replicas: 3 },
    });
    expect([await ended, said]).toEqual([0, expect.stringContaining("drained")]);
    expect((await cluster.api.get(podPath(pod.metadata.name))).status).toBe(404);
    await cluster.kubectl.ok(`uncordon ${pod.spec.nodeName}`);
  });
});
