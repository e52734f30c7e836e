/**
 * Answers to challenges while validators look at them: a few columns, chosen only once the answer was in, are computed again by
 * one validator of another owner, and by further ones where it finds something else or says nothing. In memory alone: an
 * answer that a restart loses is asked for again.
 */
import { randomInt } from "node:crypto";
import type { Clock } from "../base/clock.ts";
import type { Logger } from "../base/log.ts";
import type { ChallengeDuty } from "../pool/duty.ts";
import type { AttestResponse, ChallengeCheck } from "../pool/wire.ts";
import type { DecidedChallenge } from "../protocol/challenge/decide-challenge.ts";
import { type CheckVote, decideCheck } from "../protocol/challenge/decide-check.ts";
import { type Candidate, selectPanel } from "../protocol/selection.ts";
import type { Directory } from "./directory.ts";

/** A challenge that was handed out. */
export interface RunningChallenge {
  readonly id: string;
  readonly worker: string;
  readonly address: string;
  readonly hardware: string;
  readonly decided: DecidedChallenge;
  /** On the monotonic clock. */
  readonly handedAtMs: number;
}

export interface AnsweredChallenge extends RunningChallenge {
  readonly elapsedMs: number;
  readonly digests: Uint8Array;
  readonly provider: string;
  /** That evidence speaks of. */
  readonly devices: readonly string[];
}

export interface CheckedChallenge extends AnsweredChallenge {
  readonly isRight: boolean;
  readonly validators: readonly string[];
}

export interface ChallengeChecksOptions {
  readonly directory: Pick<Directory, "get" | "candidates">;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly onVerdict: (checked: CheckedChallenge) => void;
  /** Validators may have something to do. */
  readonly onDuty: () => void;
}

interface Check {
  readonly answer: AnsweredChallenge;
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

export class ChallengeChecks {
  readonly #options: ChallengeChecksOptions;
  /** By id of the challenge. */
  readonly #checks = new Map<string, Check>();

  constructor(options: ChallengeChecksOptions) {
    this.#options = options;
  }

  add(answer: AnsweredChallenge): void {
    const columns = drawColumns(answer.decided.plan.columns);
    const times = { votes: [], askedAtMs: new Map<string, number>(), answeredAtMs: this.#options.clock.monotonic() };
    this.#checks.set(answer.id, { answer, columns, panel: this.#drawPanel(answer), ...times });
    this.#options.onDuty();
  }

  /** Whether an answer of the worker is being looked at; one that nobody could look at is dropped here. */
  has(worker: string): boolean {
    const nowMs = this.#options.clock.monotonic();
    for (const [id, { answer, answeredAtMs }] of this.#checks) {
      if (answer.worker !== worker) continue;
      if (nowMs - answeredAtMs <= checkingMs) return true;
      this.#checks.delete(id);
      this.#options.logger.warn("nobody checked the answer to a challenge", { worker });
    }
    return false;
  }

  /** For a validator that has nothing else to do. */
  nextDuty(validator: string): ChallengeDuty | undefined {
    const { clock } = this.#options;
    const nowMs = clock.monotonic();
    const check = [...this.#checks.values()].find((one) => isNext(one, validator, nowMs));
    if (check === undefined) return undefined;
    check.askedAtMs.set(validator, nowMs);
    const { id, decided } = check.answer;
    const { columns } = check;
    return { kind: "challenge", challengeId: id, plan: decided.plan, columns, deadlineMs: clock.now() + checkMs };
  }

  hear(validator: string, { challengeId, digests, problem }: ChallengeCheck): AttestResponse {
    const check = this.#checks.get(challengeId);
    if (!check?.askedAtMs.has(validator)) return { status: "Late" };
    if (check.votes.some((vote) => vote.validator === validator)) return { status: "Duplicate" };
    const { logger } = this.#options;
    if (problem !== undefined) logger.warn("a validator cannot check a challenge", { validator, problem });
    check.votes.push({ validator, digests: digests === undefined ? undefined : Buffer.from(digests, "base64") });
    this.#judge(check);
    return { status: "Recorded" };
  }

  #judge({ answer, columns, votes, panel }: Check): void {
    const verdict = decideCheck(answer.digests, columns, votes, panel.length);
    if (verdict !== "Open") this.#checks.delete(answer.id);
    const validators = votes.map(({ validator }) => validator);
    const { onDuty, onVerdict, logger } = this.#options;
    if (verdict === "Open") onDuty();
    else if (verdict !== "Undecided") onVerdict({ ...answer, isRight: verdict === "Right", validators });
    else logger.warn("the panel does not agree on a challenge", { worker: answer.worker, votes: votes.length });
  }

  #drawPanel({ worker: name, address, decided }: RunningChallenge): readonly Candidate[] {
    const { directory } = this.#options;
    const { owner, nodeName } = directory.get(name)?.spec ?? {};
    const judged = { address, ...(owner ? { owner } : {}), ...(nodeName ? { nodeName } : {}) };
    return selectPanel(directory.candidates(), [judged], { seed: decided.plan.seed, count: panelSize }).members;
  }
}

/** One validator at first, a further one for each that has spoken in vain and for each minute that has passed. */
function isNext({ panel, votes, askedAtMs, answeredAtMs }: Check, validator: string, nowMs: number): boolean {
  const asked = 1 + votes.length + Math.floor((nowMs - answeredAtMs) / checkMs);
  const isAsked = panel.slice(0, asked).some(({ address }) => address === validator);
  if (!isAsked || votes.some((vote) => vote.validator === validator)) return false;
  return nowMs - (askedAtMs.get(validator) ?? Number.NEGATIVE_INFINITY) > checkMs;
}

/** Drawn once the answer is in: nobody could have computed just these. */
function drawColumns(count: number): number[] {
  const drawn = new Set<number>();
  while (drawn.size < Math.min(checkedColumns, count)) drawn.add(randomInt(count));
  return [...drawn].sort((a, b) => a - b);
}
