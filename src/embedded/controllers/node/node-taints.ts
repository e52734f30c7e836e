/** The taints that a node's conditions call for; taints of others stay. Pure. */
import type { Node, Taint } from "../../kubelet/core-types.ts";
import { findCondition } from "../conditions.ts";
import { formatTime } from "../times.ts";

const notReady = "node.kubernetes.io/not-ready";
const unreachable = "node.kubernetes.io/unreachable";
const pressures: Readonly<Record<string, string>> = {
  MemoryPressure: "node.kubernetes.io/memory-pressure",
  DiskPressure: "node.kubernetes.io/disk-pressure",
  PIDPressure: "node.kubernetes.io/pid-pressure",
  NetworkUnavailable: "node.kubernetes.io/network-unavailable",
};
const unschedulable = "node.kubernetes.io/unschedulable";
const managed = new Set([notReady, unreachable, unschedulable, ...Object.values(pressures)]);

/** `undefined` when the node has them already. */
export function computeTaints(node: Node, nowMs: number): readonly Taint[] | undefined {
  const existing = node.spec?.taints ?? [];
  const wanted = wantedTaints(node);
  const same = (one: Taint, other: Taint) => one.key === other.key && one.effect === other.effect;
  const kept = existing.filter((taint) => !isManaged(taint) || wanted.some((one) => same(one, taint)));
  const added = wanted.filter((taint) => !existing.some((one) => same(one, taint)));
  if (added.length === 0 && kept.length === existing.length) return undefined;
  const timeAdded = formatTime(nowMs);
  return [...kept, ...added.map((taint) => ({ ...taint, timeAdded }))];
}

/** A person's own NoExecute taint under one of these keys is theirs only where no condition speaks of it. */
function isManaged({ key, effect }: Taint): boolean {
  return managed.has(key) && (effect === "NoSchedule" || key === notReady || key === unreachable);
}

function wantedTaints(node: Node): readonly Taint[] {
  const { conditions } = node.status ?? {};
  const wanted: Taint[] = [];
  const ready = findCondition(conditions, "Ready");
  // A node that has said nothing yet is not ready.
  const key = ready === undefined || ready.status === "False" ? notReady : unreachable;
  if (ready?.status !== "True") wanted.push({ key, effect: "NoSchedule" });
  if (ready !== undefined && ready.status !== "True") wanted.push({ key, effect: "NoExecute" });
  for (const [type, taint] of Object.entries(pressures)) {
    if (findCondition(conditions, type)?.status === "True") wanted.push({ key: taint, effect: "NoSchedule" });
  }
  if (node.spec?.unschedulable === true) wanted.push({ key: unschedulable, effect: "NoSchedule" });
  return wanted;
}
