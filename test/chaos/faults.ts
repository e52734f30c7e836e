/**
 * What may go wrong with one request, and how often. A request gets at most one fault for its answer and, if it is a
 * watch, one for its stream. Pure but for the random source.
 */
import type { SeededRandom } from "./random.ts";

/** Of an answer: what the client gets instead of it. */
export type AnswerFault =
  /** Broken before the server saw it, or after it has done as told. */
  | { readonly kind: "reset"; readonly executed: boolean }
  /** Taken and never answered: only the client's own time-out ends it. */
  | { readonly kind: "silence" }
  /** The connection breaks in the middle of the body. */
  | { readonly kind: "truncated" }
  | { readonly kind: "status"; readonly status: number; readonly reason: string; readonly retryAfter?: number }
  /** A load balancer's page: not JSON, no Status. */
  | { readonly kind: "html" }
  /** Late, so that answers overtake each other. */
  | { readonly kind: "delay"; readonly delayMs: number };

export type StreamEnd = "reset" | "close" | "stall" | "error";

/** Of a watch's stream, after so many lines. */
export interface StreamFault {
  readonly afterLines: number;
  readonly end: StreamEnd;
  /** Sends the first half of one more line before the end. */
  readonly midLine: boolean;
  /** Sends the last line twice. */
  readonly duplicate: boolean;
  readonly lineDelayMs: number;
  /** Code and reason of the ERROR event. */
  readonly code: number;
  readonly reason: string;
}

export interface FaultRates {
  /** Share of requests whose answer goes wrong. */
  readonly answers: number;
  /** Share of watches whose stream goes wrong. */
  readonly streams: number;
  /** False: the server never says that a version is gone, so that not one event may be coalesced. */
  readonly gone: boolean;
  /** Whether changes of objects are refused for a conflict, as where somebody else has changed them. */
  readonly conflicts?: boolean;
}

export interface FaultPlan {
  answer(request: { readonly watch: boolean; readonly method: string }): AnswerFault | undefined;
  stream(): StreamFault | undefined;
}

const throttled = { kind: "status", status: 429, reason: "TooManyRequests" } as const;

export function createFaultPlan(random: SeededRandom, rates: FaultRates): FaultPlan {
  return {
    answer: ({ watch, method }) => {
      if (random.next() >= rates.answers) return undefined;
      // Only a read may be told that its version is gone, and only some reads ask for a version.
      if (rates.gone && method === "GET" && random.next() < 0.25)
        return { kind: "status", status: 410, reason: "Expired" };
      if (rates.conflicts && (method === "PUT" || method === "PATCH") && random.next() < 0.25)
        return { kind: "status", status: 409, reason: "Conflict" };
      return pickAnswerFault(random, watch);
    },
    stream: () => (random.next() < rates.streams ? pickStreamFault(random, rates.gone) : undefined),
  };
}

function pickAnswerFault(random: SeededRandom, watch: boolean): AnswerFault {
  const fault = random.pick<() => AnswerFault>([
    () => ({ kind: "reset", executed: false }),
    () => ({ kind: "reset", executed: true }),
    () => ({ kind: "silence" }),
    () => (watch ? { kind: "reset", executed: true } : { kind: "truncated" }),
    () => throttled,
    () => ({ ...throttled, retryAfter: random.between(0, 1) }),
    () => ({ kind: "status", status: 500, reason: "InternalError" }),
    () => ({ kind: "status", status: 503, reason: "ServiceUnavailable", retryAfter: random.between(0, 1) }),
    () => ({ kind: "status", status: 401, reason: "Unauthorized" }),
    () => ({ kind: "html" }),
    () => ({ kind: "delay", delayMs: random.between(1, 400) }),
    () => ({ kind: "delay", delayMs: random.between(1, 50) }),
  ]);
  return fault();
}

type Failure = readonly [code: number, reason: string];

const gone410: Failure = [410, "Expired"];
const failures: readonly [Failure, ...Failure[]] = [
  [500, "InternalError"],
  [429, "TooManyRequests"],
  [504, "Timeout"],
];

function pickStreamFault(random: SeededRandom, gone: boolean): StreamFault {
  const [code, reason] = gone && random.next() < 0.5 ? gone410 : random.pick(failures);
  return {
    afterLines: random.between(0, 60),
    end: random.pick<StreamEnd>(["reset", "close", "stall", "error"]),
    midLine: random.next() < 0.4,
    duplicate: random.next() < 0.3,
    lineDelayMs: random.next() < 0.2 ? random.between(1, 20) : 0,
    code,
    reason,
  };
}

/** A name to count a fault under. */
export function nameAnswerFault(fault: AnswerFault): string {
  if (fault.kind === "status") return `${fault.status}${fault.retryAfter === undefined ? "" : "+retry-after"}`;
  return fault.kind === "reset" && fault.executed ? "reset-after-execution" : fault.kind;
}

export function nameStreamFault(fault: StreamFault): string {
  if (fault.end === "error") return `stream-error-${fault.code}`;
  return `stream-${fault.end}${fault.midLine ? "-mid-line" : ""}`;
}
