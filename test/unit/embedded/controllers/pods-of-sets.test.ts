import { describe, expect, it } from "vitest";
import {
  computeDaemonSetStatus,
  planDaemons,
  planUpdate,
} from "../../../../src/embedded/controllers/daemon-set/daemon-plan.ts";
import {
  buildDaemonPod,
  decideEligibility,
  targetNodeOf,
} from "../../../../src/embedded/controllers/daemon-set/daemon-pod.ts";
import { choosePodsToDelete } from "../../../../src/embedded/controllers/pod-deletion-order.ts";
import { planSteps, type StatefulStep } from "../../../../src/embedded/controllers/stateful-set/stateful-plan.ts";
import type { DaemonSet, StatefulSet } from "../../../../src/embedded/controllers/workload-types.ts";
import type { Node, Pod } from "../../../../src/embedded/kubelet/core-types.ts";
import { aNode } from "../kubelet/builders.ts";
import { aDaemonSet, aPodIn, aRunningPod, aStatefulSet, at, now } from "./workload-builders.ts";

const namesOf = (pods: readonly Pod[]) => pods.map((pod) => pod.metadata.name);
const on = (pod: Pod, nodeName: string): Pod => ({ ...pod, spec: { ...pod.spec, nodeName } });

describe("choosePodsToDelete", () => {
  it("takes first what does the least", () => {
    const pods = [
      on(aRunningPod("old", { creationTimestamp: at(-900) }), "a"),
      on(aRunningPod("cheap", { annotations: { "controller.kubernetes.io/pod-deletion-cost": "-5" } }), "a"),
      on(aRunningPod("unready", {}, false), "a"),
      on(aPodIn({ phase: "Pending" }, "pending"), "b"),
      aPodIn({ phase: "Pending" }, "unplaced"),
      on(aRunningPod("young", { creationTimestamp: at(-5) }), "a"),
    ];
    expect(namesOf(choosePodsToDelete(pods, 5, pods))).toEqual(["unplaced", "pending", "unready", "cheap", "young"]);
  });

  it("prefers a pod whose node has another one", () => {
    const pods = [on(aRunningPod("alone"), "a"), on(aRunningPod("one"), "b"), on(aRunningPod("two"), "b")];
    expect(namesOf(choosePodsToDelete(pods, 1, pods))[0]).not.toBe("alone");
  });
});

describe("daemon sets", () => {
  const view = (set: DaemonSet, nodes: readonly Node[], pods: readonly Pod[], hash = "new") => ({
    set,
    nodes,
    pods,
    hash,
    nowMs: now,
  });
  const daemon = (name: string, nodeName: string, hash = "new", isReady = true) =>
    on(aRunningPod(name, { labels: { app: "a", "controller-revision-hash": hash } }, isReady), nodeName);
  const taint = (effect: string) => aNode("a", { spec: { taints: [{ key: "own", effect }] } });

  it.each([
    { name: "a plain node", node: aNode("a"), want: { wants: true, keeps: true } },
    {
      name: "a cordoned node",
      node: aNode("a", { spec: { unschedulable: true } }),
      want: { wants: true, keeps: true },
    },
    { name: "a NoSchedule taint", node: taint("NoSchedule"), want: { wants: false, keeps: true } },
    { name: "a NoExecute taint", node: taint("NoExecute"), want: { wants: false, keeps: false } },
    { name: "a PreferNoSchedule taint", node: taint("PreferNoSchedule"), want: { wants: true, keeps: true } },
    {
      name: "an unreachable node",
      node: aNode("a", { spec: { taints: [{ key: "node.kubernetes.io/unreachable", effect: "NoExecute" }] } }),
      want: { wants: true, keeps: true },
    },
  ])("on $name", ({ node, want }) => {
    expect(decideEligibility(aDaemonSet(), node)).toEqual(want);
  });

  it("pins each pod to its node by name, for the scheduler", () => {
    expect(targetNodeOf(buildDaemonPod(aDaemonSet(), "node-7", "h"))).toBe("node-7");
  });

  it("creates what is missing, deletes doubles, strays and what has failed", () => {
    const nodes = [aNode("a"), aNode("b"), aNode("c"), taint("NoExecute")].map((node, index) =>
      index === 3 ? { ...node, metadata: { ...node.metadata, name: "d" } } : node,
    );
    const failed = on(aPodIn({ phase: "Failed" }, "failed"), "c");
    const pods = [
      daemon("b1", "b"),
      { ...daemon("b2", "b"), metadata: { ...daemon("b2", "b").metadata, creationTimestamp: at(-5) } },
      failed,
      daemon("d1", "d"),
    ];
    const plan = planDaemons(view(aDaemonSet(), nodes, pods));
    expect([plan.create, namesOf(plan.delete), namesOf(plan.failed)]).toEqual([
      ["a"],
      ["b2", "d1", "failed"],
      ["failed"],
    ]);
  });

  it("updates within its bounds, what does not work first", () => {
    const nodes = ["a", "b", "c"].map((name) => aNode(name));
    const pods = [daemon("a1", "a", "old"), daemon("b1", "b", "old", false), daemon("c1", "c", "old")];
    const updating = (rollingUpdate: object) =>
      aDaemonSet({ updateStrategy: { type: "RollingUpdate", rollingUpdate } });
    expect(namesOf(planUpdate(view(updating({ maxUnavailable: 1 }), nodes, pods)).delete)).toEqual(["b1"]);
    expect(namesOf(planUpdate(view(updating({ maxUnavailable: 2 }), nodes, pods)).delete)).toEqual(["b1", "a1"]);
    expect(planUpdate(view(updating({ maxSurge: 1, maxUnavailable: 0 }), nodes, pods)).create).toEqual(["a"]);
    const onDelete = aDaemonSet({ updateStrategy: { type: "OnDelete" } });
    expect(planUpdate(view(onDelete, nodes, pods)).delete).toEqual([]);
  });

  it("counts nodes, not pods", () => {
    const nodes = [aNode("a"), aNode("b"), taint("NoSchedule")].map((node, index) =>
      index === 2 ? { ...node, metadata: { ...node.metadata, name: "c" } } : node,
    );
    const pods = [daemon("a1", "a"), daemon("b1", "b", "old", false), daemon("c1", "c")];
    expect(computeDaemonSetStatus(view(aDaemonSet(), nodes, pods))).toEqual({
      ...{ desiredNumberScheduled: 2, currentNumberScheduled: 2, numberMisscheduled: 1, numberReady: 1 },
      ...{ numberAvailable: 1, numberUnavailable: 1, updatedNumberScheduled: 1, observedGeneration: 1 },
    });
  });
});

