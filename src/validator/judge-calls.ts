/**
 * What is judged of a window of an agent's calls beside the re-execution of those that were drawn: that the host signed for
 * this window, and that what it signed is what the callers got. A host is rejected only by its own signed words: the root in
 * its receipt against the outputs in its receipt. A window that does not hold together may be the pool's doing. Pure.
 */
import { digestToBytes32 } from "../base/digest.ts";
import type { JudgeItem } from "../pool/duty.ts";
import { readInline } from "../pool/inline-tensors.ts";
import type { ServedCalls } from "../pool/work-assignment.ts";
import { checkOpened, checkStatement, findChanged, hashWindow, listAnswered } from "../protocol/call-window.ts";
import { digestTensors } from "../protocol/tensors/canonical.ts";
import type { ProtocolDomain } from "../protocol/typed-data.ts";
import { abstain, type DecidedVote } from "../protocol/verdict/cast-vote.ts";

type Calls = Omit<ServedCalls, "output">;

/** Why the window is no evidence against or for its host, or undefined where it is. @throws InferiumError InvalidCall */
export function checkCalls(domain: ProtocolDomain, calls: Calls, { receipt, input }: JudgeItem): string | undefined {
  if (calls.content === "Digests") return "of the calls only the digests are known: nobody can run them again";
  const wrong = checkStatement(calls.statement) ?? checkOpened(calls.statement, calls.opened);
  if (wrong !== undefined) return `the window does not hold: ${wrong}`;
  if (listAnswered(calls.opened).length !== input.calls)
    return "the task's input is of other calls than the drawn ones";
  const window = hashWindow(domain, calls.statement);
  if (window === receipt.message.codeDigest) return undefined;
  return `the pool names window ${window}; the receipt is about ${receipt.message.codeDigest}`;
}

/**
 * The vote on what was served, after the re-execution was found right.
 * @throws InferiumError where input or output are no tensors
 */
export function judgeServed(calls: Calls, item: JudgeItem, accepted: DecidedVote): DecidedVote {
  const { input, output, receipt } = item;
  if (input.inline === undefined || output === undefined) return abstain("calls come with their tensors; they did not");
  const answered = listAnswered(calls.opened);
  const reject = (reason: string): DecidedVote => ({ vote: "Reject", outputDigest: accepted.outputDigest, reason });
  const asked = findChanged(answered, readInline(input.inline), { side: "inputDigest" });
  if (asked) return reject(`call ${asked.index} had input ${asked.expected}; the receipt is about ${asked.got}`);
  const outputs = readInline(output);
  const digest = digestToBytes32(digestTensors(outputs));
  if (digest !== receipt.message.outputDigest)
    return abstain(`the output handed on has digest ${digest}; the receipt names ${receipt.message.outputDigest}`);
  const given = findChanged(answered, outputs, { side: "outputDigest" });
  if (given === undefined) return accepted;
  return reject(`the caller of call ${given.index} was given ${given.expected}; the host signed ${given.got}`);
}
