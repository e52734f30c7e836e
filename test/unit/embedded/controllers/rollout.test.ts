import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  boundsOf,
  computeNewReplicas,
  scaleProportionally,
  shrinkOldSets,
} from "../../../../src/embedded/controllers/deployment/replica-counts.ts";
import {
  computeSetAnnotations,
  findExpiredSets,
  findNewSet,
} from "../../../../src/embedded/controllers/deployment/revisions.ts";
import { resolveRollingBounds } from "../../../../src/embedded/controllers/int-or-percent.ts";
import type { Deployment, ReplicaSet } from "../../../../src/embedded/controllers/workload-types.ts";
import { aDeployment, aReplicaSet } from "./workload-builders.ts";

const rolling = (replicas: number, maxSurge: number | string, maxUnavailable: number | string): Deployment =>
  aDeployment({ replicas, strategy: { type: "RollingUpdate", rollingUpdate: { maxSurge, maxUnavailable } } });

describe("resolveRollingBounds", () => {
  it.each([
    { maxSurge: "25%", maxUnavailable: "25%", desired: 10, want: { maxSurge: 3, maxUnavailable: 2 } },
    { maxSurge: "25%", maxUnavailable: "25%", desired: 1, want: { maxSurge: 1, maxUnavailable: 0 } },
    { maxSurge: 0, maxUnavailable: "10%", desired: 3, want: { maxSurge: 0, maxUnavailable: 1 } },
    { maxSurge: 2, maxUnavailable: 0, desired: 3, want: { maxSurge: 2, maxUnavailable: 0 } },
  ])("of $maxSurge and $maxUnavailable for $desired", ({ desired, want, ...limits }) => {
    expect(resolveRollingBounds(limits, desired)).toEqual(want);
  });
});

const limit = fc.oneof(
  fc.integer({ min: 0, max: 4 }),
  fc.integer({ min: 0, max: 100 }).map((share) => `${share}%`),
);
const aRollout = fc.record({
  replicas: fc.integer({ min: 0, max: 12 }),
  maxSurge: limit,
  maxUnavailable: limit,
  old: fc.array(fc.integer({ min: 0, max: 8 }), { maxLength: 3 }),
});

describe("a rolling update", () => {
  /** What the pods do meanwhile: they become available at once, or the new ones never do. */
  const settle = (set: ReplicaSet, replicas: number, isBroken: boolean) =>
    aReplicaSet(set.metadata.name, replicas, isBroken ? 0 : replicas);

  const run = (
    rollout: { replicas: number; maxSurge: number | string; maxUnavailable: number | string; old: number[] },
    isBroken: boolean,
  ) => {
    const deployment = rolling(rollout.replicas, rollout.maxSurge, rollout.maxUnavailable);
    const { maxSurge, maxUnavailable } = boundsOf(deployment);
    let fresh = aReplicaSet("new", 0);
    let old = rollout.old.map((replicas, index) => aReplicaSet(`old-${index}`, replicas));
    const total = () => [fresh, ...old].reduce((sum, set) => sum + (set.spec.replicas ?? 0), 0);
    const available = () => [fresh, ...old].reduce((sum, set) => sum + (set.status?.availableReplicas ?? 0), 0);
    const floor = Math.min(available(), rollout.replicas - maxUnavailable);
    for (let step = 0; step < 200; step += 1) {
      const before = total();
      const wanted = computeNewReplicas(deployment, [fresh, ...old], fresh.spec.replicas ?? 0);
      if (wanted !== fresh.spec.replicas) {
        fresh = settle(fresh, wanted, isBroken);
        expect(total()).toBeLessThanOrEqual(Math.max(before, rollout.replicas + maxSurge));
        continue;
      }
      const shrunk = shrinkOldSets(deployment, fresh, old);
      if (shrunk.length === 0) return { fresh, old, deployment };
      old = old.map((set) => {
        const scaled = shrunk.find((one) => one.set === set);
        return scaled === undefined ? set : settle(set, scaled.replicas, false);
      });
      expect(available()).toBeGreaterThanOrEqual(floor);
    }
    throw new Error("the rollout does not end");
  };

  it("ends with all pods new, never above the surge and never below the minimum", () => {
    fc.assert(
      fc.property(aRollout, (rollout) => {
        const { fresh, old } = run(rollout, false);
        expect(fresh.spec.replicas).toBe(rollout.replicas);
        expect(old.every((set) => set.spec.replicas === 0)).toBe(true);
      }),
    );
  });

  it("keeps the minimum available where the new pods never are", () => {
    fc.assert(
      fc.property(aRollout, (rollout) => {
        const { old, deployment } = run(rollout, true);
        const left = old.reduce((sum, set) => sum + (set.spec.replicas ?? 0), 0);
        const had = rollout.old.reduce((sum, replicas) => sum + replicas, 0);
        expect(left).toBeGreaterThanOrEqual(Math.min(had, rollout.replicas - boundsOf(deployment).maxUnavailable));
      }),
    );
  });
});

