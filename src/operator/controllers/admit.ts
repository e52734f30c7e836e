/**
 * Stage 1, submitted -> Accepted. Gathers the task's order, asks the rules, and lets the task into the pool or says at once
 * why not. Admission itself costs no write: it is told with the assignment.
 */
import type { Clock } from "../../base/clock.ts";
import type { Reconcile } from "../../kube/controller.ts";
import { refuseTask } from "../../protocol/lifecycle.ts";
import { isSharded } from "../../protocol/shards/shard-task.ts";
import { type AdmissionRules, checkTask, type Refusal, rewardOf } from "../../protocol/task.ts";
import { stageOf } from "../../protocol/task-stage.ts";
import type { TaskEntry, TaskLedger } from "../ledger.ts";
import type { ModelCatalog } from "../models/model-catalog.ts";
import type { OrderBook } from "../order-book.ts";
import { otherOf } from "../shards/copies.ts";

export interface AdmitOptions {
  readonly ledger: TaskLedger;
  readonly orders: OrderBook;
  readonly rules: AdmissionRules;
  readonly catalog: Pick<ModelCatalog, "factsOf">;
  readonly clock: Clock;
  /** Whether a gateway committed to the window of calls that the task is to settle. */
  readonly isKnownWindow: (task: TaskEntry["task"]) => boolean;
  readonly onAdmitted: (key: string) => void;
}

/** A refusal that may pass is looked at again after so long. */
const lookAgainMs = 10_000;

export interface Admission {
  readonly reconcile: Reconcile;
  isAdmitted(uid: string): boolean;
  forget(uid: string): void;
}

export function createAdmission(options: AdmitOptions): Admission {
  const admitted = new Set<string>();
  const reconcile: Reconcile = async (key) => {
    const entry = options.ledger.get(key);
    if (!entry || stageOf(entry.status) !== "Wait") return undefined;
    if (!admitted.has(entry.uid)) {
      const refusal = await admit(options, entry);
      if (refusal) return refusal.retry ? { requeueAfterMs: lookAgainMs } : undefined;
      admitted.add(entry.uid);
    }
    options.onAdmitted(key);
    return undefined;
  };
  return { reconcile, isAdmitted: (uid) => admitted.has(uid), forget: (uid) => void admitted.delete(uid) };
}

async function admit(options: AdmitOptions, entry: TaskEntry): Promise<Refusal | undefined> {
  const { orders, rules, clock } = options;
  const order = rewardOf(entry.task.spec) > 0n ? await orders.find(entry.task) : undefined;
  // From here to the reservation nothing is awaited: two tasks cannot both take the last of an order.
  const other = otherOf(options.ledger, entry.task)?.uid ?? entry.uid;
  const reservedWei = order?.state === "Found" ? orders.reservedWei(order.order, entry.uid, other) : 0n;
  const { spec } = entry.task;
  const model = options.catalog.factsOf(entry.task.metadata.namespace ?? "", spec.model.digest);
  const refusal =
    spec.calls && !options.isKnownWindow(entry.task)
      ? unknownWindow
      : checkTask({ spec, rules, model, ...(order ? { order } : {}), reservedWei, nowMs: clock.now() });
  // Of a batch each shard takes its own part.
  if (!refusal && order?.state === "Found" && !isSharded(spec)) orders.reserve(order.order, entry.task);
  if (refusal) await refuse(options, entry, refusal);
  return refusal;
}

/** Else whoever may create tasks could have calls settled that nobody made, or spend a window before its own task. */
const unknownWindow: Refusal = {
  reason: "WindowUnknown",
  message: "spec.calls is of no window that a gateway committed to here; only the operator makes such tasks.",
  retry: false,
};

async function refuse({ ledger }: AdmitOptions, entry: TaskEntry, refusal: Refusal): Promise<void> {
  await ledger.change(entry.key, {
    uid: entry.uid,
    stage: "refused",
    durable: true,
    decide: (status, context) => {
      const known = status.conditions?.find(({ type }) => type === "Accepted");
      if (known?.status === "False" && known.reason === refusal.reason) return undefined;
      return stageOf(status) === "Wait" ? refuseTask(status, refusal, context) : undefined;
    },
  });
}
