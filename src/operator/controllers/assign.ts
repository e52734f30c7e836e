/**
 * Stage 3, matched -> Assigned. Turns a task that was taken for a worker into an assignment: the input is found, the claim
 * is written, and only then is it answered. What cannot be assigned goes back to the pool.
 */
import type { Clock } from "../../base/clock.ts";
import { describeError, InferiumError } from "../../base/errors.ts";
import type { Logger } from "../../base/log.ts";
import type { WorkAssignment } from "../../pool/work-assignment.ts";
import { nextAttempt } from "../../protocol/attempts.ts";
import { assignTask } from "../../protocol/lifecycle.ts";
import { stageOf } from "../../protocol/task-stage.ts";
import { computeTaskId } from "../../protocol/typed-data.ts";
import type { TaskEntry, TaskLedger } from "../ledger.ts";
import { podOf, trainingOf } from "../pod-terms.ts";
import type { TellTask } from "../task-events.ts";
import { type InputSources, isInputUnavailable, policyOf, resolveInput } from "../task-inputs.ts";
import { tellHold } from "./hold.ts";

export interface AssignOptions {
  readonly ledger: TaskLedger;
  readonly inputs: InputSources;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly tell: TellTask;
  /** Throws where the task's order is no longer good: work that begins now would not be paid. */
  readonly checkOrder: (entry: TaskEntry) => Promise<void>;
  /** The task was not assigned after all. */
  readonly putBack: (key: string, error: unknown) => void;
}

export interface Assignee {
  readonly name: string;
  readonly address: string;
}

export type AssignTask = (key: string, worker: Assignee) => Promise<WorkAssignment | undefined>;

export function createAssign(options: AssignOptions): AssignTask {
  return async (key, worker) => {
    try {
      return await assign(options, key, worker);
    } catch (error) {
      options.logger.warn("task was not assigned", { task: key, worker: worker.name, error: describeError(error) });
      await tellUnavailable(options, key, error);
      options.putBack(key, error);
      return undefined;
    }
  };
}

/** The worker can do nothing about a missing input, its author can. */
async function tellUnavailable({ ledger, logger }: AssignOptions, key: string, error: unknown): Promise<void> {
  const entry = ledger.get(key);
  if (!entry || !isInputUnavailable(error)) return;
  try {
    await tellHold(ledger, entry, {
      reason: "InputUnavailable",
      message: error.message,
      isFinal: false,
    });
  } catch (failure) {
    logger.warn("why a task was not assigned could not be told", { task: key, error: describeError(failure) });
  }
}

async function assign(options: AssignOptions, key: string, worker: Assignee): Promise<WorkAssignment> {
  const entry = options.ledger.get(key);
  if (!entry) throw new InferiumError("TaskGone", `The task ${key} was deleted.`);
  await options.checkOrder(entry);
  const material = await resolveInput(options.inputs, entry.task);
  const nowMs = options.clock.now();
  const deadlineMs = Math.min(nowMs + entry.task.spec.timeoutSeconds * 1_000, deadlineOf(entry));
  const claim = { worker: worker.name, address: worker.address, claimedAt: iso(nowMs), deadline: iso(deadlineMs) };
  const written = await options.ledger.change(key, {
    uid: entry.uid,
    stage: "assigned",
    durable: true,
    decide: (status, context) => {
      if (stageOf(status) !== "Wait") throw new InferiumError("NotWaiting", `The task ${key} waits no more.`);
      return assignTask(status, { ...claim, attempt: nextAttempt(status) }, context);
    },
  });
  const attempt = written.status.assignment?.attempt ?? 1;
  options.tell(entry.task, "Assigned", `Attempt ${attempt} is on ${worker.name}.`);
  return buildAssignment(written, { attempt, deadlineMs, ...material });
}

function buildAssignment(
  { task, uid }: TaskEntry,
  parts: Pick<WorkAssignment, "attempt" | "deadlineMs" | "input" | "calls">,
): WorkAssignment {
  const { namespace = "", name } = task.metadata;
  const { uri, digest } = task.spec.model;
  const pod = podOf(task.spec);
  const training = trainingOf(task.spec);
  return {
    ...{ namespace, task: name, taskId: computeTaskId(uid), model: { uri, digest }, verification: policyOf(task) },
    ...parts,
    ...(pod ? { pod } : {}),
    ...(training ? { training } : {}),
  };
}

/** When the task as a whole must be validated, in milliseconds since the epoch. */
export function deadlineOf({ task }: Pick<TaskEntry, "task">): number {
  const { deadlineSeconds } = task.spec;
  if (deadlineSeconds === undefined) return Number.POSITIVE_INFINITY;
  return Date.parse(task.metadata.creationTimestamp ?? "") + deadlineSeconds * 1_000;
}

const iso = (epochMs: number) => new Date(epochMs).toISOString();