describe("shrinkOldSets", () => {
  it("counts new pods that are not available as if they were not there, even against broken old ones", () => {
    const deployment = rolling(3, 1, 0);
    expect(shrinkOldSets(deployment, aReplicaSet("new", 1, 0), [aReplicaSet("old", 3, 0)])).toEqual([]);
    expect(shrinkOldSets(deployment, aReplicaSet("new", 1), [aReplicaSet("old", 3, 0)])).toMatchObject([
      { replicas: 2 },
    ]);
  });
});

describe("scaleProportionally", () => {
  it("gives what rounding leaves over to the largest set", () => {
    const made = { "deployment.kubernetes.io/max-replicas": "10" };
    const sets = [aReplicaSet("b", 3, 3, made), aReplicaSet("a", 4, 4, made), aReplicaSet("c", 3, 3, made)];
    const scaled = scaleProportionally(rolling(11, 0, 1), sets);
    expect(scaled.map(({ set, replicas }) => [set.metadata.name, replicas])).toEqual([
      ["a", 5],
      ["c", 3],
      ["b", 3],
    ]);
  });

  it("shares a change between the sets of a rollout and leaves nothing over", () => {
    const made = { "deployment.kubernetes.io/max-replicas": "13" };
    const sets = [aReplicaSet("old", 10, 10, made), aReplicaSet("new", 3, 3, made)];
    const scaled = scaleProportionally(rolling(20, 5, 0), sets);
    expect(scaled.map(({ set, replicas }) => [set.metadata.name, replicas])).toEqual([
      ["old", 19],
      ["new", 6],
    ]);
  });
});

describe("revisions", () => {
  it("find the set of a template whatever its hash label, and not another's", () => {
    const set = aReplicaSet("new", 1);
    const labels = { app: "a", "pod-template-hash": "x" };
    const labelled = { ...set, spec: { ...set.spec, template: { ...set.spec.template, metadata: { labels } } } };
    expect(findNewSet(aDeployment(), [labelled])).toBe(labelled);
    const other = { ...set.spec.template, metadata: { labels: { app: "a", extra: "x" } } };
    expect(findNewSet(aDeployment({ template: other }), [labelled])).toBeUndefined();
  });

  it("number a set that comes back anew, and remember its numbers", () => {
    const key = "deployment.kubernetes.io/revision";
    const deployment = aDeployment();
    deployment.metadata.annotations = { note: "x", "kubectl.kubernetes.io/last-applied-configuration": "{}" };
    expect(computeSetAnnotations(deployment, { [key]: "1" }, 3)).toEqual({
      note: "x",
      [key]: "3",
      [`${key}-history`]: "1",
    });
    expect(computeSetAnnotations(deployment, { [key]: "3" }, 3)).toEqual({ note: "x", [key]: "3" });
  });

  it("expire oldest first, and only sets that run nothing", () => {
    const set = (name: string, revision: number, replicas = 0) =>
      aReplicaSet(name, replicas, replicas, { "deployment.kubernetes.io/revision": String(revision) });
    const old = [set("c", 3), set("a", 1), set("b", 2, 1), set("d", 4)];
    const names = findExpiredSets(aDeployment({ revisionHistoryLimit: 1 }), old).map((one) => one.metadata.name);
    expect(names).toEqual(["a", "c"]);
  });
});
