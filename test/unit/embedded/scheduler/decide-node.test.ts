import { describe, expect, it } from "vitest";
import type { Affinity, Node, Pod, PodSpec } from "../../../../src/embedded/kubelet/core-types.ts";
import { comparePending, decideNode } from "../../../../src/embedded/scheduler/decide-node.ts";
import { aContainer, aNode, aPod } from "../kubelet/builders.ts";

function requests(list: Record<string, string>): Partial<PodSpec> {
  return { containers: [aContainer({ resources: { requests: list } })] };
}

function requiring(...terms: { key: string; operator: string; values?: string[] }[]): Partial<PodSpec> {
  const nodeSelectorTerms = terms.map((term) => ({ matchExpressions: [term] }));
  return { affinity: { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms } } } };
}

const taint = { key: "gpu", value: "only", effect: "NoSchedule" };
const nodes: Node[] = [
  aNode("a", { labels: { tier: "low", vram: "8" } }),
  aNode("b", { labels: { tier: "high", vram: "80" }, allocatable: { "nvidia.com/gpu": "2" } }),
];

interface Case {
  readonly name: string;
  readonly spec: Partial<PodSpec>;
  readonly nodes?: readonly Node[];
  readonly placed?: Record<string, readonly Pod[]>;
  /** A node's name, or a part of the message. */
  readonly want: string | RegExp;
}

