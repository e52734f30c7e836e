/**
 * One receipt judged: the model and the input fetched and run here, never taken from the worker, then compared by the
 * task's policy. Effects: the execution.
 */
import { digestToBytes32 } from "../base/digest.ts";
import { describeError } from "../base/errors.ts";
import type { Executor } from "../inference/execute.ts";
import { formatRuntime } from "../inference/runtime.ts";
import type { JudgeItem } from "../pool/duty.ts";
import { toExecutionRequest } from "../pool/execution-request.ts";
import { readInline } from "../pool/inline-tensors.ts";
import { digestTensors } from "../protocol/tensors/canonical.ts";
import type { NamedTensors } from "../protocol/tensors/tensor.ts";
import type { ProtocolDomain } from "../protocol/typed-data.ts";
import {
  abstain,
  type DecidedVote,
  decideVote,
  type OwnResult,
  toComparePolicy,
} from "../protocol/verdict/cast-vote.ts";
import { spareUncalibrated } from "../protocol/verdict/spare-uncalibrated.ts";
import { checkReceipt } from "./check-receipt.ts";
import type { CheckTraining } from "./check-training.ts";
import { checkCalls, judgeServed } from "./judge-calls.ts";

export type Execute = Executor["execute"];

export interface JudgeContext {
  readonly execute: Execute;
  /** Left out: receipts of trainings cannot be judged. */
  readonly checkTraining?: CheckTraining | undefined;
  readonly domain: ProtocolDomain;
}

export type Judge = typeof judgeItem;

/** Never rejects: what cannot be judged is an Abstain with the reason. */
export async function judgeItem(context: JudgeContext, item: JudgeItem, signal: AbortSignal): Promise<DecidedVote> {
  const finding = checkReceipt(context.domain, item.receipt, item);
  if (finding !== undefined) return abstain(finding);
  try {
    const unproven = item.calls && checkCalls(context.domain, item.calls, item);
    if (unproven !== undefined) return abstain(unproven);
    return judgeAgainst(item, await computeOwnResult(context, item, signal));
  } catch (error) {
    return abstain(`cannot judge: ${describeError(error)}`);
  }
}

/** The vote that our own result leads to. @throws InferiumError where policy or tensors are malformed */
export function judgeAgainst(item: JudgeItem, own: OwnResult): DecidedVote {
  const policy = toComparePolicy(item.verification);
  const handedOn = policy.policy === "Tolerance" ? readHandedOn(item) : undefined;
  const { message } = item.receipt;
  const compared = decideVote({ policy, receipt: message, own, ...(handedOn && { handedOn }) });
  const decided = spare(item, own, { compared, handedOn: handedOn?.outputs });
  return item.calls && decided.vote === "Accept" ? judgeServed(item.calls, item, decided) : decided;
}

/** Where a Model tells how far runtimes differ on it, a difference of theirs is not the worker's fault. */
function spare(
  { calibration, receipt }: JudgeItem,
  own: OwnResult,
  { compared, handedOn }: { readonly compared: DecidedVote; readonly handedOn: NamedTensors | undefined },
): DecidedVote {
  if (calibration === undefined || own.state !== "Computed") return compared;
  // That it is about another model or input is no matter of numbers.
  const { message } = receipt;
  if (message.modelDigest !== own.modelDigest || message.inputDigest !== own.inputDigest) return compared;
  const runtimes = [message.runtime, own.runtime ?? "unknown"] as const;
  return spareUncalibrated(compared, { calibration, runtimes, handedOn, own: own.outputs });
}

/** Model and input fetched and run here; never rejects. */
export async function computeOwnResult(
  { execute, checkTraining }: Pick<JudgeContext, "execute" | "checkTraining">,
  item: JudgeItem,
  signal: AbortSignal,
): Promise<OwnResult> {
  const { model, input, training } = item;
  try {
    signal.throwIfAborted();
    if (training) return (await checkTraining?.({ ...item, training }, signal)) ?? unableToTrain;
    const result = await execute(toExecutionRequest(model, input), signal);
    return {
      state: "Computed",
      outputs: result.outputs,
      runtime: formatRuntime(result.runtime),
      modelDigest: digestToBytes32(result.modelDigest),
      inputDigest: digestToBytes32(result.inputDigest),
      outputDigest: digestToBytes32(result.outputDigest),
    };
  } catch (error) {
    return { state: "Unable", reason: `cannot re-execute: ${describeError(error)}` };
  }
}

const unableToTrain = { state: "Unable", reason: "trainings are not checked here" } as const;

/** @throws InferiumError where the tensors are malformed */
function readHandedOn({ output }: JudgeItem) {
  if (output === undefined) return undefined;
  const outputs = readInline(output);
  return { outputs, outputDigest: digestToBytes32(digestTensors(outputs)) };
}
