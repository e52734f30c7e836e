/**
 * What a decided verdict does to its task. Idempotent: it acts only on a task that still waits for this very verdict, so
 * that a restart may apply every decided Validation again. Evidence of a rejection is on the books before the task moves.
 */
import type { Clock } from "../base/clock.ts";
import type { Logger } from "../base/log.ts";
import { type ProofFinding, type TaskVerdict, validateTask } from "../protocol/lifecycle.ts";
import { decidePenalty } from "../protocol/slashing.ts";
import { stageOf } from "../protocol/task-stage.ts";
import { describeUnchecked, type TrainingTerms } from "../protocol/training.ts";
import { computeTaskId, computeValidationId } from "../protocol/typed-data.ts";
import { collectVotes } from "../protocol/verdict/evidence.ts";
import { decideEscalation, type Tally, tallyVotes, type Verdict } from "../protocol/verdict/tally.ts";
import type { EndAttempt } from "./attempt-end.ts";
import type { BondBook } from "./bond-book.ts";
import type { Grouping } from "./controllers/group.ts";
import type { Directory } from "./directory.ts";
import type { ValidationObject } from "./kinds.ts";
import type { TaskEntry, TaskLedger } from "./ledger.ts";
import type { OperatorMetrics } from "./metrics.ts";
import { trainingOf } from "./pod-terms.ts";
import type { ReputationBook } from "./reputation-book.ts";
import { nameSlash, type SlashBook } from "./slash-book.ts";
import type { ValidationIndex } from "./validation-index.ts";

export interface ApplyVerdictOptions {
  readonly ledger: TaskLedger;
  readonly index: ValidationIndex;
  readonly directory: Directory;
  readonly bonds: BondBook;
  readonly slashes: SlashBook;
  readonly grouping: Grouping;
  readonly reputations: ReputationBook;
  readonly endAttempt: EndAttempt;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: OperatorMetrics;
  /** Rejections that the contract asks for at least. */
  readonly slashQuorum: number;
  readonly onAccepted: (key: string) => void;
  readonly onSlashDue: (name: string) => void;
}

/** @param index of the receipt */
export type ApplyVerdict = (validation: ValidationObject, index: number) => Promise<void>;

interface Decided {
  readonly entry: TaskEntry;
  readonly validation: ValidationObject;
  readonly index: number;
  readonly attempt: number;
  readonly verdict: TaskVerdict;
  readonly proven: ProofFinding | undefined;
}

export function createApplyVerdict(options: ApplyVerdictOptions): ApplyVerdict {
  return async (validation, index) => {
    const decided = find(options, validation, index);
    if (!decided) return;
    const result = decided.verdict.result as Verdict;
    if (result === "Accepted") await accept(options, decided);
    if (result === "Rejected") await reject(options, decided);
    if (result === "Inconclusive") await escalate(options, decided);
    options.metrics.verdicts.inc({ result });
  };
}

function find(
  { ledger, index: validations }: ApplyVerdictOptions,
  validation: ValidationObject,
  index: number,
): Decided | undefined {
  const receipt = validation.spec.receipts[index];
  if (!receipt || !validation.status) return undefined;
  const { uid, attempt } = receipt;
  const entry = ledger.get(`${validation.metadata.namespace}/${receipt.task}`);
  if (entry?.uid !== uid || stageOf(entry.status) !== "Judge") return undefined;
  if (entry.status.receipt?.digest !== receipt.digest) return undefined;
  if (validations.covering(uid, attempt)?.metadata.uid !== validation.metadata.uid) return undefined;
  const proven = findProof(validation);
  const verdict = describeVerdict(validation, { index, proven, training: trainingOf(entry.task.spec) });
  return { entry, validation, index, attempt, verdict, proven };
}

function findProof({ status }: ValidationObject): ProofFinding | undefined {
  const condition = status?.conditions?.find(({ type }) => type === "Proven");
  return condition && { holds: condition.status === "True", reason: condition.reason, message: condition.message };
}

interface VerdictParts {
  readonly index: number;
  readonly proven: ProofFinding | undefined;
  readonly training: TrainingTerms | undefined;
}

