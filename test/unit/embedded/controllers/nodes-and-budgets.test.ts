import { describe, expect, it } from "vitest";
import { computeBudgetStatus } from "../../../../src/embedded/controllers/disruption/disruption-status.ts";
import { buildSlices } from "../../../../src/embedded/controllers/endpoints/endpoint-slices.ts";
import { buildEndpoints } from "../../../../src/embedded/controllers/endpoints/endpoints-controller.ts";
import { Expectations } from "../../../../src/embedded/controllers/expectations.ts";
import type { Service } from "../../../../src/embedded/controllers/network-types.ts";
import { decideEvictionTime } from "../../../../src/embedded/controllers/node/decide-eviction.ts";
import { computeTaints } from "../../../../src/embedded/controllers/node/node-taints.ts";
import type { PodDisruptionBudget } from "../../../../src/embedded/controllers/workload-types.ts";
import type { Node, Pod, Toleration } from "../../../../src/embedded/kubelet/core-types.ts";
import { aNode, aPod } from "../kubelet/builders.ts";
import { aRunningPod, at, now } from "./workload-builders.ts";

const withStatus = (status: string, spec: Node["spec"] = {}): Node => ({
  ...aNode("a", { spec }),
  status: { conditions: [{ type: "Ready", status }] },
});
const say = (taints: ReturnType<typeof computeTaints>) => taints?.map(({ key, effect }) => `${key}:${effect}`);

describe("computeTaints", () => {
  const own = { key: "own", effect: "NoSchedule" };
  const notReady = { key: "node.kubernetes.io/not-ready", effect: "NoSchedule" };

  it("says of a node what its conditions say, and keeps the taints of others", () => {
    expect(say(computeTaints(withStatus("False", { taints: [own] }), now))).toEqual([
      "own:NoSchedule",
      "node.kubernetes.io/not-ready:NoSchedule",
      "node.kubernetes.io/not-ready:NoExecute",
    ]);
    expect(say(computeTaints(withStatus("Unknown"), now))).toEqual([
      "node.kubernetes.io/unreachable:NoSchedule",
      "node.kubernetes.io/unreachable:NoExecute",
    ]);
  });

  it("takes them back, and changes nothing where nothing is to change", () => {
    expect(say(computeTaints(withStatus("True", { taints: [own, notReady] }), now))).toEqual(["own:NoSchedule"]);
    expect(computeTaints(withStatus("True", { taints: [own] }), now)).toBeUndefined();
  });
});

describe("decideEvictionTime", () => {
  const key = "node.kubernetes.io/unreachable";
  const node = withStatus("Unknown", { taints: [{ key, effect: "NoExecute", timeAdded: at(-100) }] });
  const tolerating = (...tolerations: Toleration[]): Pod => aPod({ tolerations });

  it.each([
    { name: "at once without a toleration", pod: tolerating(), want: now },
    { name: "never with one that has no end", pod: tolerating({ key, operator: "Exists" }), want: undefined },
    {
      name: "after its seconds, counted from the taint",
      pod: tolerating({ key, operator: "Exists", tolerationSeconds: 300 }),
      want: now + 200_000,
    },
    {
      name: "by the shortest of several",
      pod: tolerating(
        { operator: "Exists", tolerationSeconds: 500 },
        { key, operator: "Exists", tolerationSeconds: 130 },
      ),
      want: now + 30_000,
    },
  ])("$name", ({ pod, want }) => {
    expect(decideEvictionTime(pod, node, now)).toBe(want);
  });
});

