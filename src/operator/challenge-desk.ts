/**
 * Challenges of workers' hardware. Handed out with a claim that found no work, so that no task waits for one; answered by the
 * worker; a few columns of the answer, chosen only then, are computed again by validators of other owners. What comes of it
 * is written down, and is asked for again at a time that nobody can foresee. Effects: the book's records.
 */
import { randomBytes, randomInt } from "node:crypto";
import type { Clock } from "../base/clock.ts";
import { sha256 } from "../base/digest.ts";
import { describeError } from "../base/errors.ts";
import type { Logger } from "../base/log.ts";
import type {
  AttestResponse,
  CapabilityChallenge,
  CapabilityRequest,
  CapabilityResponse,
  ChallengeCheck,
  ChallengeDuty,
  GpuEvidence,
} from "../pool/wire.ts";
import {
  computeEvidenceNonce,
  computeScore,
  type DecidedChallenge,
  decideChallenge,
  describeGpus,
  digestBytes,
  heldMiB,
} from "../protocol/challenge/decide-challenge.ts";
import { type CheckVote, decideCheck } from "../protocol/challenge/decide-check.ts";
import type { ChallengeOutcome } from "../protocol/proven-capability.ts";
import { type Candidate, selectPanel } from "../protocol/selection.ts";
import type { AttestedDevice } from "./attestation/verify-evidence.ts";
import type { CapabilityBook, CapabilityRecord } from "./capability-book.ts";
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

interface Running {
  readonly id: string;
  readonly worker: string;
  readonly address: string;
  readonly hardware: string;
  readonly decided: DecidedChallenge;
  /** On the monotonic clock. */
  readonly handedAtMs: number;
}

interface Answered extends Running {
  readonly elapsedMs: number;
  readonly digests: Uint8Array;
  readonly provider: string;
  readonly devices: readonly string[];
  readonly columns: readonly number[];
  readonly panel: readonly Candidate[];
  readonly votes: CheckVote[];
  /** When each validator was asked, on the monotonic clock. */
  readonly askedAtMs: Map<string, number>;
  readonly answeredAtMs: number;
}

/** A worker that computes part of the columns goes undetected with the power of this. */
const checkedColumns = 8;
const panelSize = 3;
/** After so long the next validator of the panel is asked as well. */
const checkMs = 60_000;
/** An answer that nobody could check by then is dropped, and the challenge comes again. */
const checkingMs = 600_000;
/** The way there and back. */
const graceMs = 2_000;
const maxStops = 3;
const maxRetryMs = 86_400_000;

export class ChallengeDesk {
  readonly #options: ChallengeDeskOptions;
  /** By name of the worker. */
  readonly #running = new Map<string, Running>();
  /** By id. */
  readonly #answered = new Map<string, Answered>();
  /** Answers in a row that say that the worker stops. */
  readonly #stops = new Map<string, number>();
  /** Of workers without a record, when the first one is due. */
  readonly #firstAtMs = new Map<string, number>();

  constructor(options: ChallengeDeskOptions) {
    this.#options = options;
  }

  /** The last finding about the worker's hardware as it is now. */
  recordOf(worker: WorkerObject): CapabilityRecord | undefined {
    const record = this.#options.book.of(worker.spec.address);
    return record?.hardware === digestHardware(worker) ? record : undefined;
  }