function describeVerdict(validation: ValidationObject, { index, proven, training }: VerdictParts): TaskVerdict {
  const { policy, quorum } = validation.spec;
  const proof = validation.status?.proof;
  const tally = tallyVotes(
    (validation.status?.validators ?? []).map(({ votes }) => votes?.[index]),
    quorum,
  );
  const owners = countOwners(validation, { index, tally });
  const unchecked = training && describeUnchecked(training);
  const notProven = [
    ...(owners < quorum ? [`That the deciding validators are independent: they have ${owners} owner(s).`] : []),
    ...(proof?.developmentSetup ? ["That nobody forged the proof: its keys come from a setup for development."] : []),
    ...(unchecked === undefined ? [] : [unchecked]),
    ...(proven?.holds === false ? [`The result by a proof: the panel re-executed (${proven.reason}).`] : []),
  ];
  return {
    result: tally.verdict,
    validation: validation.metadata.name,
    policy: proven?.holds === false ? "Exact" : policy,
    ...(proof ? { statementHash: proof.statementHash } : {}),
    accept: tally.accept,
    reject: tally.reject,
    abstain: tally.abstain,
    owners,
    ...(notProven.length > 0 ? { notProven } : {}),
  };
}

/** Validators without a known owner are their own. */
function countOwners({ spec, status }: ValidationObject, decided: { index: number; tally: Tally }): number {
  const kind = decided.tally.verdict === "Rejected" ? "Reject" : "Accept";
  const deciding = (status?.validators ?? []).filter(({ votes }) => votes?.[decided.index] === kind);
  const ownerOf = (address: string) => spec.validators.find((member) => member.address === address)?.owner ?? address;
  return new Set(deciding.map(({ address }) => ownerOf(address).toLowerCase())).size;
}

async function accept(options: ApplyVerdictOptions, { entry, attempt, verdict, proven }: Decided): Promise<void> {
  await options.ledger.change(entry.key, {
    uid: entry.uid,
    stage: "validated",
    durable: false,
    decide: (status, context) =>
      stageOf(status) === "Judge" ? validateTask(status, verdict, context, proven) : undefined,
  });
  const worker = entry.status.assignment?.worker;
  const id = `${entry.uid}/${attempt}`;
  if (worker) options.reputations.record({ worker, id, outcome: "Completed", atMs: options.clock.now() });
  options.onAccepted(entry.key);
}

async function reject(options: ApplyVerdictOptions, decided: Decided): Promise<void> {
  const { entry, attempt, verdict } = decided;
  await putOnBooks(options, decided);
  const message = `${verdict.reject} of ${decided.validation.spec.validators.length} validators found another result (Validation ${verdict.validation}).`;
  await options.endAttempt(entry, { attempt, outcome: "Rejected", reason: "ResultRejected", message, verdict });
}

async function putOnBooks(options: ApplyVerdictOptions, { entry, validation, index, attempt }: Decided): Promise<void> {
  const { receipt, assignment } = entry.status;
  if (!receipt || !assignment || !validation.status) return;
  const rejections = collectVotes({ spec: validation.spec, status: validation.status }, index, "Reject");
  const penalty = decidePenalty({
    outcome: "Rejected",
    rejections: rejections.length,
    quorum: validation.spec.quorum,
    contractQuorum: options.slashQuorum,
  });
  if (!penalty.slash)
    return options.logger.info("rejected without a slash", { task: entry.key, attempt, reason: penalty.reason });
  const name = nameSlash(computeTaskId(entry.uid), attempt);
  await options.slashes.add({
    name,
    key: entry.key,
    uid: entry.uid,
    attempt,
    worker: assignment.worker,
    receipt: { message: receipt.message, signature: receipt.signature },
    validationId: computeValidationId(validation.metadata.uid ?? ""),
    epoch: String(options.bonds.validatorSet?.epoch ?? 0n),
    rejections,
    state: "Pending",
  });
  options.onSlashDue(name);
}

/** A larger panel once; then the task ends without pay or penalty. */
async function escalate(options: ApplyVerdictOptions, { entry, validation, attempt, verdict }: Decided): Promise<void> {
  const { round, validators } = validation.spec;
  const eligible = options.directory.candidates().length;
  const larger = decideEscalation({ round, validators: validators.length, eligible });
  if (larger) return options.grouping.add(entry, { round: round + 1, ...larger });
  const message = `No quorum in round ${round}: ${verdict.accept} accepted, ${verdict.reject} rejected, ${verdict.abstain} abstained.`;
  await options.endAttempt(entry, {
    attempt,
    outcome: "Inconclusive",
    reason: "Inconclusive",
    message,
    isFinal: true,
    verdict,
  });
}
