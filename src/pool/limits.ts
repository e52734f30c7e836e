/** Bounds of the pool server: what strangers, slow clients and busy accounts may cost it. */
import type { FrontBounds } from "../base/http-front.ts";
import type { Rate } from "../base/rate-limit.ts";
import { poolLimits } from "./wire.ts";

export interface PoolServerLimits extends Omit<FrontBounds, "callRate"> {
  readonly maxBodyBytes: number;
  /** Of the two calls that come without a session. */
  readonly maxOpenBodyBytes: number;
  /** Until the backend must have answered, on top of a claim's own wait. */
  readonly backendTimeoutMs: number;
  readonly maxWaitingClaims: number;
  readonly maxWaitingClaimsPerAccount: number;
  /** Calls with a session, by account. */
  readonly accountRate: Rate;
  /** Calls without one, by remote address; workers behind one NAT share it. */
  readonly addressRate: Rate;
  readonly maxSessions: number;
  readonly maxSessionsPerAccount: number;
  readonly challengeTtlMs: number;
  readonly sessionTtlMs: number;
}

export const defaultServerLimits: PoolServerLimits = {
  maxBodyBytes: poolLimits.maxBodyBytes,
  maxOpenBodyBytes: 16 * 1024,
  headersTimeoutMs: 10_000,
  requestTimeoutMs: 20_000,
  // Longer than clients keep an idle connection, or they would send on one that is just being closed.
  idleTimeoutMs: 75_000,
  maxHeaderBytes: 16 * 1024,
  maxHeaders: 64,
  backendTimeoutMs: 30_000,
  maxConnections: 4096,
  maxWaitingClaims: 2048,
  maxWaitingClaimsPerAccount: 4,
  accountRate: { perSecond: 200, burst: 400 },
  addressRate: { perSecond: 50, burst: 500 },
  maxSessions: 10_000,
  maxSessionsPerAccount: 8,
  challengeTtlMs: poolLimits.challengeTtlMs,
  sessionTtlMs: poolLimits.sessionTtlMs,
};
