/**
 * Challenges of workers' hardware. Handed out with a claim that found no work, so that no task waits for one; answered by the
 * worker; checked by validators (challenge-checks.ts). What comes of it is written down, and is asked for again at a time
 * that nobody can foresee. Effects: the book's records.
 */
import { randomBytes } from "node:crypto";
import type { Clock } from "../base/clock.ts";
import { sha256 } from "../base/digest.ts";
import { describeError } from "../base/errors.ts";
import type { Logger } from "../base/log.ts";
import type { ChallengeDuty } from "../pool/duty.ts";
import type {
  AttestResponse,
  CapabilityChallenge,
  CapabilityRequest,
  CapabilityResponse,
  ChallengeCheck,
  GpuEvidence,
} from "../pool/wire.ts";
import {
  computeEvidenceNonce,
  computeScore,
  decideChallenge,
  describeGpus,
  digestBytes,
  heldMiB,
} from "../protocol/challenge/decide-challenge.ts";
import type { ChallengeOutcome } from "../protocol/proven-capability.ts";
import type { AttestedDevice } from "./attestation/verify-evidence.ts";
import type { CapabilityBook, CapabilityRecord } from "./capability-book.ts";
import { ChallengeChecks, type CheckedChallenge, type RunningChallenge } from "./challenge-checks.ts";
import { addressOf, type Directory, healthyGpus } from "./directory.ts";
import type { WorkerObject } from "./kinds.ts";

export interface ChallengeTimes {
  /** Around so long after a worker is first seen idle. */
  readonly firstMs: number;
  /** What is passed holds for so long; the next one comes after a part of it. */
  readonly validMs: number;
  /** After a failure, twice as long after each further one. */
  readonly retryMs: number;
}

export interface ChallengeDeskOptions {
  readonly book: CapabilityBook;
  readonly directory: Pick<Directory, "get" | "candidates" | "provenOf">;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Undefined: nobody is challenged. */
  readonly times: ChallengeTimes | undefined;
  /** Devices that the evidence is of; throws where it does not hold. Left out: no evidence is heard. */
  readonly verifyEvidence?: (evidence: readonly GpuEvidence[], nonce: string) => readonly AttestedDevice[];
  /** Something came out for the worker of this name. */
  readonly onChange: (worker: string) => void;
  /** Validators may have something to do. */
  readonly onDuty: () => void;
}

/** The way there and back. */
const graceMs = 2_000;
const maxStops = 3;
const maxRetryMs = 86_400_000;

export class ChallengeDesk {
  readonly #options: ChallengeDeskOptions;
  /** By name of the worker. */
  readonly #running = new Map<string, RunningChallenge>();
  readonly #checks: ChallengeChecks;
  readonly #digests = new WeakMap<WorkerObject, string>();
  /** Answers in a row that say that the worker stops. */
  readonly #stops = new Map<string, number>();
  /** Of workers without a record, when the first one is due. */
  readonly #firstAtMs = new Map<string, number>();

  constructor(options: ChallengeDeskOptions) {
    this.#options = options;
    this.#checks = new ChallengeChecks({ ...options, onVerdict: (checked) => this.#judge(checked) });
  }

  /**
   * The last finding that concerns the worker. What was passed is about the hardware that it was passed with; what was failed
   * stands whatever is claimed next, or a new UUID would wipe it out.
   */
  recordOf(worker: WorkerObject): CapabilityRecord | undefined {
    const record = this.#options.book.of(worker.spec.address);
    if (record === undefined) return undefined;
    return record.outcome !== "Passed" || this.#isAbout(record, worker) ? record : undefined;
  }