describe("computeBudgetStatus", () => {
  const budget = (spec: PodDisruptionBudget["spec"], status?: PodDisruptionBudget["status"]): PodDisruptionBudget => ({
    ...{
      apiVersion: "policy/v1",
      kind: "PodDisruptionBudget",
      metadata: { name: "b", generation: 2 },
      spec: spec ?? {},
    },
    ...(status === undefined ? {} : { status }),
  });
  const pods = ["a", "b", "c", "d"].map((name, index) => aRunningPod(name, {}, index < 3));
  const allowed = (
    spec: PodDisruptionBudget["spec"],
    wanted: number | { unknown: string } = 4,
    status?: PodDisruptionBudget["status"],
  ) => computeBudgetStatus({ budget: budget(spec, status), pods, wanted, nowMs: now });

  it.each([
    {
      spec: { minAvailable: 2 },
      want: { disruptionsAllowed: 1, currentHealthy: 3, desiredHealthy: 2, expectedPods: 4 },
    },
    { spec: { minAvailable: "50%" }, want: { disruptionsAllowed: 1, desiredHealthy: 2 } },
    { spec: { minAvailable: "60%" }, want: { disruptionsAllowed: 0, desiredHealthy: 3 } },
    { spec: { maxUnavailable: 1 }, want: { disruptionsAllowed: 0, desiredHealthy: 3 } },
    { spec: { maxUnavailable: "30%" }, want: { disruptionsAllowed: 1, desiredHealthy: 2 } },
  ])("of $spec", ({ spec, want }) => {
    expect(allowed(spec)).toMatchObject({ ...want, observedGeneration: 2 });
  });

  it("allows nothing where it is not known what is wanted", () => {
    const status = allowed({ maxUnavailable: 1 }, { unknown: "found no controller ref" });
    expect(status).toMatchObject({ disruptionsAllowed: 0, conditions: [{ reason: "SyncFailed" }] });
  });

  it("counts a granted eviction until the pod is gone, or two minutes are over", () => {
    const before = { disruptionsAllowed: 0, currentHealthy: 0, desiredHealthy: 0, expectedPods: 0 };
    const granted = (seconds: number) =>
      allowed({ minAvailable: 1 }, 4, { ...before, disruptedPods: { a: at(-seconds) } });
    expect(granted(60)).toMatchObject({ currentHealthy: 2, disruptedPods: { a: at(-60) } });
    expect(granted(121).disruptedPods).toBeUndefined();
  });
});

describe("endpoints", () => {
  const service: Service = {
    ...{ apiVersion: "v1", kind: "Service", metadata: { name: "web", namespace: "ns" } },
    spec: { selector: { app: "a" }, ports: [{ name: "http", port: 80, targetPort: "web" }] },
  };
  const serving = (name: string, isReady = true, metadata = {}): Pod => {
    const pod = aRunningPod(name, metadata, isReady);
    const containers = [{ name: "main", image: "sh", ports: [{ name: "web", containerPort: 8080 }] }];
    return { ...pod, spec: { containers, nodeName: "a" }, status: { ...pod.status, podIP: `10.0.0.${name.length}` } };
  };
  const zones = (name: string) => aNode(name, { labels: { "topology.kubernetes.io/zone": "z1" } });

  it("say of each pod where it is and whether it serves", () => {
    const pods = [
      serving("a"),
      serving("bb", false),
      serving("ccc", true, { deletionTimestamp: at(0) }),
      serving("dddd", true, { labels: {} }),
    ];
    const [slice] = buildSlices(service, pods, zones);
    expect(slice?.ports).toEqual([{ name: "http", port: 8080, protocol: "TCP" }]);
    expect(
      slice?.endpoints?.map(({ addresses, conditions, zone }) => [addresses[0], ...Object.values(conditions), zone]),
    ).toEqual([
      ["10.0.0.1", true, true, false, "z1"],
      ["10.0.0.2", false, false, false, "z1"],
      ["10.0.0.3", false, true, true, "z1"],
    ]);
    const [subset] = buildEndpoints(service, pods).subsets ?? [];
    expect(subset?.addresses?.map(({ ip }) => ip)).toEqual(["10.0.0.1"]);
    expect(subset?.notReadyAddresses?.map(({ ip }) => ip)).toEqual(["10.0.0.2"]);
  });

  it("fill slices of a hundred", () => {
    const pods = Array.from({ length: 250 }, (_, index) => serving(`p${index}`));
    expect(buildSlices(service, pods, zones).map(({ endpoints }) => endpoints?.length)).toEqual([100, 100, 50]);
    expect(buildSlices(service, [], zones)).toEqual([{ addressType: "IPv4", endpoints: [], ports: [] }]);
  });
});

describe("Expectations", () => {
  it("hold until all is seen, or given up after five minutes", () => {
    let time = 0;
    const clock = { now: () => time, monotonic: () => time, sleep: async () => undefined };
    const expectations = new Expectations(clock);
    expectations.expect("k", 2, ["x"]);
    expectations.creationObserved("k");
    expectations.deletionObserved("k", "other");
    expect(expectations.isSatisfied("k")).toBe(false);
    expectations.creationObserved("k");
    expect(expectations.isSatisfied("k")).toBe(false);
    expectations.deletionObserved("k", "x");
    expect(expectations.isSatisfied("k")).toBe(true);
    expectations.expect("k", 1);
    time = 300_001;
    expect(expectations.isSatisfied("k")).toBe(true);
  });
});
