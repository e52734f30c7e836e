/**
 * Challenges without a store for strangers to fill: 16 random bytes and a MAC over them, the account, the role and the
 * expiry, under a secret of this process. Only a challenge that was answered with the right signature is remembered, so
 * that it is good once; those are at most as many as sessions were opened in the lifetime of a challenge.
 */
import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import type { Clock } from "../base/clock.ts";
import type { PoolRole } from "./wire.ts";

export interface ChallengeClaim {
  readonly account: string;
  readonly role: PoolRole;
  readonly challenge: string;
  readonly expiresAtMs: number;
}

export type ChallengeFinding = "Valid" | "Forged" | "Expired" | "Used" | "Full";

export interface Challenges {
  issue(account: string, role: PoolRole): { readonly challenge: string; readonly expiresAtMs: number };
  /** Whether this server issued it for this account and role and it is still good. */
  check(claim: ChallengeClaim): ChallengeFinding;
  /** Uses it up; call only after the signature was verified. */
  redeem(claim: ChallengeClaim): ChallengeFinding;
}

export function createChallenges(ttlMs: number, clock: Clock, maxUsed = 20_000): Challenges {
  const secret = randomBytes(32);
  /** Expiry by used challenge, in the order of use. */
  const used = new Map<string, number>();

  const macOf = (nonce: Buffer, { account, role, expiresAtMs }: Omit<ChallengeClaim, "challenge">): Buffer =>
    createHmac("sha256", secret).update(nonce).update(`${account} ${role} ${expiresAtMs}`).digest().subarray(0, 16);

  const check = (claim: ChallengeClaim): ChallengeFinding => {
    const bytes = Buffer.from(claim.challenge.slice(2), "hex");
    if (bytes.length !== 32) return "Forged";
    if (!timingSafeEqual(bytes.subarray(16), macOf(bytes.subarray(0, 16), claim))) return "Forged";
    if (clock.now() >= claim.expiresAtMs) return "Expired";
    return used.has(claim.challenge.toLowerCase()) ? "Used" : "Valid";
  };

  const forgetExpired = () => {
    for (const [challenge, expiresAtMs] of used) if (clock.now() >= expiresAtMs) used.delete(challenge);
  };

  return {
    issue(account, role) {
      const nonce = randomBytes(16);
      const expiresAtMs = clock.now() + ttlMs;
      const mac = macOf(nonce, { account, role, expiresAtMs });
      return { challenge: `0x${nonce.toString("hex")}${mac.toString("hex")}`, expiresAtMs };
    },
    check,
    redeem(claim) {
      const finding = check(claim);
      if (finding !== "Valid") return finding;
      if (used.size >= maxUsed) forgetExpired();
      // Forgetting one that is still good would let it be used twice.
      if (used.size >= maxUsed) return "Full";
      used.set(claim.challenge.toLowerCase(), claim.expiresAtMs);
      return "Valid";
    },
  };
}