const cases: Case[] = [
  { name: "a node selector", spec: { nodeSelector: { tier: "high" } }, want: "b" },
  {
    name: "a node selector that no node has",
    spec: { nodeSelector: { tier: "none" } },
    want: /^0\/2 nodes are available: 2 node\(s\) didn't match Pod's node affinity\/selector\.$/,
  },
  { name: "In", spec: requiring({ key: "tier", operator: "In", values: ["mid", "high"] }), want: "b" },
  { name: "NotIn", spec: requiring({ key: "tier", operator: "NotIn", values: ["low"] }), want: "b" },
  { name: "NotIn on an absent label", spec: requiring({ key: "x", operator: "NotIn", values: ["low"] }), want: "a" },
  { name: "Exists", spec: requiring({ key: "nope", operator: "Exists" }), want: /2 node\(s\) didn't match/ },
  { name: "DoesNotExist", spec: requiring({ key: "nope", operator: "DoesNotExist" }), want: "a" },
  { name: "Gt", spec: requiring({ key: "vram", operator: "Gt", values: ["40"] }), want: "b" },
  { name: "Lt", spec: requiring({ key: "vram", operator: "Lt", values: ["40"] }), want: "a" },
  { name: "Gt on what is no number", spec: requiring({ key: "tier", operator: "Gt", values: ["1"] }), want: /2 node/ },
  {
    name: "terms as alternatives",
    spec: requiring({ key: "nope", operator: "Exists" }, { key: "tier", operator: "In", values: ["high"] }),
    want: "b",
  },
  {
    name: "a match by field",
    spec: {
      affinity: {
        nodeAffinity: {
          requiredDuringSchedulingIgnoredDuringExecution: {
            nodeSelectorTerms: [{ matchFields: [{ key: "metadata.name", operator: "In", values: ["b"] }] }],
          },
        },
      },
    },
    want: "b",
  },
  { name: "an extended resource", spec: requests({ "nvidia.com/gpu": "1" }), want: "b" },
  {
    name: "an extended resource in use",
    spec: requests({ "nvidia.com/gpu": "1" }),
    placed: { b: [aPod(requests({ "nvidia.com/gpu": "2" }))] },
    want: /2 Insufficient nvidia.com\/gpu/,
  },
  {
    name: "limits in place of requests",
    spec: { containers: [aContainer({ resources: { limits: { "nvidia.com/gpu": "3" } } })] },
    want: /2 Insufficient nvidia.com\/gpu/,
  },
  {
    name: "more cpu and memory than there is",
    spec: requests({ cpu: "5", memory: "9Gi" }),
    want: /2 Insufficient cpu, 2 Insufficient memory/,
  },
  {
    name: "the largest init container",
    spec: { initContainers: [aContainer({ name: "i", resources: { requests: { cpu: "5" } } })] },
    want: /2 Insufficient cpu/,
  },
  {
    name: "a node that is full of pods",
    spec: {},
    nodes: [aNode("a", { allocatable: { pods: "1" } })],
    placed: { a: [aPod()] },
    want: /1 Too many pods/,
  },
  {
    name: "a taint",
    spec: {},
    nodes: [aNode("a", { spec: { taints: [taint] } })],
    want: /1 node\(s\) had untolerated taint\(s\)/,
  },
  {
    name: "a tolerated taint",
    spec: { tolerations: [{ key: "gpu", operator: "Equal", value: "only", effect: "NoSchedule" }] },
    nodes: [aNode("a", { spec: { taints: [taint] } })],
    want: "a",
  },
  {
    name: "a toleration of another value",
    spec: { tolerations: [{ key: "gpu", value: "other" }] },
    nodes: [aNode("a", { spec: { taints: [taint] } })],
    want: /untolerated taint/,
  },
  {
    name: "a toleration of everything",
    spec: { tolerations: [{ operator: "Exists" }] },
    nodes: [aNode("a", { spec: { taints: [taint, { key: "x", effect: "NoExecute" }] } })],
    want: "a",
  },
  {
    name: "a cordoned node",
    spec: {},
    nodes: [aNode("a", { spec: { unschedulable: true } })],
    want: /1 node\(s\) were unschedulable/,
  },
  {
    name: "a node that is not ready",
    spec: {},
    nodes: [aNode("a", { ready: false })],
    want: /1 node\(s\) had untolerated taint\(s\)/,
  },
  { name: "no nodes at all", spec: {}, nodes: [], want: "no nodes available to schedule pods" },
  {
    name: "several causes, counted per node",
    spec: { nodeSelector: { tier: "low" } },
    nodes: [
      ...nodes,
      aNode("c", { ready: false }),
      aNode("d", { labels: { tier: "low" }, spec: { taints: [taint] } }),
    ].slice(1),
    want: /^0\/3 nodes are available: 1 node\(s\) didn't match Pod's node affinity\/selector, 2 node\(s\) had untolerated taint\(s\)\.$/,
  },
];

describe("decideNode", () => {
  it.each(cases)("decides by $name", ({ spec, nodes: given = nodes, placed = {}, want }) => {
    const decision = decideNode(aPod(spec), given, new Map(Object.entries(placed)));
    const got = decision.node ?? ("message" in decision ? decision.message : "");
    if (typeof want === "string") expect(got).toBe(want);
    else expect(got).toMatch(want);
  });

  it("prefers the least allocated node", () => {
    const busy = new Map([["a", [aPod(requests({ cpu: "3" }))]]]);
    expect(decideNode(aPod(requests({ cpu: "1" })), nodes, busy).node).toBe("b");
  });

  it("spreads pods that ask for nothing", () => {
    expect(decideNode(aPod(), nodes, new Map([["a", [aPod()]]])).node).toBe("b");
  });

  it("follows a preferred affinity even to a busier node", () => {
    const affinity: Affinity = {
      nodeAffinity: {
        preferredDuringSchedulingIgnoredDuringExecution: [
          { weight: 50, preference: { matchExpressions: [{ key: "tier", operator: "In", values: ["high"] }] } },
        ],
      },
    };
    const busy = new Map([["b", [aPod(requests({ cpu: "2" }))]]]);
    expect(decideNode(aPod({ affinity }), nodes, busy).node).toBe("b");
  });

  it("avoids a node with a PreferNoSchedule taint, but takes it when it is the only one", () => {
    const soft = aNode("a", { spec: { taints: [{ key: "x", effect: "PreferNoSchedule" }] } });
    expect(decideNode(aPod(), [soft, aNode("z")], new Map()).node).toBe("z");
    expect(decideNode(aPod(), [soft], new Map()).node).toBe("a");
  });

  it("decides the same whatever the order of the nodes", () => {
    const many = ["e", "d", "c", "b", "a"].map((name) => aNode(name));
    expect(decideNode(aPod(), many, new Map()).node).toBe(decideNode(aPod(), [...many].reverse(), new Map()).node);
  });
});

describe("pod affinity", () => {
  const term = { labelSelector: { matchLabels: { app: "x" } }, topologyKey: "kubernetes.io/hostname" };
  const labelled = aPod({}, { name: "other", uid: "o", labels: { app: "x" } });
  const together: Affinity = { podAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [term] } };
  const apart: Affinity = { podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [term] } };
  const placed = new Map([["b", [labelled]]]);

  it("puts a pod beside its like", () => {
    expect(decideNode(aPod({ affinity: together }), nodes, placed).node).toBe("b");
  });

  it("refuses a pod whose like is nowhere, unless it is its own like", () => {
    expect(decideNode(aPod({ affinity: together }), nodes, new Map()).node).toBeUndefined();
    expect(decideNode(aPod({ affinity: together }, { labels: { app: "x" } }), nodes, new Map()).node).toBe("a");
  });

  it("keeps a pod away from its unlike, both ways", () => {
    expect(decideNode(aPod({ affinity: apart }), nodes, placed).node).toBe("a");
    const guarded = new Map([["a", [aPod({ affinity: apart }, { uid: "g" })]]]);
    expect(decideNode(aPod({}, { labels: { app: "x" } }), nodes, guarded).node).toBe("b");
  });

  it("looks at pods of its own namespace only", () => {
    const elsewhere = new Map([["b", [{ ...labelled, metadata: { ...labelled.metadata, namespace: "other" } }]]]);
    expect(decideNode(aPod({ affinity: together }), nodes, elsewhere).node).toBeUndefined();
  });
});

describe("comparePending", () => {
  it("takes the highest priority first, then the oldest", () => {
    const made = (name: string, priority: number, second: number) =>
      aPod({ priority }, { name, creationTimestamp: `2026-01-01T00:00:0${second}Z` });
    const queue = [made("new", 0, 2), made("old", 0, 1), made("urgent", 9, 3)].sort(comparePending);
    expect(queue.map((pod) => pod.metadata.name)).toEqual(["urgent", "old", "new"]);
  });
});
