/**
 * A Model's status from one step to the next, with all its conditions. Called by the operator, which writes what comes out. Pure:
 * time comes in as RFC 3339 text.
 */
import { type Condition, setCondition } from "../../api/v1alpha1/conditions.ts";
import type { ModelStatus } from "../../api/v1alpha1/generated/models.ts";
import type { Because } from "../status-change.ts";
import type { CalibratedPair } from "./calibrate.ts";
import { type ModelFindings, policiesOf, summariseFindings } from "./findings.ts";

export interface ModelContext {
  readonly generation: number;
  readonly now: string;
}

export type ModelApproval = NonNullable<ModelStatus["approval"]>;

export interface FoundModel {
  readonly findings: ModelFindings;
  readonly approval: ModelApproval;
  readonly calibration?: readonly CalibratedPair[];
}

const order = ["Scanned", "Approved", "Calibrated", "Ready", "Reconciling", "Stalled"] as const;
type ModelCondition = (typeof order)[number];
type Parts = readonly [status: Condition["status"], reason: string, message: string];

/** Validators were asked. What was found before stands until something else is. */
export function checkingModel(status: ModelStatus, because: Because, context: ModelContext): ModelStatus {
  const { reason, message } = because;
  const isFirst = !status.conditions?.some(({ type }) => type === "Approved");
  const unknown = ["Unknown", reason, message] as const;
  return build(status, context, {
    ...(isFirst ? { Scanned: unknown, Approved: unknown, Ready: ["False", reason, message] } : {}),
    Reconciling: ["True", reason, message],
    Stalled: nothingInTheWay(reason),
  });
}

/** A quorum found the same. */
export function foundModel(
  status: ModelStatus,
  { findings, approval, calibration = [] }: FoundModel,
  context: ModelContext,
): ModelStatus {
  const { retryAt: _, attempts: __, ...rest } = status;
  const isProvable = (status.circuits ?? []).length > 0;
  const pairs = calibration.map((pair) => ({ ...pair }));
  const found = {
    findings,
    approval,
    calibration: pairs,
    policies: policiesOf(findings, isProvable),
    summary: summariseFindings(findings),
  };
  const said = `${approval.validators.length} validators found the same.`;
  const scanned = ["True", "Scanned", said] as const;
  const [problem] = findings.problems;
  if (problem) {
    const { reason, message } = problem;
    return build({ ...rest, ...found }, context, {
      Scanned: scanned,
      Approved: ["False", reason, message],
      Ready: ["False", reason, message],
      Reconciling: ["False", reason, "Nothing is left to do."],
      Stalled: ["True", reason, message],
    });
  }
  const approved = ["True", "QuorumApproved", `${said} It is fit for ${found.policies.join(", ")}.`] as const;
  return build({ ...rest, ...found }, context, {
    Scanned: scanned,
    Approved: approved,
    Calibrated: judgeCalibration(calibration),
    Ready: approved,
    Reconciling: ["False", "QuorumApproved", "Nothing is left to do."],
    Stalled: nothingInTheWay("QuorumApproved"),
  });
}

function judgeCalibration(pairs: readonly CalibratedPair[]): Parts {
  if (pairs.length === 0) {
    const message =
      "No two validators could run it on the same inputs: results out of tolerance are never slashed. Give spec.sample.";
    return ["False", "NotCalibrated", message];
  }
  return ["True", "Calibrated", `It is known how far ${pairs.length} pairs of runtimes differ on it.`];
}

/** What the chain has of it, which only grows; the same status where it is known already. */
export function provableModel(status: ModelStatus, circuits: NonNullable<ModelStatus["circuits"]>): ModelStatus {
  if (circuits.length <= (status.circuits?.length ?? 0)) return status;
  const { findings } = status;
  return { ...status, circuits, ...(findings ? { policies: policiesOf(findings, circuits.length > 0) } : {}) };
}

/** No quorum: it is tried again. An approval that still holds stands. */
export function unsettledModel(
  status: ModelStatus,
  { reason, message, retryAt, attempts }: Because & { retryAt: string; attempts: number },
  context: ModelContext,
): ModelStatus {
  const unknown = ["Unknown", reason, message] as const;
  const isCurrent = status.approval?.generation === context.generation && context.now < status.approval.expiresAt;
  return build({ ...status, retryAt, attempts }, context, {
    ...(isCurrent ? {} : { Scanned: unknown, Approved: unknown, Ready: ["False", reason, message] }),
    Reconciling: ["True", reason, message],
    Stalled: nothingInTheWay(reason),
  });
}

/** Nobody has checked it again in time. */
export function expiredModel(status: ModelStatus, context: ModelContext): ModelStatus {
  const message = `The approval held until ${status.approval?.expiresAt ?? "now"}; validators are to look again.`;
  const parts = ["False", "ApprovalExpired", message] as const;
  return build(status, context, { Approved: parts, Ready: parts, Reconciling: ["True", "ApprovalExpired", message] });
}

function nothingInTheWay(reason: string): Parts {
  return ["False", reason, "Nothing is in the way."];
}

function build(
  status: ModelStatus,
  context: ModelContext,
  changes: Partial<Record<ModelCondition, Parts>>,
): ModelStatus {
  let conditions = status.conditions ?? [];
  for (const type of order) {
    const [state, reason, message] = changes[type] ?? [];
    if (state === undefined || reason === undefined || message === undefined) continue;
    const change = { type, status: state, reason, message, observedGeneration: context.generation };
    conditions = setCondition(conditions, change, context.now);
  }
  const positions: readonly string[] = order;
  conditions = [...conditions].sort((a, b) => positions.indexOf(a.type) - positions.indexOf(b.type));
  return { ...status, observedGeneration: context.generation, conditions };
}
