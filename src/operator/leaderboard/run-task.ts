/** The tasks of a run as the operator makes and reads them. Effects: creates tasks, reads them whole. */
import { InferiumError } from "../../base/errors.ts";
import { isAlreadyExists } from "../../kube/api-error.ts";
import { readInline } from "../../pool/inline-tensors.ts";
import type { RunRef, TaskManifest } from "../../protocol/leaderboard/run-tasks.ts";
import type { NamedTensors } from "../../protocol/tensors/tensor.ts";
import { keepTask } from "../kept-task.ts";
import type { TaskObject } from "../kinds.ts";
import type { TaskEntry } from "../ledger.ts";
import { ownerOf } from "./leaderboard-index.ts";
import type { LeaderboardOptions, Trouble } from "./run-context.ts";

/** @throws InferiumError NameTaken */
export function findRunTask({ ledger }: LeaderboardOptions, run: RunRef, name: string): TaskEntry | undefined {
  const entry = ledger.get(`${run.leaderboard.metadata.namespace}/${name}`);
  if (entry) checkOwned(entry.task, run);
  return entry;
}

/** The ledger has it at once: the next look must not wait for the server's word to come back. @throws InferiumError NameTaken */
export async function createRunTask(options: LeaderboardOptions, run: RunRef, task: TaskManifest): Promise<void> {
  const { namespace, name } = task.metadata;
  // What a user sends lacks the fields that the server fills in.
  const create = () => options.tasks.create(task as TaskObject);
  const made = await create().catch((error: unknown) => {
    if (!isAlreadyExists(error)) throw error;
    return options.tasks.get({ namespace, name });
  });
  checkOwned(made, run);
  const key = `${namespace}/${name}`;
  options.ledger.observe({ type: "added", key, object: keepTask(made, key) });
}

function checkOwned(task: TaskObject, { leaderboard }: RunRef): void {
  if (ownerOf(task)?.uid === leaderboard.metadata.uid) return;
  const message = `The task ${task.metadata.name} exists and belongs to somebody else; delete it, or name the leaderboard otherwise.`;
  throw new InferiumError("NameTaken", message);
}

export function isSettled({ status }: TaskEntry): boolean {
  return status.phase === "Succeeded";
}

/** How a task ended that did not succeed. */
export function failureOf({ task, status }: TaskEntry): Trouble | undefined {
  if (status.phase !== "Failed" && status.phase !== "Rejected") return undefined;
  const ended = status.conditions?.find(({ type }) => type === "Stalled" || type === "Ready");
  const message = `Task ${task.metadata.name} ${status.phase === "Failed" ? "failed" : "was rejected"}: ${ended?.message ?? "no reason is known"}`;
  return { reason: `Task${status.phase}`, message: message.slice(0, 2_048) };
}

/** The ledger keeps no outputs. @throws InferiumError OutputNotInline; of tensors */
export async function readOutputs({ tasks }: LeaderboardOptions, { task, uid }: TaskEntry): Promise<NamedTensors> {
  const { namespace, name } = task.metadata;
  const whole = await tasks.get({ namespace, name });
  const inline = whole.metadata.uid === uid ? whole.status?.output?.inline : undefined;
  if (inline !== undefined) return readInline(inline);
  const message = `Task ${name} has no outputs in its status, which holds 64 KiB; give shards fewer rows.`;
  throw new InferiumError("OutputNotInline", message);
}