  /** A challenge for a worker that has nothing to do, where one is due. Called with each claim that found no work. */
  next(name: string): CapabilityChallenge | undefined {
    const { times, directory, clock } = this.#options;
    const worker = directory.get(name);
    if (times === undefined || worker === undefined) return undefined;
    this.#dropUnchecked();
    const running = this.#running.get(name);
    if (running) this.#checkLate(running);
    if (this.#running.has(name) || this.#isBeingChecked(name) || !this.#isDue(worker, times)) return undefined;
    const decided = decideChallenge(healthyGpus(worker), `0x${randomBytes(32).toString("hex")}`);
    const id = randomBytes(16).toString("hex");
    const address = addressOf(worker);
    const handedAtMs = clock.monotonic();
    this.#running.set(name, { id, worker: name, address, hardware: digestHardware(worker), decided, handedAtMs });
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
    const answered = {
      ...running,
      elapsedMs,
      digests,
      provider: outcome.provider,
      devices: this.#hear(running, outcome.evidence),
      columns: drawColumns(plan.columns),
    };
    const panel = this.#drawPanel(running);
    const times = { votes: [], askedAtMs: new Map<string, number>(), answeredAtMs: clock.monotonic() };
    this.#answered.set(challengeId, { ...answered, panel, ...times });
    this.#options.onDuty();
    return { status: "Recorded" };
  }

  #hear({ worker, address, decided }: Running, evidence: readonly GpuEvidence[] = []): string[] {
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
    const nowMs = this.#options.clock.monotonic();
    for (const answered of this.#answered.values()) {
      if (!this.#isNext(answered, validator, nowMs)) continue;
      answered.askedAtMs.set(validator, nowMs);
      const { id, decided, columns } = answered;
      return {
        kind: "challenge",
        challengeId: id,
        plan: decided.plan,
        columns,
        deadlineMs: this.#options.clock.now() + checkMs,
      };
    }
    return undefined;
  }

  check(validator: string, { challengeId, digests, problem }: ChallengeCheck): AttestResponse {
    const answered = this.#answered.get(challengeId);
    if (!answered?.askedAtMs.has(validator)) return { status: "Late" };
    if (answered.votes.some((vote) => vote.validator === validator)) return { status: "Duplicate" };
    if (problem !== undefined)
      this.#options.logger.warn("a validator cannot check a challenge", { validator, problem });
    answered.votes.push({ validator, digests: digests === undefined ? undefined : Buffer.from(digests, "base64") });
    this.#judge(answered);
    return { status: "Recorded" };
  }

  #judge(answered: Answered): void {
    const { id, digests, columns, votes, panel, elapsedMs, decided } = answered;
    const verdict = decideCheck(digests, columns, votes, panel.length);
    if (verdict !== "Open") this.#answered.delete(id);
    if (verdict === "Open") {
      this.#options.onDuty();
    } else if (verdict === "Right") {
      this.#conclude(answered, "Passed", { elapsedMs, why: `in ${elapsedMs} ms of ${decided.limitMs} ms` });
    } else if (verdict === "Wrong") {
      this.#conclude(answered, "Wrong", { elapsedMs, why: "two validators found the same other result" });
    } else {
      this.#options.logger.warn("the panel does not agree on a challenge", {
        worker: answered.worker,
        votes: votes.length,
      });
    }
  }

  #conclude(running: Running & Partial<Answered>, outcome: ChallengeOutcome, { elapsedMs, why }: Conclusion): void {
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
      validators: (running.votes ?? []).map(({ validator }) => validator),
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
    if (record) return nowMs >= record.nextAtMs;
    const { name } = worker.metadata;
    const firstAtMs = this.#firstAtMs.get(name) ?? nowMs + spread(times.firstMs * 0.5, times.firstMs * 1.5);
    this.#firstAtMs.set(name, firstAtMs);
    return nowMs >= firstAtMs;
  }

  /** Who does not answer cannot do it. */
  #checkLate(running: Running): void {
    const { limitMs } = running.decided;
    const elapsedMs = Math.round(this.#options.clock.monotonic() - running.handedAtMs);
    if (elapsedMs <= limitMs + graceMs) return;
    this.#running.delete(running.worker);
    this.#conclude(running, "Failed", { elapsedMs, why: `no answer came in the ${limitMs} ms that its claim allows` });
  }

  #drawPanel({ worker: name, address, decided }: Running): readonly Candidate[] {
    const { directory } = this.#options;
    const worker = directory.get(name);
    const judged = {
      address,
      ...(worker?.spec.owner ? { owner: worker.spec.owner } : {}),
      ...(worker?.spec.nodeName ? { nodeName: worker.spec.nodeName } : {}),
    };
    return selectPanel(directory.candidates(), [judged], { seed: decided.plan.seed, count: panelSize }).members;
  }

  /** One validator at first, a further one for each that has spoken in vain and for each minute that has passed. */
  #isNext({ panel, votes, askedAtMs, answeredAtMs }: Answered, validator: string, nowMs: number): boolean {
    const asked = 1 + votes.length + Math.floor((nowMs - answeredAtMs) / checkMs);
    const isAsked = panel.slice(0, asked).some(({ address }) => address === validator);
    if (!isAsked || votes.some((vote) => vote.validator === validator)) return false;
    return nowMs - (askedAtMs.get(validator) ?? Number.NEGATIVE_INFINITY) > checkMs;
  }

  #isBeingChecked(name: string): boolean {
    return [...this.#answered.values()].some(({ worker }) => worker === name);
  }

  #dropUnchecked(): void {
    const nowMs = this.#options.clock.monotonic();
    for (const [id, { answeredAtMs, worker }] of this.#answered) {
      if (nowMs - answeredAtMs <= checkingMs) continue;
      this.#answered.delete(id);
      this.#options.logger.warn("nobody checked the answer to a challenge", { worker });
    }
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

function digestHardware(worker: WorkerObject): string {
  return sha256(describeGpus(healthyGpus(worker)));
}

function spread(fromMs: number, toMs: number): number {
  return fromMs + Math.random() * (toMs - fromMs);
}

/** Drawn once the answer is in: nobody could have computed just these. */
function drawColumns(count: number): number[] {
  const drawn = new Set<number>();
  while (drawn.size < Math.min(checkedColumns, count)) drawn.add(randomInt(count));
  return [...drawn].sort((a, b) => a - b);
}