describe("stateful sets", () => {
  const revision = (name: string, ordinal: number, isReady = true) =>
    aRunningPod(`db-${ordinal}`, { labels: { app: "a", "controller-revision-hash": name } }, isReady);
  const plan = (set: StatefulSet, pods: readonly Pod[]) =>
    planSteps({ set, pods, currentRevision: "old", updateRevision: "new", nowMs: now }).map(say);
  const say = (step: StatefulStep) =>
    step.do === "create" ? `create ${step.ordinal} ${step.revision}` : `delete ${step.pod.metadata.name} ${step.why}`;
  const parallel = { podManagementPolicy: "Parallel" };
  const full = [0, 1, 2].map((ordinal) => revision("new", ordinal));

  it.each([
    { name: "starts with the first", spec: {}, pods: [], want: ["create 0 update"] },
    { name: "waits for the one before", spec: {}, pods: [revision("new", 0, false)], want: [] },
    { name: "goes on to the next", spec: {}, pods: [revision("new", 0)], want: ["create 1 update"] },
    {
      name: "creates all at once in parallel",
      spec: parallel,
      pods: [revision("new", 1, false)],
      want: ["create 0 update", "create 2 update"],
    },
    { name: "counts from its first ordinal", spec: { ordinals: { start: 5 } }, pods: [], want: ["create 5 update"] },
    { name: "shrinks from the end, one by one", spec: { replicas: 1 }, pods: full, want: ["delete db-2 scaled"] },
    {
      name: "shrinks at once in parallel",
      spec: { replicas: 1, ...parallel },
      pods: full,
      want: ["delete db-2 scaled", "delete db-1 scaled"],
    },
    {
      name: "replaces a failed pod",
      spec: {},
      pods: [aPodIn({ phase: "Failed" }, "db-0")],
      want: ["delete db-0 failed"],
    },
    {
      name: "updates from the end",
      spec: {},
      pods: [0, 1, 2].map((ordinal) => revision("old", ordinal)),
      want: ["delete db-2 updated"],
    },
    {
      name: "waits for what it has updated",
      spec: {},
      pods: [revision("old", 0), revision("old", 1), revision("new", 2, false)],
      want: [],
    },
    {
      name: "stops at the partition",
      spec: { updateStrategy: { type: "RollingUpdate", rollingUpdate: { partition: 2 } } },
      pods: [revision("old", 0), revision("old", 1), revision("new", 2)],
      want: [],
    },
    {
      name: "brings back below the partition what was there",
      spec: { updateStrategy: { type: "RollingUpdate", rollingUpdate: { partition: 2 } } },
      pods: [revision("old", 1), revision("new", 2)],
      want: ["create 0 current"],
    },
    {
      name: "leaves updates to deletions",
      spec: { updateStrategy: { type: "OnDelete" } },
      pods: [0, 1, 2].map((ordinal) => revision("old", ordinal)),
      want: [],
    },
  ])("$name", ({ spec, pods, want }) => {
    expect(plan(aStatefulSet(spec), pods)).toEqual(want);
  });
});
