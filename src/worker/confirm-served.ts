/**
 * Before a host signs for a window of its agent's calls: it looks at what the pool says was served as a validator will, and
 * has run the drawn calls itself, unless the policy is that nobody does. A signature under another's mistake would cost the
 * host its bond. Pure.
 */
import { parseDigest } from "../base/digest.ts";
import { InferiumError } from "../base/errors.ts";
import type { Execution } from "../inference/execute.ts";
import { readInline } from "../pool/inline-tensors.ts";
import type { ServedCalls, WorkAssignment } from "../pool/work-assignment.ts";
import { checkOpened, checkStatement, findChanged, hashWindow, listAnswered } from "../protocol/call-window.ts";
import { digestTensors } from "../protocol/tensors/canonical.ts";
import type { ProtocolDomain } from "../protocol/typed-data.ts";
import { toComparePolicy } from "../protocol/verdict/cast-vote.ts";
import { compareOutputs } from "../protocol/verdict/compare.ts";

export interface Confirmed {
  /** What the callers got, and its digest: the host's own results may differ within the policy's tolerance. */
  readonly execution: Execution;
  /** Of the window, in the place of the code's. */
  readonly codeDigest: string;
  readonly startedAtMs: number;
  readonly endedAtMs: number;
}

type Terms = Pick<WorkAssignment, "input" | "model" | "verification">;

/** @param served with what the drawn calls give here; absent where the policy is None @throws InferiumError NotAsServed */
export function confirmServed(
  domain: ProtocolDomain,
  terms: Terms,
  { calls, own }: { readonly calls: ServedCalls; readonly own: Execution | undefined },
): Confirmed {
  const { input, verification } = terms;
  const { statement, opened, content } = calls;
  const wrong = checkStatement(statement) ?? checkOpened(statement, opened);
  if (wrong !== undefined) throw notAsServed(wrong);
  const answered = listAnswered(opened);
  const inputs = readInline(input.inline ?? {});
  const asked = findChanged(answered, inputs, { side: "inputDigest", content });
  if (asked) throw notAsServed(`call ${asked.index} had input ${asked.expected}, and the task's is ${asked.got}`);
  const outputs = readInline(calls.output);
  const given = findChanged(answered, outputs, { side: "outputDigest", content });
  if (given)
    throw notAsServed(`the caller of call ${given.index} got ${given.expected}, and the task says ${given.got}`);
  if (own !== undefined) {
    const { equal, firstMismatch } = compareOutputs(outputs, own.outputs, toComparePolicy(verification));
    if (!equal) throw notAsServed(`${firstMismatch?.tensor} is not what the model gives here`);
  }
  if (own === undefined && verification.policy !== "None") throw notAsServed("they were not run here");
  const ran = own ?? {
    ...{ modelDigest: parseDigest(terms.model.digest), inputDigest: digestTensors(inputs) },
    ...{ runtime: "not run again", items: answered.length },
  };
  return {
    execution: { ...ran, outputs, outputDigest: digestTensors(outputs) },
    codeDigest: hashWindow(domain, statement),
    startedAtMs: statement.firstAtMs,
    endedAtMs: statement.lastAtMs,
  };
}

function notAsServed(why: string): InferiumError {
  return new InferiumError("NotAsServed", `This host does not sign for the window of calls: ${why}.`);
}
