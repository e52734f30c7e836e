/**
 * Stage 6 for policy ZeroKnowledge, before any vote: asks a validator of the panel for a proof and the others for their word on it,
 * and writes the decision once into the Validation. Where there is no proof in time, the panel votes; task and Event say why.
 */
import type { ValidationStatus } from "../../api/v1alpha1/generated/validations.ts";
import type { Clock } from "../../base/clock.ts";
import type { Logger } from "../../base/log.ts";
import type { BadProofEvidence } from "../../chain/proofs.ts";
import type { KubeClient } from "../../kube/client.ts";
import type { ReconcileResult } from "../../kube/controller.ts";
import { hashStatement, toStatement } from "../../protocol/proof.ts";
import type { Because } from "../../protocol/status-change.ts";
import { decideProofStep } from "../../protocol/verdict/proof-step.ts";
import type { DutyDesk } from "../duty-desk.ts";
import { formatTime, type ValidationObject } from "../kinds.ts";
import type { TaskLedger } from "../ledger.ts";
import type { OperatorMetrics } from "../metrics.ts";
import type { ProofBook, ProofPanel } from "../proof-book.ts";
import type { TellTask } from "../task-events.ts";

export interface ProveOptions {
  readonly proofs: ProofBook;
  readonly duties: DutyDesk;
  readonly ledger: TaskLedger;
  readonly client: KubeClient<ValidationObject>;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly tell: TellTask;
  readonly metrics: OperatorMetrics;
  /** Somebody endorsed a proof that others find not to hold. Resolves once that would survive a crash. */
  readonly onBadProof: (evidence: BadProofEvidence) => Promise<void>;
}

export type ProofOutcome =
  | { readonly state: "Waiting"; readonly result: ReconcileResult }
  | { readonly state: "Decided"; readonly validation: ValidationObject }
  /** No proof was wanted, or none came. */
  | { readonly state: "Vote"; readonly because?: Because };

/** Validators that wait are reminded of unanswered duties this often. */
const remindMs = 2_000;

export async function askForProof(options: ProveOptions, validation: ValidationObject): Promise<ProofOutcome> {
  if (validation.spec.policy !== "ZeroKnowledge") return { state: "Vote" };
  const { proofs, duties, clock } = options;
  const panel = proofs.open(validation);
  const nowMs = clock.monotonic();
  const { members, startedMs, endorsements, declined, failure } = panel;
  const endorsedMs = [...endorsements.values()].map(({ atMs }) => atMs);
  const { quorum } = validation.spec;
  const progress = { members: members.length, quorum, startedMs, endorsedMs, declined: declined.size, failure };
  const step = decideProofStep(progress, proofs.timing, nowMs);
  if (step.step === "Decide") return { state: "Decided", validation: await decide(options, panel, validation) };
  if (step.step === "FallBack") return fallBack(options, panel, step);
  duties.kick();
  return { state: "Waiting", result: { requeueAfterMs: Math.max(1, Math.min(remindMs, step.untilMs - nowMs)) } };
}

/** Whatever else a validator says goes into no metric's label: there would be no end of them. */
const timeOuts = new Set(["ProofTimedOut", "ProofNotEndorsed"]);

/** Said once; the panel stays open, so that the reason is still there when the votes are in. */
async function fallBack(
  { ledger, logger, metrics, tell, onBadProof }: ProveOptions,
  panel: ProofPanel,
  { reason, message }: Because,
): Promise<ProofOutcome> {
  const because = { reason, message };
  if (!panel.isToldOfFallback) {
    for (const evidence of listBadProofs(panel)) await onBadProof(evidence);
    panel.isToldOfFallback = true;
    metrics.proofs.inc({ result: timeOuts.has(reason) ? reason : "Declined" });
    panel.failure = because;
    logger.warn("no proof, the panel re-executes", { validation: panel.key, reason, message });
    for (const { task, uid } of panel.validation.spec.receipts) {
      const entry = ledger.get(`${panel.validation.metadata.namespace}/${task}`);
      if (entry?.uid === uid) tell(entry.task, "NotProven", `No proof (${reason}): ${message} The panel re-executes.`);
    }
  }
  return { state: "Vote", because };
}

/** Whoever stands for a proof of which another member says that it does not hold. The chain decides who is right. */
function listBadProofs({ proof, declined, endorsements }: ProofPanel): BadProofEvidence[] {
  const isDoubted = [...declined.values()].some(({ reason }) => reason === "InvalidProof");
  if (proof === undefined || !isDoubted) return [];
  return [...endorsements].map(([validator, { signature }]) => ({ proof: proof.proof, validator, signature }));
}

/** @param validation as it is now: a label or an annotation may have come since the panel was asked */
async function decide(
  { client, clock, logger, metrics, onBadProof }: ProveOptions,
  panel: ProofPanel,
  validation: ValidationObject,
): Promise<ValidationObject> {
  // A majority may lie together: what it decides, no honest validator certifies.
  for (const evidence of listBadProofs(panel)) await onBadProof(evidence);
  const { namespace, name, resourceVersion, generation = 1 } = validation.metadata;
  const status = buildStatus(panel, { generation, now: formatTime(clock.now()) });
  const body = { metadata: { resourceVersion }, status };
  const decided = await client.patch({ namespace, name }, { kind: "merge", subresource: "status", body });
  metrics.proofs.inc({ result: "Proven" });
  const { prover, proveMs } = status.proof ?? {};
  logger.info("validation decided by a proof", { validation: panel.key, prover, proveMs });
  return decided;
}

function buildStatus(panel: ProofPanel, at: { readonly generation: number; readonly now: string }): ValidationStatus {
  const { validators, receipts } = panel.validation.spec;
  const [prover = ""] = panel.members;
  const message = `${prover} proved the result; ${panel.endorsements.size} of ${validators.length} validators stand for the proof.`;
  const condition = { status: "True", observedGeneration: at.generation, lastTransitionTime: at.now, message } as const;
  return {
    observedGeneration: at.generation,
    phase: "Decided",
    accepted: receipts.length,
    rejected: 0,
    verdicts: receipts.map(() => "Accepted" as const),
    ...(panel.proof ? { proof: describeProof(panel.proof, prover) } : {}),
    validators: validators.map((member, index) => describeMember(panel, member, panel.members[index] ?? "")),
    conditions: [
      { type: "Ready", reason: "Decided", ...condition },
      { type: "Proven", reason: "ProofVerified", ...condition },
    ],
  };
}

function describeProof(made: NonNullable<ProofPanel["proof"]>, prover: string): NonNullable<ValidationStatus["proof"]> {
  const { proof, circuitDigest, developmentSetup, proveMs } = made;
  const { modelDigest, rows, verifyingKeyDigest, salt } = proof;
  return {
    ...{ prover, modelDigest, rows, circuitDigest, verifyingKeyDigest, salt },
    publicSignals: [...proof.signals],
    words: [...proof.words],
    statementHash: hashStatement(toStatement(proof)),
    proveMs,
    developmentSetup,
  };
}

type MemberStatus = NonNullable<ValidationStatus["validators"]>[number];

function describeMember(
  { endorsements, declined }: ProofPanel,
  { name }: { name: string },
  address: string,
): MemberStatus {
  const endorsement = endorsements.get(address)?.signature;
  if (endorsement !== undefined) return { name, address, state: "Endorsed", votes: ["Accept"], endorsement };
  const because = declined.get(address);
  if (because === undefined) return { name, address, state: "Missed" };
  return { name, address, state: "Abstained", message: `${because.reason}: ${because.message}`.slice(0, 1_024) };
}
