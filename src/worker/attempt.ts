/**
 * Stage 4 for one assignment: execute within the deadline, then an outcome for the pool: a signed receipt with the
 * outputs, or why there is none. No effects but the execution and the record of what was signed.
 */
import type { Clock } from "../base/clock.ts";
import { InferiumError } from "../base/errors.ts";
import type { Execution, Executor } from "../inference/execute.ts";
import { toExecutionRequest } from "../pool/execution-request.ts";
import { writeInline } from "../pool/inline-tensors.ts";
import type { ProtocolSigner } from "../pool/signer.ts";
import type { ReceiptOutcome } from "../pool/wire.ts";
import type { WorkAssignment } from "../pool/work-assignment.ts";
import type { ProtocolDomain } from "../protocol/typed-data.ts";
import { classifyFailure } from "./classify-failure.ts";
import { type Confirmed, confirmServed } from "./confirm-served.ts";
import { buildReceipt, signReceipt } from "./receipt.ts";
import type { SignedAttempts } from "./signed-attempts.ts";

export type Execute = Executor["execute"];

/** Runs a task of mode Pod. */
export type RunInPods = (assignment: WorkAssignment, signal: AbortSignal) => Promise<Execution>;

export interface AttemptContext {
  readonly execute: Execute;
  /** Of a launcher. */
  readonly runInPods?: RunInPods | undefined;
  readonly signer: ProtocolSigner;
  readonly domain: ProtocolDomain;
  readonly imageDigest: string;
  readonly codeDigest: string;
  readonly signed: SignedAttempts;
  readonly clock: Clock;
}

/** Never rejects: whatever goes wrong is the outcome. @param signal aborted with an InferiumError that says why */
export async function runAttempt(
  context: AttemptContext,
  assignment: WorkAssignment,
  signal: AbortSignal,
): Promise<ReceiptOutcome> {
  const { taskId, attempt } = assignment;
  try {
    if (context.signed.has(taskId, attempt)) throw alreadySigned(attempt);
    return await complete(context, assignment, signal);
  } catch (error) {
    return { kind: "Failed", taskId, attempt, ...classifyFailure(error) };
  }
}

async function complete(
  context: AttemptContext,
  assignment: WorkAssignment,
  signal: AbortSignal,
): Promise<ReceiptOutcome> {
  const { clock, signer, domain } = context;
  const startedAtMs = clock.now();
  const began = clock.monotonic();
  const isServed = assignment.calls !== undefined && assignment.verification.policy === "None";
  const own = isServed ? undefined : await executeInTime(context, assignment, signal);
  // By the clock that never jumps: a receipt that ends before it starts is refused.
  const endedAtMs = startedAtMs + Math.round(clock.monotonic() - began);
  const { execution, ...facts } = vouch(context, assignment, { own, startedAtMs, endedAtMs });
  // Before the signature: a receipt whose outputs cannot be shown is worth nothing.
  const output = writeInline(execution.outputs);
  const { imageDigest } = context;
  const message = buildReceipt(assignment, execution, { worker: signer.address, imageDigest, ...facts });
  if (!(await context.signed.add(assignment.taskId, assignment.attempt))) throw alreadySigned(assignment.attempt);
  return { kind: "Completed", receipt: await signReceipt(message, signer, domain), output, items: execution.items };
}

type Times = Pick<Confirmed, "startedAtMs" | "endedAtMs">;

/** What the receipt is about: what was just run, or calls that were served before. */
function vouch(
  { codeDigest, domain }: AttemptContext,
  assignment: WorkAssignment,
  { own, ...times }: Times & { readonly own: Execution | undefined },
): Confirmed {
  const { calls } = assignment;
  if (calls !== undefined) return confirmServed(domain, assignment, { calls, own });
  if (own === undefined) throw new TypeError("a task that is no window of calls was not run");
  return { execution: own, codeDigest, ...times };
}

/** Who has signed that it answers by the deadline needs some time to hand the work back. */
const maxMarginMs = 2_000;

async function executeInTime(
  context: AttemptContext,
  assignment: WorkAssignment,
  signal: AbortSignal,
): Promise<Execution> {
  const { clock } = context;
  const { deadlineMs } = assignment;
  const leftMs = deadlineMs - clock.now();
  const boundMs = leftMs - Math.min(maxMarginMs, leftMs / 10);
  if (leftMs <= 0) throw timeout("The task's deadline had passed before it began.");
  const bounded = new AbortController();
  const onAbort = () => bounded.abort(signal.reason);
  if (signal.aborted) onAbort();
  signal.addEventListener("abort", onAbort, { once: true });
  // A timer of more than 2^31 ms would fire at once.
  const timer = setTimeout(
    () => bounded.abort(timeout(`The task ran for ${Math.round(boundMs)} ms, up to its deadline.`)),
    Math.min(boundMs, 2 ** 31 - 1),
  );
  try {
    bounded.signal.throwIfAborted();
    return await run(context, assignment, bounded.signal);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", onAbort);
  }
}

function run({ execute, runInPods }: AttemptContext, assignment: WorkAssignment, signal: AbortSignal) {
  const { pod, model, input } = assignment;
  if (pod === undefined) return execute(toExecutionRequest(model, input), signal);
  if (runInPods) return runInPods(assignment, signal);
  const message = "The task runs in pods, and this worker makes none; set INFERIUM_EXECUTOR=pod, or mode Pooled.";
  throw new InferiumError("NoLauncher", message);
}

function timeout(message: string): InferiumError {
  return new InferiumError("Timeout", message, { disposition: "retry" });
}

function alreadySigned(attempt: number): InferiumError {
  const message = `A receipt for attempt ${attempt} was signed before; a second one would contradict it.`;
  return new InferiumError("AlreadySigned", message);
}
