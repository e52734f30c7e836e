/**
 * The two calls without a session: a challenge, and its signed answer for a token. A session belongs to whoever holds
 * the account's key and only while the backend knows the account.
 */
import { getAddress } from "ethers";
import { type ProtocolDomain, recoverSigner, sessionTypes } from "../protocol/typed-data.ts";
import type { PoolBackend } from "./backend.ts";
import type { ChallengeFinding, Challenges } from "./challenge.ts";
import { PoolRefusal } from "./refusal.ts";
import type { SessionStore } from "./sessions.ts";
import type { ChallengeRequest, ChallengeResponse, PoolRole, SessionRequest, SessionResponse } from "./wire.ts";

export interface SessionGate {
  readonly pool: string;
  readonly domain: ProtocolDomain;
  readonly backend: PoolBackend;
  readonly challenges: Challenges;
  readonly sessions: SessionStore;
}

/** @throws PoolRefusal 400 InvalidAddress, 403 with the backend's refusal */
export async function issueChallenge(gate: SessionGate, request: ChallengeRequest): Promise<ChallengeResponse> {
  const account = parseAddress(request.account);
  await admit(gate, account, request.role);
  return { pool: gate.pool, domain: gate.domain, ...gate.challenges.issue(account, request.role) };
}

/** @throws PoolRefusal 401 where challenge or signature do not hold, 403 with the backend's refusal, 503 */
export async function openSession(gate: SessionGate, request: SessionRequest): Promise<SessionResponse> {
  const account = parseAddress(request.account);
  const claim = { account, role: request.role, challenge: request.challenge, expiresAtMs: request.expiresAtMs };
  // The MAC before the signature: it costs a thousandth and keeps strangers from making us recover keys.
  checkFinding(gate.challenges.check(claim));
  const signer = recoverSigner(gate.domain, sessionTypes, { ...claim, pool: gate.pool }, request.signature);
  if (signer !== account) {
    throw new PoolRefusal(
      401,
      "WrongSigner",
      `The challenge was signed by ${signer ?? "nobody"}; expected ${account}.`,
    );
  }
  const { node } = await admit(gate, account, request.role);
  checkFinding(gate.challenges.redeem(claim));
  const session = gate.sessions.open({ account, role: request.role, node });
  if (session === undefined) throw new PoolRefusal(503, "TooManySessions", "All sessions are taken; try again.", 5000);
  return { ...session, node };
}

function checkFinding(finding: ChallengeFinding): void {
  if (finding === "Valid") return;
  if (finding === "Full")
    throw new PoolRefusal(503, "TooManySessions", "Too many sessions were opened; try again.", 5000);
  const message = `The challenge is ${finding.toLowerCase()}; ask for a new one and answer it once, in time.`;
  throw new PoolRefusal(401, `Challenge${finding}`, message);
}

async function admit(gate: SessionGate, account: string, role: PoolRole): Promise<{ readonly node: string }> {
  const answer = await gate.backend.admit(account, role);
  if ("node" in answer) return answer;
  throw new PoolRefusal(403, answer.refusal, answer.message);
}

function parseAddress(text: string): string {
  try {
    return getAddress(text);
  } catch {
    throw new PoolRefusal(400, "InvalidAddress", `The account ${text} has a wrong checksum.`);
  }
}
