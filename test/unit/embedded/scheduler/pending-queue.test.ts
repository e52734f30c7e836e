import { describe, expect, it } from "vitest";
import { isHelpfulNodeEvent, isHelpfulPodEvent } from "../../../../src/embedded/scheduler/cluster-changes.ts";
import { PendingQueue } from "../../../../src/embedded/scheduler/pending-queue.ts";
import { aNode, aPod } from "../kubelet/builders.ts";

const named = (name: string, priority = 0) => aPod({ priority }, { name, uid: name });
const namesOf = ({ ready }: ReturnType<PendingQueue["select"]>) => ready.map((pod) => pod.metadata.name);

describe("PendingQueue", () => {
  it("tries new pods at once, the more important first", () => {
    const queue = new PendingQueue({ initialMs: 1_000, maxMs: 10_000 });
    expect(namesOf(queue.select([named("low"), named("high", 5)], 0))).toEqual(["high", "low"]);
  });

  it("waits for a change and for the backoff, which grows up to its bound", () => {
    const queue = new PendingQueue({ initialMs: 1_000, maxMs: 4_000 });
    const pod = named("p");
    let now = 0;
    for (const delayMs of [1_000, 2_000, 4_000, 4_000]) {
      queue.noteFailure(pod, now);
      expect(queue.select([pod], now + 60_000)).toEqual({ ready: [], nextAt: undefined });
      queue.noteChange();
      expect(queue.select([pod], now + delayMs - 1)).toEqual({ ready: [], nextAt: now + delayMs });
      now += delayMs;
      expect(namesOf(queue.select([pod], now))).toEqual(["p"]);
    }
  });

  it("tries a pod at once that was changed itself, and one that is forgotten", () => {
    const queue = new PendingQueue({ initialMs: 1_000, maxMs: 4_000 });
    const pod = named("p");
    queue.noteFailure(pod, 0);
    expect(namesOf(queue.select([{ ...pod, spec: { ...pod.spec, nodeSelector: { a: "b" } } }], 1))).toEqual(["p"]);
    expect(namesOf(queue.select([pod], 1))).toEqual([]);
    queue.forget(pod);
    expect(namesOf(queue.select([pod], 1))).toEqual(["p"]);
  });
});

describe("helpful events", () => {
  const placed = aPod({ nodeName: "a" });
  const event = (object: typeof placed, previous: typeof placed) =>
    ({ type: "updated", key: "k", object, previous }) as const;

  it("are pods that come, go or end, and nothing that pending pods write about themselves", () => {
    expect(isHelpfulPodEvent({ type: "deleted", key: "k", object: placed })).toBe(true);
    expect(isHelpfulPodEvent(event({ ...placed, status: { phase: "Succeeded" } }, placed))).toBe(true);
    expect(isHelpfulPodEvent(event({ ...placed, status: { phase: "Running" } }, placed))).toBe(false);
    expect(isHelpfulPodEvent(event({ ...aPod(), status: { phase: "Pending" } }, aPod()))).toBe(false);
  });

  it("are nodes that offer something else, and no heartbeats", () => {
    const beat = {
      ...aNode("a"),
      metadata: { name: "a", resourceVersion: "2", labels: aNode("a").metadata.labels ?? {} },
    };
    expect(isHelpfulNodeEvent({ type: "updated", key: "a", object: beat, previous: aNode("a") })).toBe(false);
    const ready = { type: "updated", key: "a", object: aNode("a"), previous: aNode("a", { ready: false }) } as const;
    expect(isHelpfulNodeEvent(ready)).toBe(true);
  });
});
