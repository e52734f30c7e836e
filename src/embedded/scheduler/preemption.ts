/**
 * Which pods have to give way to one of higher priority: on each node where others are in the way, as few as will do,
 * those without a disruption budget's protection first; among nodes, the one where least is lost. Pure.
 */
import type { LabelSelector, Node, Pod } from "../kubelet/core-types.ts";
import { describeReasons } from "./decide-node.ts";
import { findRefusals } from "./filters.ts";
import { matchesLabelSelector } from "./label-match.ts";
import { buildClusterView, type NamespaceLabels, type PodsByNode } from "./view.ts";

export interface Budget {
  readonly namespace: string;
  readonly selector: LabelSelector | undefined;
  readonly disruptionsAllowed: number;
}

export interface PreemptionInput {
  readonly pod: Pod;
  readonly nodes: readonly Node[];
  /** Where another pod is in the way, out of `nodes`. */
  readonly candidates: readonly Node[];
  readonly podsByNode: PodsByNode;
  readonly budgets: readonly Budget[];
  readonly namespaceLabels: NamespaceLabels;
}

export type PreemptionDecision =
  | { readonly node: string; readonly victims: readonly Pod[] }
  /** Why nothing can be done, to be put behind the reasons of the filters. */
  | { readonly node: undefined; readonly message: string };

interface Option {
  readonly node: string;
  readonly victims: readonly Pod[];
  readonly violations: number;
}

/** Said before the outcome of preemption: of device claims, which no pod here has, there is nothing to take back. */
const prefix = "no new claims to deallocate, preemption:";
const notHelpful = "Preemption is not helpful for scheduling";
const noVictims = "No preemption victims found for incoming pod";

export function decidePreemption(input: PreemptionInput): PreemptionDecision {
  const { pod, nodes, candidates } = input;
  if (pod.spec.preemptionPolicy === "Never") {
    return { node: undefined, message: `${prefix} not eligible due to preemptionPolicy=Never.` };
  }
  if (isWaitingForVictims(input)) {
    const message = `${prefix} not eligible due to terminating pod on the nominated node.`;
    return { node: undefined, message };
  }
  const reasons = new Map<string, number>();
  const count = (reason: string, by = 1) => reasons.set(reason, (reasons.get(reason) ?? 0) + by);
  if (nodes.length > candidates.length) count(notHelpful, nodes.length - candidates.length);
  const options: Option[] = [];
  for (const node of candidates) {
    const found = findVictims(input, node);
    if (typeof found === "string") count(found);
    else options.push(found);
  }
  const [best] = options.sort(compareOptions);
  return best ?? { node: undefined, message: `${prefix} ${describeReasons(nodes.length, reasons)}` };
}

function priorityOf(pod: Pod): number {
  return pod.spec.priority ?? 0;
}

/** Once asked to go, the victims get their time: no others are taken meanwhile. */
function isWaitingForVictims({ pod, podsByNode }: PreemptionInput): boolean {
  const here = podsByNode.get(pod.status?.nominatedNodeName ?? "") ?? [];
  return here.some((other) => other.metadata.deletionTimestamp !== undefined && priorityOf(other) < priorityOf(pod));
}

/** First all of lower priority go; then each one comes back, the most important first, as long as the pod still fits. */
function findVictims(input: PreemptionInput, node: Node): Option | string {
  const { pod, podsByNode } = input;
  const { name } = node.metadata;
  const here = podsByNode.get(name) ?? [];
  const lower = here.filter((other) => priorityOf(other) < priorityOf(pod)).sort(compareImportance);
  if (lower.length === 0) return noVictims;
  let staying = here.filter((other) => !lower.includes(other));
  const fits = (pods: readonly Pod[]) => findRefusals(pod, node, viewWith(input, name, pods)).length === 0;
  const [refusal] = findRefusals(pod, node, viewWith(input, name, staying));
  if (refusal !== undefined) return refusal.reason;
  const { guarded, free } = splitByBudgets(lower, input.budgets);
  const victims: Pod[] = [];
  let violations = 0;
  for (const other of [...guarded, ...free]) {
    if (fits([...staying, other])) staying = [...staying, other];
    else {
      victims.push(other);
      if (guarded.includes(other)) violations += 1;
    }
  }
  return { node: name, victims: victims.sort(compareImportance), violations };
}

function viewWith(input: PreemptionInput, nodeName: string, pods: readonly Pod[]) {
  const podsByNode = new Map(input.podsByNode).set(nodeName, pods);
  return buildClusterView(input.nodes, podsByNode, input.namespaceLabels);
}

/** Higher priority first, then the longer running. */
function compareImportance(one: Pod, other: Pod): number {
  return priorityOf(other) - priorityOf(one) || (startOf(one) < startOf(other) ? -1 : 1);
}

function startOf(pod: Pod): string {
  return pod.status?.startTime ?? pod.metadata.creationTimestamp ?? "";
}

/** In the order of importance, each pod takes a disruption of its budgets; where none is left it is guarded. */
function splitByBudgets(pods: readonly Pod[], budgets: readonly Budget[]) {
  const left = budgets.map((budget) => budget.disruptionsAllowed);
  const guarded: Pod[] = [];
  const free: Pod[] = [];
  for (const pod of pods) {
    let isGuarded = false;
    for (const [index, budget] of budgets.entries()) {
      if (budget.namespace !== pod.metadata.namespace) continue;
      if (!matchesLabelSelector(budget.selector, pod.metadata.labels ?? {})) continue;
      left[index] = (left[index] ?? 0) - 1;
      if ((left[index] ?? 0) < 0) isGuarded = true;
    }
    (isGuarded ? guarded : free).push(pod);
  }
  return { guarded, free };
}

/** Fewest broken budgets, then the least important victims, then the fewest, then those that started last. */
function compareOptions(one: Option, other: Option): number {
  const highest = ({ victims }: Option) => Math.max(...victims.map(priorityOf), Number.MIN_SAFE_INTEGER);
  const sum = ({ victims }: Option) => victims.reduce((total, pod) => total + priorityOf(pod), 0);
  const latestStart = (one_: Option) => one_.victims.map(startOf).sort()[0] ?? "";
  return (
    one.violations - other.violations ||
    highest(one) - highest(other) ||
    sum(one) - sum(other) ||
    one.victims.length - other.victims.length ||
    compareText(latestStart(other), latestStart(one)) ||
    compareText(one.node, other.node)
  );
}

function compareText(one: string, other: string): number {
  return one === other ? 0 : one < other ? -1 : 1;
}
