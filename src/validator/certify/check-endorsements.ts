/**
 * Who stands for a task's proof: enough distinct validators, each with its signature over this proof. That the proof holds is checked
 * apart (proof/check-proof.ts); an endorsement of one that does not costs its signer the bond. Pure.
 */
import { recoverEndorser } from "../../protocol/proof.ts";
import { isCompact } from "../check-receipt.ts";
import type { VoteRules } from "./check-votes.ts";
import { type Finding, finding } from "./finding.ts";
import type { ProvenTask } from "./parse-batch.ts";

export function checkEndorsements(task: ProvenTask, rules: VoteRules): Finding | undefined {
  const { endorsements, proof } = task.proven;
  const validators = new Set(endorsements.map(({ validator }) => validator));
  if (validators.size !== endorsements.length) {
    return finding("DuplicateVote", `Task ${task.taskId} names a validator's endorsement more than once.`);
  }
  for (const endorsement of endorsements) {
    const { validator, signature } = endorsement;
    if (validator === task.worker)
      return finding("OwnVote", `${validator} endorsed the proof of its own work, task ${task.taskId}.`);
    if (rules.validators?.has(validator) === false) {
      const message = `${validator} endorsed the proof of task ${task.taskId} and is not in the validator set.`;
      return finding("UnknownValidator", message);
    }
    const signer = isCompact(signature) ? recoverEndorser(rules.domain, proof, endorsement) : undefined;
    if (signer === validator) continue;
    const message = `The endorsement of ${validator} for task ${task.taskId} is signed by ${signer ?? "nobody"}.`;
    return finding("EndorsementNotSigned", message);
  }
  if (validators.size >= rules.minimumQuorum) return undefined;
  const message = `${validators.size} validators endorsed the proof of task ${task.taskId}; at least ${rules.minimumQuorum} are needed.`;
  return finding("QuorumNotReached", message);
}