  /** A challenge for a worker that has nothing to do, where one is due. Called with each claim that found no work. */
  next(name: string): CapabilityChallenge | undefined {
    const { times, directory, clock } = this.#options;
    const worker = directory.get(name);
    if (times === undefined || worker === undefined) return undefined;
    const running = this.#running.get(name);
    if (running) this.#checkLate(running);
    if (this.#running.has(name) || this.#checks.has(name) || !this.#isDue(worker, times)) return undefined;
    const decided = decideChallenge(healthyGpus(worker), `0x${randomBytes(32).toString("hex")}`);
    const id = randomBytes(16).toString("hex");
    const address = addressOf(worker);
    const handedAtMs = clock.monotonic();
    this.#running.set(name, { id, worker: name, address, hardware: this.#digestOf(worker), decided, handedAtMs });
    return { challengeId: id, plan: decided.plan, limitMs: decided.limitMs };
  }

  answer(name: string, { challengeId, outcome }: CapabilityRequest): CapabilityResponse {
    const running = this.#running.get(name);
    if (running?.id !== challengeId) return { status: "Late" };
    this.#running.delete(name);
    const { clock } = this.#options;
    const elapsedMs = Math.round(clock.monotonic() - running.handedAtMs);
    const { limitMs, plan } = running.decided;
    if (outcome.kind === "Failed") {
      // A worker that is stopped says nothing of its hardware, but for one that is always just stopped.
      const stops = outcome.reason === "Stopped" ? (this.#stops.get(name) ?? 0) + 1 : maxStops;
      this.#stops.set(name, stops);
      if (stops >= maxStops) this.#conclude(running, "Failed", { elapsedMs, why: `it says: ${outcome.message}` });
      return { status: "Recorded" };
    }
    if (elapsedMs > limitMs + graceMs) {
      this.#conclude(running, "Failed", {
        elapsedMs,
        why: `it took ${elapsedMs} ms of the ${limitMs} ms that its claim allows`,
      });
      return { status: "Recorded" };
    }
    this.#stops.delete(name);
    const digests = Buffer.from(outcome.digests, "base64");
    if (digests.length !== plan.columns * digestBytes) {
      this.#conclude(running, "Wrong", {
        elapsedMs,
        why: `its answer has ${digests.length} bytes, not ${plan.columns * digestBytes}`,
      });
      return { status: "Recorded" };
    }
    const { provider, evidence } = outcome;
    this.#checks.add({ ...running, elapsedMs, digests, provider, devices: this.#hear(running, evidence) });
    return { status: "Recorded" };
  }

  #hear({ worker, address, decided }: RunningChallenge, evidence: readonly GpuEvidence[] = []): string[] {
    const { verifyEvidence, logger } = this.#options;
    if (verifyEvidence === undefined || evidence.length === 0) return [];
    try {
      const nonce = computeEvidenceNonce(decided.plan.seed, address);
      return verifyEvidence(evidence, nonce).map(({ device }) => device);
    } catch (error) {
      logger.warn("evidence does not hold", { worker, error: describeError(error) });
      return [];
    }
  }

  /** A device for each GPU, and none of them somebody else's. */
  #isAttested(address: string, gpus: number, devices: readonly string[]): boolean {
    const others = this.#options.book
      .list()
      .filter((other) => other.attested && other.address !== address.toLowerCase());
    return (
      gpus > 0 &&
      devices.length >= gpus &&
      devices.every((device) => others.every((other) => !other.devices.includes(device)))
    );
  }

  /** For a validator that has nothing else to do. */
  nextDuty(validator: string): ChallengeDuty | undefined {
    return this.#checks.nextDuty(validator);
  }

  check(validator: string, check: ChallengeCheck): AttestResponse {
    return this.#checks.hear(validator, check);
  }

  #judge(checked: CheckedChallenge): void {
    const { elapsedMs, decided, isRight } = checked;
    const right = `in ${elapsedMs} ms of ${decided.limitMs} ms`;
    const why = isRight ? right : "two validators found the same other result";
    this.#conclude(checked, isRight ? "Passed" : "Wrong", { elapsedMs, why });
  }

  #conclude(
    running: RunningChallenge & Partial<CheckedChallenge>,
    outcome: ChallengeOutcome,
    { elapsedMs, why }: Conclusion,
  ): void {
    const { times, clock, logger, book, onChange } = this.#options;
    if (times === undefined) return;
    const { worker, address, hardware, decided } = running;
    const nowMs = clock.now();
    const before = book.of(address);
    const failures = outcome === "Passed" ? 0 : (before?.failures ?? 0) + 1;
    const retryMs = Math.min(maxRetryMs, times.retryMs * 2 ** Math.min(20, failures - 1));
    const devices = outcome === "Passed" ? (running.devices ?? []) : [];
    const attested = this.#isAttested(address, decided.gpus, devices);
    const record: CapabilityRecord = {
      ...{ devices, attested },
      ...{
        address: address.toLowerCase(),
        outcome,
        hardware,
        claim: decided.claim,
        gpus: decided.gpus,
        failures,
        elapsedMs,
      },
      atMs: nowMs,
      expiresAtMs: nowMs + times.validMs,
      nextAtMs: nowMs + (outcome === "Passed" ? spread(times.validMs * 0.4, times.validMs * 0.9) : retryMs),
      limitMs: decided.limitMs,
      score: outcome === "Passed" ? computeScore(decided.plan, elapsedMs) : 0,
      heldMiB: heldMiB(decided.plan),
      provider: running.provider ?? "unknown",
      validators: running.validators ?? [],
      message: `${outcomeWords[outcome]} as ${decided.claim}: ${why}.`.slice(0, 1_024),
    };
    logger.info("a worker's hardware was challenged", {
      worker,
      outcome,
      elapsedMs,
      limitMs: decided.limitMs,
      score: record.score,
    });
    const saved = book.save(record).catch((error: unknown) => {
      logger.warn("the outcome of a challenge was not written down", { worker, error: describeError(error) });
    });
    void saved.then(() => onChange(worker));
  }

  #isDue(worker: WorkerObject, times: ChallengeTimes): boolean {
    const { directory, clock } = this.#options;
    if (worker.spec.role === "Validator" || worker.status?.hardware?.simulated !== false) return false;
    const nowMs = clock.now();
    const proven = directory.provenOf(worker, nowMs);
    if (!proven.holds && proven.reason !== "WrongResult") return false;
    const record = this.recordOf(worker);
    if (record && this.#isAbout(record, worker)) return nowMs >= record.nextAtMs;
    // Other hardware after a failure is soon asked, and not at once: else it could be changed until it passes.
    if (record) return nowMs >= record.atMs + times.firstMs;
    const { name } = worker.metadata;
    const firstAtMs = this.#firstAtMs.get(name) ?? nowMs + spread(times.firstMs * 0.5, times.firstMs * 1.5);
    this.#firstAtMs.set(name, firstAtMs);
    return nowMs >= firstAtMs;
  }

  /** Who does not answer cannot do it. */
  #checkLate(running: RunningChallenge): void {
    const { limitMs } = running.decided;
    const elapsedMs = Math.round(this.#options.clock.monotonic() - running.handedAtMs);
    if (elapsedMs <= limitMs + graceMs) return;
    this.#running.delete(running.worker);
    this.#conclude(running, "Failed", { elapsedMs, why: `no answer came in the ${limitMs} ms that its claim allows` });
  }

  #isAbout({ hardware }: CapabilityRecord, worker: WorkerObject): boolean {
    return hardware === this.#digestOf(worker);
  }

  /** Asked for with every claim, and objects are replaced when they change. */
  #digestOf(worker: WorkerObject): string {
    const known = this.#digests.get(worker) ?? sha256(describeGpus(healthyGpus(worker)));
    this.#digests.set(worker, known);
    return known;
  }
}

interface Conclusion {
  readonly elapsedMs: number;
  readonly why: string;
}

const outcomeWords = {
  Passed: "It passed its challenge",
  Failed: "It failed its challenge",
  Wrong: "It answered its challenge with a wrong result",
} as const;

function spread(fromMs: number, toMs: number): number {
  return fromMs + Math.random() * (toMs - fromMs);
}
