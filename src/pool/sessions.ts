/**
 * Open sessions by the hash of their bearer token: who reads this process's memory or a dump of it finds no token that
 * works. Bounded in all and per account; an account that opens one too many loses its oldest.
 */
import { createHash, randomBytes } from "node:crypto";
import type { Clock } from "../base/clock.ts";
import type { PoolCaller } from "./backend.ts";

export interface Session {
  readonly caller: PoolCaller;
  readonly expiresAtMs: number;
}

export interface SessionStore {
  /** Undefined where the store is full of sessions that are still good. */
  open(caller: PoolCaller): { readonly token: string; readonly expiresAtMs: number } | undefined;
  /** Undefined for a token that is unknown or expired. */
  find(token: string): PoolCaller | undefined;
}

export interface SessionStoreOptions {
  readonly ttlMs: number;
  readonly maxSessions: number;
  readonly maxPerAccount: number;
  readonly clock: Clock;
}

export function createSessionStore(options: SessionStoreOptions): SessionStore {
  const { clock } = options;
  const sessions = new Map<string, Session>();

  const forgetExpired = () => {
    for (const [key, session] of sessions) if (clock.now() >= session.expiresAtMs) sessions.delete(key);
  };
  const makeRoom = ({ account, role }: PoolCaller): boolean => {
    const own = [...sessions].filter(([, { caller }]) => caller.account === account && caller.role === role);
    const excess = own.slice(0, Math.max(0, own.length - options.maxPerAccount + 1));
    for (const [key] of excess) sessions.delete(key);
    if (sessions.size >= options.maxSessions) forgetExpired();
    return sessions.size < options.maxSessions;
  };

  return {
    open(caller) {
      if (!makeRoom(caller)) return undefined;
      const token = randomBytes(32).toString("base64url");
      const expiresAtMs = clock.now() + options.ttlMs;
      sessions.set(hashToken(token), { caller, expiresAtMs });
      return { token, expiresAtMs };
    },
    find(token) {
      const key = hashToken(token);
      const session = sessions.get(key);
      if (session === undefined) return undefined;
      if (clock.now() < session.expiresAtMs) return session.caller;
      sessions.delete(key);
      return undefined;
    },
  };
}

function hashToken(token: string): string {
  return createHash("sha256").update(token).digest("base64");
}
