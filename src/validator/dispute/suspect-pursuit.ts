/**
 * Disputes results that were found wrong, with a bond of the validator's own. A wrong result stays wrong: where it cannot be disputed
 * now, as while the token is paused, it is tried again, after a restart too. What the contract itself refuses, such as evidence that is
 * too old, it will refuse again. Effects: records on the disk, transactions.
 */
import { computeBackoffMs } from "../../base/backoff.ts";
import type { Clock } from "../../base/clock.ts";
import { describeError, InferiumError } from "../../base/errors.ts";
import type { Logger } from "../../base/log.ts";
import { loadArtifact } from "../../chain/artifacts.ts";
import type { ApprovedEvidence } from "../../chain/calls.ts";
import type { DisputeReader } from "../../chain/dispute-reader.ts";
import type { DisputeSender } from "../../chain/dispute-sender.ts";
import type { BatchTask } from "../../pool/batch-evidence.ts";
import type { ValidatorMetrics } from "../metrics.ts";
import type { ClosedDispute, DisputeDesk } from "./dispute-desk.ts";
import type { Suspect, SuspectRecords } from "./suspect-record.ts";

export interface PursuitOptions {
  readonly reader: Pick<DisputeReader, "parameters">;
  /** Whether the account holds the bond of a dispute. */
  readonly canPay: () => Promise<boolean>;
  readonly sender: Pick<DisputeSender, "open" | "account">;
  readonly desk: Pick<DisputeDesk, "findCovering">;
  readonly records: SuspectRecords;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  /** The longest wait before a dispute is opened, so that not all watchers do at once. */
  readonly spreadMs: number;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: ValidatorMetrics | undefined;
}

/** Wrong results that are not disputed yet. */
const maxPursued = 256;
const pursuit = { initialMs: 60_000, maxMs: 3_600_000 };

export class SuspectPursuit {
  readonly #options: PursuitOptions;
  /** Those that somebody else's dispute is about, by its id. */
  readonly #held = new Map<string, Suspect>();
  readonly #pursued = new Set<string>();
  #turn: Promise<void> = Promise.resolve();

  constructor(options: PursuitOptions) {
    this.#options = options;
  }

  /** Goes on with what a former process found. @throws InferiumError StateUnreadable */
  async resume(signal: AbortSignal): Promise<void> {
    for (const suspect of await this.#options.records.readAll()) this.#pursue(suspect, signal);
  }

  /** Durable when it resolves; the dispute follows. @throws InferiumError StateUnwritable: it is pursued all the same */
  async add(suspect: Suspect, signal: AbortSignal): Promise<void> {
    try {
      await this.#options.records.add(suspect);
    } finally {
      this.#pursue(suspect, signal);
    }
  }

  /** Where another's dispute ended without an answer, our own finding is disputed after all. */
  onClosed({ id, ruling }: ClosedDispute, signal: AbortSignal): void {
    const suspect = this.#held.get(id);
    this.#held.delete(id);
    if (suspect === undefined) return;
    if (ruling === "Overturned" || ruling === "Upheld") void this.#forget(suspect.task);
    else this.#pursue(suspect, signal);
  }

  #pursue(suspect: Suspect, signal: AbortSignal): void {
    const { taskId } = suspect.task;
    if (this.#pursued.has(taskId)) return;
    if (this.#pursued.size >= maxPursued) {
      this.#fail(suspect.task, new Error(`${maxPursued} wrong results wait for their disputes; this one is let go`));
      return;
    }
    this.#pursued.add(taskId);
    void this.#disputeUntilDone(suspect, signal).finally(() => this.#pursued.delete(taskId));
  }

  async #disputeUntilDone(suspect: Suspect, signal: AbortSignal): Promise<void> {
    const { clock, random, spreadMs } = this.#options;
    for (let attempt = 1; !signal.aborted; attempt++) {
      try {
        await clock.sleep(Math.round(random() * spreadMs), signal);
        const isDone = await this.#inTurn(() => this.#dispute(suspect));
        if (isDone) await this.#forget(suspect.task);
        return;
      } catch (error) {
        if (signal.aborted) return;
        this.#fail(suspect.task, error);
        if (isRefusal(error)) return this.#forget(suspect.task);
        await clock.sleep(computeBackoffMs(attempt, { ...pursuit, random }), signal).catch(() => undefined);
      }
    }
  }

  /** One at a time: each approves its bond first, which a second approval in between would take the place of. */
  async #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const before = this.#turn;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#turn = promise;
    await before;
    return work().finally(resolve);
  }

  /** False where another's dispute goes first. */
  async #dispute(suspect: Suspect): Promise<boolean> {
    const { reader, sender, desk, canPay, logger, metrics } = this.#options;
    const { task } = suspect;
    const evidence = toEvidence(suspect);
    const accused = evidence.approvals.map(({ attestation }) => attestation.validator);
    const covering = await desk.findCovering(task.taskId, task.attempt, accused);
    if (covering !== undefined) {
      this.#held.set(covering, suspect);
      return false;
    }
    if (!(await canPay())) {
      throw new InferiumError("InsufficientBond", `${sender.account} does not hold the bond of a dispute now.`);
    }
    const { id, txHash } = await sender.open(evidence, (await reader.parameters()).bondWei);
    metrics?.disputeSteps.inc({ step: "Open" });
    logger.info("dispute opened", { dispute: id, task: task.taskId, accused, txHash });
    return true;
  }

  /** A record that stays is pursued once more after a restart, and refused by the contract. */
  async #forget({ taskId }: BatchTask): Promise<void> {
    await this.#options.records.remove(taskId).catch((error: unknown) => {
      this.#options.logger.warn("the record of a wrong result stays", { task: taskId, error: describeError(error) });
    });
  }

  #fail(task: BatchTask, error: unknown): void {
    this.#options.metrics?.watchChecks.inc({ result: "Failed" });
    this.#options.logger.warn("a wrong result could not be disputed", {
      task: task.taskId,
      error: describeError(error),
    });
  }
}

/** What is no error of Disputes is somebody else's, and may pass. */
function isRefusal(error: unknown): boolean {
  if (!(error instanceof InferiumError) || error.code !== "TransactionReverted") return false;
  return loadArtifact("Disputes").abi.getError(String(error.evidence.revert)) !== null;
}

function toEvidence({ task, epoch }: Suspect): ApprovedEvidence {
  return {
    receipt: task.receipt.message,
    workerSignature: task.receipt.signature,
    epoch: BigInt(epoch),
    approvals: task.votes
      .filter(({ vote }) => vote === "Accept")
      .map(({ validationId, votesRoot, validator, signature, outputDigest, proof }) => ({
        attestation: { validationId, votesRoot, validator },
        signature,
        outputDigest,
        proof,
      })),
  };
}
