import { describe, expect, it } from "vitest";
import type { Affinity, Pod, PodSpec, TopologySpreadConstraint } from "../../../../src/embedded/kubelet/core-types.ts";
import { decideNode } from "../../../../src/embedded/scheduler/decide-node.ts";
import { aContainer, aNode, aPod } from "../kubelet/builders.ts";

const labels = { app: "web" };
const zoned = (name: string, zone: string) => aNode(name, { labels: { zone } });
const nodes = [zoned("a1", "a"), zoned("a2", "a"), zoned("b1", "b")];
const spread = (overrides: Partial<TopologySpreadConstraint> = {}): Partial<PodSpec> => ({
  topologySpreadConstraints: [
    {
      maxSkew: 1,
      topologyKey: "zone",
      whenUnsatisfiable: "DoNotSchedule",
      labelSelector: { matchLabels: labels },
      ...overrides,
    },
  ],
});
const like = (count: number): Pod[] => Array.from({ length: count }, () => aPod({}, { labels }));
const place = (spec: Partial<PodSpec>, placed: Record<string, Pod[]>, among = nodes) => {
  const decision = decideNode(aPod(spec, { labels }), among, new Map(Object.entries(placed)));
  return decision.node ?? ("message" in decision ? decision.message : "");
};

describe("topology spread", () => {
  it("refuses a domain beyond the skew", () => {
    expect(place(spread(), { a1: like(1) })).toBe("b1");
    expect(place(spread(), { a1: like(1), b1: like(2) })).toMatch(/^a/);
    expect(place(spread({ maxSkew: 2 }), { a1: like(1), b1: like(9) })).toMatch(/^a/);
  });

  it("counts an empty domain, and only domains where the pod may go", () => {
    const cordoned = { nodeSelector: { zone: "a" } };
    expect(place({ ...spread(), ...cordoned }, { a1: like(3) })).toMatch(/^a2$/);
    expect(place({ ...spread({ nodeAffinityPolicy: "Ignore" }), ...cordoned }, { a1: like(3) })).toMatch(
      /2 node\(s\) didn't match pod topology spread constraints/,
    );
  });

  it("wants as many domains as it is told", () => {
    expect(place(spread({ minDomains: 2 }), { a1: like(1), b1: like(1) })).toMatch(/^[ab]/);
    expect(place(spread({ minDomains: 3 }), { a1: like(1), b1: like(1) })).toMatch(/3 node\(s\) didn't match pod topo/);
  });

  it("names the nodes without the label", () => {
    expect(place(spread(), {}, [aNode("bare")])).toMatch(/spread constraints \(missing required label\)/);
  });

  it("only prefers where it is soft", () => {
    const soft = spread({ whenUnsatisfiable: "ScheduleAnyway" });
    expect(place(soft, { a1: like(1), a2: like(1) })).toBe("b1");
    expect(place(soft, { a1: like(5) }, [zoned("a1", "a")])).toBe("a1");
  });

  it("narrows the count by label keys", () => {
    const narrow = spread({ matchLabelKeys: ["version"] });
    const decision = (version: string) => {
      const pod = aPod(narrow, { labels: { ...labels, version } });
      const old = Array.from({ length: 3 }, () => aPod({}, { labels: { ...labels, version: "1" } }));
      return decideNode(pod, [zoned("a1", "a"), zoned("b1", "b")], new Map([["a1", old]])).node;
    };
    expect(decision("1")).toBe("b1");
    expect(["a1", "b1"]).toContain(decision("2"));
  });
});

describe("preferred pod affinity", () => {
  const term = { topologyKey: "zone", labelSelector: { matchLabels: labels } };
  const preferring = (kind: "podAffinity" | "podAntiAffinity"): { affinity: Affinity } => ({
    affinity: {
      [kind]: { preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 100, podAffinityTerm: term }] },
    },
  });

  it("goes beside what it likes and away from what it does not", () => {
    expect(place(preferring("podAffinity"), { b1: like(1) })).toBe("b1");
    expect(place(preferring("podAntiAffinity"), { a1: like(1), a2: like(1) })).toBe("b1");
  });

  it("picks namespaces by their labels", () => {
    const required = {
      affinity: {
        podAffinity: {
          requiredDuringSchedulingIgnoredDuringExecution: [
            { ...term, namespaceSelector: { matchLabels: { team: "x" } } },
          ],
        },
      },
    };
    const other = new Map([["b1", [aPod({}, { namespace: "other", labels })]]]);
    const ofTeam = (name: string) => (name === "other" ? { team: "x" } : {});
    expect(decideNode(aPod(required), nodes, other, ofTeam).node).toBe("b1");
    expect(decideNode(aPod(required), nodes, other, () => ({})).node).toBeUndefined();
  });
});

describe("host ports", () => {
  const onPort = (hostPort: number, extra: object = {}): Partial<PodSpec> => ({
    containers: [aContainer({ ports: [{ containerPort: 80, hostPort, ...extra }] })],
  });

  it.each([
    { name: "the same port", other: onPort(8080), free: false },
    { name: "another port", other: onPort(8081), free: true },
    { name: "another protocol", other: onPort(8080, { protocol: "UDP" }), free: true },
    { name: "another address beside all of them", other: onPort(8080, { hostIP: "10.0.0.1" }), free: false },
  ])("$name on the node leaves it free: $free", ({ other, free }) => {
    const decision = decideNode(aPod(onPort(8080)), [aNode("a")], new Map([["a", [aPod(other)]]]));
    expect(decision.node !== undefined).toBe(free);
    if (decision.node === undefined) expect(decision.message).toMatch(/didn't have free ports for the requested pod/);
  });
});
