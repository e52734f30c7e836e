import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Node, Pod, PodSpec } from "../../../../src/embedded/kubelet/core-types.ts";
import { decideNode } from "../../../../src/embedded/scheduler/decide-node.ts";
import { type Budget, decidePreemption } from "../../../../src/embedded/scheduler/preemption.ts";
import { aContainer, aNode, aPod } from "../kubelet/builders.ts";

const asking = (cpu: number, priority: number, spec: Partial<PodSpec> = {}): Partial<PodSpec> => ({
  containers: [aContainer({ resources: { requests: { cpu: String(cpu) } } })],
  priority,
  ...spec,
});
const running = (name: string, cpu: number, priority: number, labels: Record<string, string> = {}): Pod =>
  aPod(asking(cpu, priority), { name, uid: name, labels });

function decide(pod: Pod, nodes: readonly Node[], placed: Record<string, readonly Pod[]>, budgets: Budget[] = []) {
  const podsByNode = new Map(Object.entries(placed));
  const decision = decideNode(pod, nodes, podsByNode);
  const candidates = decision.node === undefined ? decision.resolvable : [];
  return decidePreemption({ pod, nodes, candidates, podsByNode, budgets, namespaceLabels: () => ({}) });
}

const namesOf = (decision: ReturnType<typeof decide>) =>
  decision.node === undefined ? decision.message : [decision.node, ...decision.victims.map((pod) => pod.metadata.name)];

describe("decidePreemption", () => {
  const nodes = [aNode("a"), aNode("b")];

  it("takes as few pods as will do, the least important ones", () => {
    const placed = { a: [running("x", 1, 5), running("y", 2, 1), running("z", 1, 3)], b: [running("w", 4, 100)] };
    expect(namesOf(decide(aPod(asking(2, 50)), nodes, placed))).toEqual(["a", "y"]);
  });

  it("chooses the node where the lowest priority is lost", () => {
    const placed = { a: [running("x", 4, 7)], b: [running("y", 4, 3)] };
    expect(namesOf(decide(aPod(asking(4, 50)), nodes, placed))).toEqual(["b", "y"]);
  });

  it("spares what a disruption budget guards, where there is another way", () => {
    const guarded = { app: "guarded" };
    const budget = { namespace: "ns", selector: { matchLabels: guarded }, disruptionsAllowed: 0 };
    const placed = { a: [running("x", 4, 1, guarded)], b: [running("y", 4, 9)] };
    expect(namesOf(decide(aPod(asking(4, 50)), nodes, placed, [budget]))).toEqual(["b", "y"]);
    expect(namesOf(decide(aPod(asking(4, 50)), nodes, placed))).toEqual(["a", "x"]);
    expect(namesOf(decide(aPod(asking(4, 50)), [aNode("a")], placed, [budget]))).toEqual(["a", "x"]);
  });

  it("leaves equals alone, and says so", () => {
    expect(namesOf(decide(aPod(asking(4, 5)), nodes, { a: [running("x", 4, 5)], b: [running("y", 4, 9)] }))).toBe(
      "no new claims to deallocate, preemption: 0/2 nodes are available: 2 No preemption victims found for incoming pod.",
    );
  });

  it("does not try where no pod is in the way", () => {
    const message = namesOf(decide(aPod(asking(9, 50)), nodes, { a: [running("x", 4, 1)] }));
    expect(message).toMatch(/preemption: 0\/2 nodes are available: 2 Preemption is not helpful for scheduling\.$/);
  });

  it("is not for a pod that must not preempt, nor for one whose victims are on their way out", () => {
    const placed = { a: [running("x", 4, 1)], b: [running("y", 4, 1)] };
    expect(namesOf(decide(aPod(asking(4, 50, { preemptionPolicy: "Never" })), nodes, placed))).toMatch(/=Never\.$/);
    const ending = aPod(asking(4, 1), { name: "x", uid: "x", deletionTimestamp: "2026-01-01T00:00:00Z" });
    const waiting = { ...aPod(asking(4, 50)), status: { nominatedNodeName: "a" } };
    const message = namesOf(decide(waiting, nodes, { ...placed, a: [ending] }));
    expect(message).toMatch(/not eligible due to terminating pod on the nominated node\.$/);
  });

  it("always makes enough room, from lower priorities alone, and never more than is needed", () => {
    const aRunning = fc.record({ cpu: fc.integer({ min: 1, max: 3 }), priority: fc.integer({ min: 0, max: 9 }) });
    const check = (pods: { cpu: number; priority: number }[], cpu: number, priority: number) => {
      const placed: Pod[] = [];
      for (const [index, one] of pods.entries()) {
        const total = placed.reduce((sum, pod) => sum + Number(pod.spec.containers[0]?.resources?.requests?.cpu), 0);
        if (total + one.cpu <= 4) placed.push(running(`p${index}`, one.cpu, one.priority));
      }
      const pod = aPod(asking(cpu, priority), { name: "new", uid: "new" });
      const decision = decide(pod, [aNode("a")], { a: placed });
      if (decision.node === undefined) return;
      const without = (gone: readonly Pod[]) =>
        decideNode(pod, [aNode("a")], new Map([["a", placed.filter((one) => !gone.includes(one))]])).node;
      expect(decision.victims.every((victim) => (victim.spec.priority ?? 0) < priority)).toBe(true);
      expect(without(decision.victims)).toBe("a");
      for (const spared of decision.victims) {
        expect(without(decision.victims.filter((victim) => victim !== spared))).toBeUndefined();
      }
    };
    const cpus = fc.integer({ min: 1, max: 4 });
    fc.assert(fc.property(fc.array(aRunning, { maxLength: 5 }), cpus, fc.integer({ min: 0, max: 9 }), check));
  });
});
