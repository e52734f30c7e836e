/** The pool at a glance: tasks by phase, and each member with what it does now and what it did before. Pure. */
import { isConditionTrue } from "../api/v1alpha1/conditions.ts";
import type { InferenceTask, WorkerNode } from "../api/v1alpha1/types.ts";
import { compareTiers } from "../protocol/tier.ts";
import { formatTable } from "./table.ts";
import { phaseOf } from "./task-summary.ts";

export interface PoolView {
  readonly tasks: { readonly total: number; readonly byPhase: Readonly<Record<string, number>> };
  readonly members: readonly MemberView[];
}

export interface MemberView {
  readonly name: string;
  readonly role: string;
  readonly tier: string;
  readonly level: string;
  readonly hardware: string;
  readonly ready: boolean;
  readonly bond: string;
  readonly active: number;
  readonly slots: number;
  /** Expected success between 0 and 1; absent before the first task. */
  readonly score?: string;
  readonly completed: number;
  readonly failed: number;
  readonly rejected: number;
}

/** In the order in which a task goes through them. */
const phases = ["Pending", "Queued", "Assigned", "Validating", "Settling", "Succeeded", "Failed", "Rejected"] as const;

export function viewPool(tasks: readonly InferenceTask[], workerNodes: readonly WorkerNode[]): PoolView {
  const counts = phases.map((phase) => [phase, tasks.filter((task) => phaseOf(task) === phase).length] as const);
  return {
    tasks: { total: tasks.length, byPhase: Object.fromEntries(counts.filter(([, count]) => count > 0)) },
    members: workerNodes.toSorted(byRoleTierName).map(viewMember),
  };
}

/** Validators last, then the highest tier first. */
function byRoleTierName(a: WorkerNode, b: WorkerNode): number {
  const roles = Number(a.spec.role === "Validator") - Number(b.spec.role === "Validator");
  const tiers = compareTiers(tierOf(b.status) ?? "Low", tierOf(a.status) ?? "Low");
  return roles || tiers || (a.metadata.name < b.metadata.name ? -1 : 1);
}

/** What it is matched by; before the operator has said so, what its agent found. */
function tierOf(status: WorkerNode["status"]) {
  return status?.proven ? status.proven.tier : status?.tier;
}

function viewMember({ metadata, spec, status }: WorkerNode): MemberView {
  const { completed = 0, failed = 0, rejected = 0, score } = status?.reputation ?? {};
  return {
    name: metadata.name,
    role: spec.role,
    tier: tierOf(status) ?? (status?.proven ? "None" : "Unknown"),
    level: status?.proven?.level ?? status?.capability?.level ?? "Unknown",
    hardware: status?.hardware?.summary ?? "not read yet",
    ready: isConditionTrue(status?.conditions, "Ready") && !spec.cordoned,
    bond: status?.bond?.state ?? "None",
    active: status?.active ?? 0,
    slots: spec.slots,
    ...(score === undefined ? {} : { score }),
    completed,
    failed,
    rejected,
  };
}

export function formatPool({ tasks, members }: PoolView): string[] {
  const phaseCounts = Object.entries(tasks.byPhase).map(([phase, count]) => `${phase} ${count}`);
  const header = [
    "NAME",
    "ROLE",
    "TIER",
    "PROVEN",
    "READY",
    "BOND",
    "ACTIVE",
    "SCORE",
    "DONE",
    "FAILED",
    "REJECTED",
    "GPU",
  ];
  return [
    `Tasks: ${tasks.total}${phaseCounts.length === 0 ? "" : ` (${phaseCounts.join(", ")})`}`,
    "",
    ...(members.length === 0 ? ["No workers and no validators yet."] : formatTable(header, members.map(toRow))),
  ];
}

function toRow(member: MemberView): string[] {
  const { name, role, tier, level, ready, bond, active, slots, score, completed, failed, rejected, hardware } = member;
  const counts = [`${active}/${slots}`, score ?? "-", String(completed), String(failed), String(rejected)];
  return [name, role, tier, level, ready ? "yes" : "no", bond, ...counts, hardware];
}
