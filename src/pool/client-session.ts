/**
 * The client's half of a session: answers a challenge with its key, keeps the token, renews it in time. What it signs is
 * checked first: another pool's challenge, relayed to us, must not get our signature.
 */
import type { Clock } from "../base/clock.ts";
import { InferiumError } from "../base/errors.ts";
import { type ProtocolDomain, sessionTypes } from "../protocol/typed-data.ts";
import type { Transport } from "./client-transport.ts";
import type { ProtocolSigner } from "./signer.ts";
import type { ChallengeResponse, PoolRole, SessionRequest, SessionResponse } from "./wire.ts";

/** What the pool must say of itself; where a field is left out, anything is taken. */
export interface ExpectedPool {
  readonly pool?: string | undefined;
  readonly domain?: ProtocolDomain | undefined;
}

export interface OpenedSession {
  readonly token: string;
  readonly pool: string;
  readonly domain: ProtocolDomain;
  /** Name of our WorkerNode. */
  readonly node: string;
  readonly renewAtMs: number;
}

export interface ClientSession {
  /** The session in force, opened or renewed where needed; concurrent callers share one opening. */
  get(): Promise<OpenedSession>;
  /** After a 401: the session is not used again. */
  drop(session: OpenedSession): void;
}

export interface ClientSessionOptions {
  readonly transport: Transport;
  readonly signer: ProtocolSigner;
  readonly role: PoolRole;
  readonly clock: Clock;
  readonly expected?: ExpectedPool | undefined;
}

const callTimeoutMs = 15_000;

export function createClientSession(options: ClientSessionOptions): ClientSession {
  let current: OpenedSession | undefined;
  let opening: Promise<OpenedSession> | undefined;
  return {
    async get() {
      if (current !== undefined && options.clock.monotonic() < current.renewAtMs) return current;
      opening ??= openSession(options).finally(() => {
        opening = undefined;
      });
      current = await opening;
      return current;
    },
    drop(session) {
      if (current === session) current = undefined;
    },
  };
}

async function openSession({ transport, signer, role, clock, expected }: ClientSessionOptions): Promise<OpenedSession> {
  const account = signer.address;
  const asked = { path: "/v1/session/challenge", body: { account, role }, timeoutMs: callTimeoutMs };
  const challenge = readChallenge(await transport.post(asked));
  checkExpected(challenge, expected ?? {});
  const claim = { account, role, challenge: challenge.challenge, expiresAtMs: challenge.expiresAtMs };
  const message = { ...claim, pool: challenge.pool };
  const body: SessionRequest = {
    ...claim,
    signature: await signer.signTypedData(challenge.domain, sessionTypes, message),
  };
  const session = readSession(await redeem(transport, body));
  // The server's clock may differ from ours: a session is used for four fifths of its life, and at least for a while.
  const lifeMs = Math.max(60_000, (session.expiresAtMs - clock.now()) * 0.8);
  const { pool, domain } = challenge;
  return { token: session.token, node: session.node, pool, domain, renewAtMs: clock.monotonic() + lifeMs };
}

/** A challenge that has passed meanwhile, as where another operator took over or its clock was set, says nothing of us: there is another one. */
async function redeem(transport: Transport, body: SessionRequest): Promise<unknown> {
  try {
    return await transport.post({ path: "/v1/session", body, timeoutMs: callTimeoutMs });
  } catch (error) {
    if (!(error instanceof InferiumError) || !passedChallenges.has(error.code)) throw error;
    const { code, message, evidence } = error;
    throw new InferiumError(code, message, { disposition: "retry", evidence, cause: error });
  }
}

const passedChallenges: ReadonlySet<string> = new Set(["ChallengeExpired", "ChallengeForged", "ChallengeUsed"]);

function readChallenge(answer: unknown): ChallengeResponse {
  const challenge = answer as Partial<ChallengeResponse> | null;
  const { chainId, settlement } = challenge?.domain ?? {};
  const good =
    typeof challenge?.pool === "string" &&
    typeof chainId === "number" &&
    typeof settlement === "string" &&
    /^0x[0-9a-f]{64}$/.test(challenge.challenge ?? "") &&
    typeof challenge.expiresAtMs === "number";
  if (good) return challenge as ChallengeResponse;
  throw new InferiumError("BadAnswer", "The pool's challenge lacks a field or has a wrong one; check its version.");
}

function readSession(answer: unknown): SessionResponse {
  const session = answer as Partial<SessionResponse> | null;
  if (
    typeof session?.token === "string" &&
    typeof session.node === "string" &&
    typeof session.expiresAtMs === "number"
  ) {
    return session as SessionResponse;
  }
  throw new InferiumError("BadAnswer", "The pool's session lacks a field or has a wrong one; check its version.");
}

/** @throws InferiumError WrongPool */
function checkExpected({ pool, domain }: ChallengeResponse, expected: ExpectedPool): void {
  const sameDomain =
    expected.domain === undefined ||
    (expected.domain.chainId === domain.chainId &&
      expected.domain.settlement.toLowerCase() === domain.settlement.toLowerCase());
  if (sameDomain && (expected.pool === undefined || expected.pool === pool)) return;
  const got = `"${pool.slice(0, 64)}" on chain ${domain.chainId}, settlement ${domain.settlement}`;
  const want = `"${expected.pool ?? "any"}" on chain ${expected.domain?.chainId ?? "any"}, settlement ${expected.domain?.settlement ?? "any"}`;
  throw new InferiumError("WrongPool", `The pool says it is ${got}; configured is ${want}. Nothing was signed.`);
}
