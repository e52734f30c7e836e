/**
 * Stage 6, second half: asks a panel until its vote, or a proof (prove.ts), decides, writes the decision once into the Validation, and applies
 * it to the tasks: accepted ones go on to settlement, rejected ones are slashed and tried again, inconclusive ones go to a
 * larger panel once.
 */
import type { ValidationStatus } from "../../api/v1alpha1/generated/validations.ts";
import type { Clock } from "../../base/clock.ts";
import type { Logger } from "../../base/log.ts";
import type { KubeClient } from "../../kube/client.ts";
import type { Reconcile, ReconcileResult } from "../../kube/controller.ts";
import type { Because } from "../../protocol/status-change.ts";
import { decidePanelStep, type PanelTiming } from "../../protocol/verdict/panel.ts";
import { tallyVotes } from "../../protocol/verdict/tally.ts";
import type { ApplyVerdict } from "../apply-verdict.ts";
import type { DutyDesk } from "../duty-desk.ts";
import { formatTime, type ValidationObject } from "../kinds.ts";
import type { TaskLedger } from "../ledger.ts";
import type { OperatorMetrics } from "../metrics.ts";
import type { Panel, PanelBook } from "../panel-book.ts";
import type { ProofBook } from "../proof-book.ts";
import type { TellTask } from "../task-events.ts";
import { isDecided, type ValidationIndex } from "../validation-index.ts";
import { askForProof, type ProveOptions } from "./prove.ts";

export interface PanelOptions {
  readonly index: ValidationIndex;
  readonly panels: PanelBook;
  readonly proofs: ProofBook;
  readonly ledger: TaskLedger;
  readonly duties: DutyDesk;
  readonly client: KubeClient<ValidationObject>;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly timing: PanelTiming;
  readonly apply: ApplyVerdict;
  readonly tell: TellTask;
  readonly metrics: OperatorMetrics;
  readonly onBadProof: ProveOptions["onBadProof"];
}

/** Validators that wait are reminded of unanswered duties this often. */
const remindMs = 2_000;

export function createPanelStage(options: PanelOptions): Reconcile {
  return async (key) => {
    const validation = options.index.get(key);
    if (!validation) {
      options.panels.close(key);
      options.proofs.close(key);
      return undefined;
    }
    if (!isDecided(validation)) {
      const wait = await bringToDecision(options, validation);
      if (wait) return wait;
    }
    options.panels.close(key);
    options.proofs.close(key);
    const decided = options.index.get(key);
    for (const index of decided?.spec.receipts.keys() ?? []) if (decided) await options.apply(decided, index);
    return undefined;
  };
}

/** By a proof where one is wanted and comes, else by votes. Undefined once it is decided. */
async function bringToDecision(
  options: PanelOptions,
  validation: ValidationObject,
): Promise<ReconcileResult | undefined> {
  const proof = await askForProof(options, validation);
  if (proof.state === "Waiting") return proof.result;
  if (proof.state === "Decided") {
    options.index.put(proof.validation);
    return undefined;
  }
  const wait = ask(options, options.panels.open(validation));
  if (wait) return wait;
  options.index.put(await decide(options, validation, proof.because));
  return undefined;
}

/** Undefined once there is nothing more to wait for. */
function ask({ clock, timing, duties }: PanelOptions, panel: Panel): ReconcileResult | undefined {
  const { spec } = panel.validation;
  const times = (votes: ReadonlyMap<string, { readonly atMs: number }>) => [...votes.values()].map(({ atMs }) => atMs);
  const vote = {
    members: spec.validators.length,
    quorum: spec.quorum,
    startedMs: panel.startedMs,
    commitsMs: times(panel.commits),
    revealsMs: times(panel.reveals),
    revealing: panel.revealing,
  };
  const nowMs = clock.monotonic();
  const step = decidePanelStep(vote, timing, nowMs);
  if (step.step === "Decide") return undefined;
  panel.revealing ||= step.step === "Reveal";
  duties.kick();
  return { requeueAfterMs: Math.max(1, Math.min(remindMs, step.untilMs - nowMs)) };
}

/** @param validation as it is now: a label or an annotation may have come since the panel was asked */
async function decide(
  { client, clock, logger, panels }: PanelOptions,
  validation: ValidationObject,
  notProven: Because | undefined,
): Promise<ValidationObject> {
  const panel = panels.open(validation);
  const { namespace, name, resourceVersion, generation } = validation.metadata;
  const at = { generation: generation ?? 1, now: formatTime(clock.now()) };
  const status = buildStatus(panel, at, notProven);
  const body = { metadata: { resourceVersion }, status };
  const decided = await client.patch({ namespace, name }, { kind: "merge", subresource: "status", body });
  const { accepted, rejected, verdicts } = status;
  logger.info("validation decided", { validation: panel.key, receipts: verdicts?.length, accepted, rejected });
  return decided;
}

function buildStatus(
  panel: Panel,
  at: { readonly generation: number; readonly now: string },
  notProven: Because | undefined,
): ValidationStatus {
  const { receipts, quorum } = panel.validation.spec;
  const validators = panel.validation.spec.validators.map((member) => describeMember(panel, member));
  const verdicts = receipts.map(
    (_, index) =>
      tallyVotes(
        validators.map(({ votes }) => votes?.[index]),
        quorum,
      ).verdict,
  );
  const count = (verdict: string) => verdicts.filter((one) => one === verdict).length;
  const overheads = [...panel.reveals.values()].map(({ overheadMs }) => overheadMs).sort((a, b) => a - b);
  const overheadMs = overheads[Math.floor(overheads.length / 2)];
  const message = `${count("Accepted")} accepted, ${count("Rejected")} rejected, ${count("Inconclusive")} inconclusive.`;
  const ready = { type: "Ready", status: "True", reason: "Decided", message } as const;
  const proven = notProven && ({ type: "Proven", status: "False", ...notProven } as const);
  const since = { observedGeneration: at.generation, lastTransitionTime: at.now };
  return {
    observedGeneration: at.generation,
    phase: "Decided",
    accepted: count("Accepted"),
    rejected: count("Rejected"),
    ...(overheadMs === undefined ? {} : { overheadMs }),
    verdicts,
    validators,
    conditions: [{ ...ready, ...since }, ...(proven ? [{ ...proven, ...since }] : [])],
  };
}

type MemberStatus = NonNullable<ValidationStatus["validators"]>[number];

function describeMember(
  panel: Panel,
  { name, address }: { readonly name: string; readonly address: string },
): MemberStatus {
  const reveal = panel.reveals.get(address);
  if (!reveal) return { name, address, state: "Missed" };
  const { votes, votesRoot, signature, overheadMs, note } = reveal;
  return {
    name,
    address,
    state: votes.every(({ vote }) => vote === "Abstain") ? "Abstained" : "Revealed",
    votes: votes.map(({ vote }) => vote),
    outputDigests: votes.map(({ outputDigest }) => outputDigest),
    votesRoot,
    signature,
    overheadMs,
    ...(note ? { message: note.slice(0, 1_024) } : {}),
  };
}
