/**
 * Cleans up: finished tasks whose time to live is over, and Validations whose tasks have long been settled. Deletes nothing
 * that something else still rests on.
 */
import { isConditionTrue } from "../../api/v1alpha1/conditions.ts";
import type { Clock } from "../../base/clock.ts";
import { isNotFound } from "../../kube/api-error.ts";
import type { KubeClient } from "../../kube/client.ts";
import type { Reconcile } from "../../kube/controller.ts";
import { stageOf } from "../../protocol/task-stage.ts";
import type { TaskObject, ValidationObject } from "../kinds.ts";
import type { TaskLedger } from "../ledger.ts";
import { isDecided, type ValidationIndex } from "../validation-index.ts";

/** A timer holds no more than 31 bits. */
const maxDelayMs = 2 ** 31 - 1;
/** What still rests on something is looked at again after so long. */
const lookAgainMs = 60_000;

export interface RetireTasksOptions {
  readonly ledger: TaskLedger;
  readonly client: KubeClient<TaskObject>;
  readonly clock: Clock;
}

export function createRetireTasks({ ledger, client, clock }: RetireTasksOptions): Reconcile {
  return async (key) => {
    const entry = ledger.get(key);
    const ttl = entry?.task.spec.ttlSecondsAfterFinished;
    if (!entry || ttl === undefined || stageOf(entry.status) !== "Done") return undefined;
    const finished = entry.status.conditions?.find(
      ({ type, status }) => (type === "Ready" || type === "Stalled") && status === "True",
    );
    const leftMs = Date.parse(finished?.lastTransitionTime ?? "") + ttl * 1_000 - clock.now();
    if (leftMs > 0) return { requeueAfterMs: Math.min(leftMs, maxDelayMs) };
    // A jury could not run it again.
    if (isConditionTrue(entry.status.conditions, "Disputed")) return { requeueAfterMs: lookAgainMs };
    const { namespace, name } = entry.task.metadata;
    await client
      .delete({ namespace, name }, { preconditions: { uid: entry.uid }, propagation: "Background" })
      .catch(ignoreGone);
    return undefined;
  };
}

export interface RetireValidationsOptions {
  readonly ledger: TaskLedger;
  readonly index: ValidationIndex;
  readonly client: KubeClient<ValidationObject>;
  readonly clock: Clock;
  readonly keepMs: number;
}

export function createRetireValidations(options: RetireValidationsOptions): Reconcile {
  return async (key) => {
    const validation = options.index.get(key);
    if (!validation || !isDecided(validation)) return undefined;
    const decidedAt = validation.status?.conditions?.find(({ type }) => type === "Ready")?.lastTransitionTime;
    const leftMs = Date.parse(decidedAt ?? "") + options.keepMs - options.clock.now();
    if (leftMs > 0) return { requeueAfterMs: Math.min(leftMs, maxDelayMs) };
    if (!isFinished(options, validation)) return { requeueAfterMs: lookAgainMs };
    const { namespace, name, uid = "" } = validation.metadata;
    await options.client.delete({ namespace, name }, { preconditions: { uid } }).catch(ignoreGone);
    return undefined;
  };
}

/** Every task is gone, over, or durably past the attempt that was judged here. */
function isFinished({ ledger }: RetireValidationsOptions, { metadata, spec }: ValidationObject): boolean {
  return spec.receipts.every(({ task, uid, attempt }) => {
    const entry = ledger.get(`${metadata.namespace}/${task}`);
    if (entry?.uid !== uid || stageOf(entry.status) === "Done") return true;
    return (entry.task.status?.attempts ?? []).some((ended) => ended.attempt === attempt);
  });
}

function ignoreGone(error: unknown): void {
  if (!isNotFound(error)) throw error;
}
