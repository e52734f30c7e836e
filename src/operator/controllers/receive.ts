/**
 * Stages 4 and 5, Executed and Committed. A worker's signed receipt is checked for what can be known here (who signed, for
 * which attempt, of which model, over which output) and written before it is acknowledged. Whether it is right is for the
 * panel to say.
 */
import { digestToBytes32, parseDigest } from "../../base/digest.ts";
import { describeError, InferiumError } from "../../base/errors.ts";
import { readInline } from "../../pool/inline-tensors.ts";
import type { ReceiptOutcome, ReceiptRequest, ReceiptResponse } from "../../pool/wire.ts";
import type { InlineTensors } from "../../pool/work-assignment.ts";
import { hashWindow } from "../../protocol/call-window.ts";
import { commitTask, type TaskOutput, type TaskReceipt, validateTask } from "../../protocol/lifecycle.ts";
import { stageOf } from "../../protocol/task-stage.ts";
import { digestTensors } from "../../protocol/tensors/canonical.ts";
import {
  computeTaskId,
  hashMessage,
  type ProtocolDomain,
  receiptTypes,
  recoverDigestSigner,
} from "../../protocol/typed-data.ts";
import type { EndAttempt } from "../attempt-end.ts";
import type { TaskEntry, TaskLedger } from "../ledger.ts";
import type { OutputCache } from "../output-cache.ts";
import { toStatement } from "../task-inputs.ts";

export interface ReceiveOptions {
  readonly ledger: TaskLedger;
  readonly domain: ProtocolDomain;
  readonly outputs: OutputCache;
  readonly endAttempt: EndAttempt;
}

type Completed = Extract<ReceiptOutcome, { kind: "Completed" }>;
type Failed = Extract<ReceiptOutcome, { kind: "Failed" }>;

/** @param account checksummed address of the caller */
export type ReceiveReceipt = (account: string, request: ReceiptRequest) => Promise<ReceiptResponse>;

export function createReceive(options: ReceiveOptions): ReceiveReceipt {
  return async (account, { namespace, task, outcome }) => {
    const entry = options.ledger.get(`${namespace}/${task}`);
    const attempt = outcome.kind === "Completed" ? outcome.receipt.message : outcome;
    // The id is of the object's uid: a task of the same name that was made later is another one.
    if (!entry || computeTaskId(entry.uid) !== attempt.taskId) return { status: "Superseded" };
    if (outcome.kind === "Completed") return complete(options, entry, { account, outcome });
    return fail(options, entry, { account, outcome });
  };
}

async function complete(
  options: ReceiveOptions,
  entry: TaskEntry,
  { account, outcome }: { account: string; outcome: Completed },
): Promise<ReceiptResponse> {
  const receipt = checkReceipt(options.domain, entry, { account, outcome });
  const isUnchecked = entry.task.spec.verification.policy === "None";
  if (isUnchecked) checkServed(options.domain, entry, receipt.message);
  const known = entry.status.receipt;
  if (known?.digest === receipt.digest) return { status: "Duplicate" };
  if (!isRunningFor(entry, account, receipt.message.attempt)) return { status: "Superseded" };
  const { message } = receipt;
  const digest = `sha256:${message.outputDigest.slice(2)}`;
  const output: TaskOutput = {
    digest,
    items: outcome.items,
    inline: outcome.output as NonNullable<TaskOutput["inline"]>,
  };
  let isRecorded = false;
  await options.ledger.change(entry.key, {
    uid: entry.uid,
    stage: "committed",
    durable: true,
    decide: (status, context) => {
      isRecorded = stageOf(status) === "Run" && status.assignment?.attempt === message.attempt;
      if (!isRecorded) return undefined;
      const committed = commitTask(status, { receipt, output }, context);
      if (!isUnchecked) return committed;
      const notProven = listNotProven(entry);
      return validateTask(committed, { result: "Unverified", policy: "None", notProven }, context);
    },
  });
  if (isRecorded) options.outputs.keep(`${entry.uid}/${message.attempt}`, outcome.output);
  return { status: isRecorded ? "Recorded" : "Superseded" };
}

const nothingProven = "That the output is the model's output for the input: nobody computed it again.";
const callsNotProven =
  "That callers were given the model's answers: calls were not run again. Checked are their number, price, order and budget, the drawn calls' place under the root, and the host's signature for the window.";

function listNotProven({ task }: TaskEntry): string[] {
  return [task.spec.calls === undefined ? nothingProven : callsNotProven];
}

/** No panel will look at a window that nobody runs again: what its receipt must name is checked here. @throws InferiumError InvalidReceipt */
function checkServed(domain: ProtocolDomain, { task }: TaskEntry, message: Completed["receipt"]["message"]): void {
  const { calls } = task.spec;
  if (calls === undefined) return;
  const window = hashWindow(domain, toStatement(calls));
  if (message.codeDigest !== window) throw invalid(`is about window ${message.codeDigest}`, window);
  const given = digestToBytes32(digestTensors(readInline(calls.output as InlineTensors)));
  if (message.outputDigest !== given) throw invalid(`is for answers ${message.outputDigest}`, `${given}, as given`);
}

async function fail(
  options: ReceiveOptions,
  entry: TaskEntry,
  { account, outcome }: { account: string; outcome: Failed },
): Promise<ReceiptResponse> {
  const { attempt, reason, message, retryable } = outcome;
  if (!isRunningFor(entry, account, attempt)) {
    const isKnown = entry.status.attempts?.some((ended) => ended.attempt === attempt && ended.outcome === "Failed");
    return { status: isKnown ? "Duplicate" : "Superseded" };
  }
  await options.endAttempt(entry, { attempt, outcome: "Failed", reason, message, isFinal: !retryable, durable: true });
  return { status: "Recorded" };
}

function isRunningFor(entry: TaskEntry, account: string, attempt: number): boolean {
  const { assignment } = entry.status;
  return stageOf(entry.status) === "Run" && assignment?.attempt === attempt && assignment.address === account;
}

/** @throws InferiumError InvalidReceipt, with what was got and expected */
function checkReceipt(
  domain: ProtocolDomain,
  entry: TaskEntry,
  { account, outcome }: { account: string; outcome: Completed },
): TaskReceipt {
  const { message, signature } = outcome.receipt;
  if (message.worker !== account) throw invalid(`names worker ${message.worker}`, account);
  const model = digestToBytes32(parseDigest(entry.task.spec.model.digest));
  if (message.modelDigest !== model) throw invalid(`names model ${message.modelDigest}`, model);
  if (message.endedAtMs < message.startedAtMs)
    throw invalid(`ends at ${message.endedAtMs}`, `at least ${message.startedAtMs}`);
  const output = digestToBytes32(digestTensors(readInline(outcome.output)));
  if (message.outputDigest !== output)
    throw invalid(`names output ${message.outputDigest}`, `${output}, which came with it`);
  const digest = hashOrRefuse(domain, message);
  const signer = recoverDigestSigner(digest, signature);
  if (signer !== account) throw invalid(`is signed by ${signer ?? "nobody"}`, account);
  return { message: { ...message }, signature, digest };
}

function hashOrRefuse(domain: ProtocolDomain, message: Completed["receipt"]["message"]): string {
  try {
    return hashMessage(domain, receiptTypes, message);
  } catch (cause) {
    const text = `The receipt cannot be hashed (${describeError(cause)}); expected fields that fit their types.`;
    throw new InferiumError("InvalidReceipt", text, { cause });
  }
}

function invalid(got: string, expected: string): InferiumError {
  return new InferiumError("InvalidReceipt", `The receipt ${got}; expected ${expected}.`);
}
