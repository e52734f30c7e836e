/** The calls of the pool API: who may make each, how its body is read, and what answers it. */
import type { PoolBackend, PoolCaller } from "./backend.ts";
import { issueChallenge, openSession, type SessionGate } from "./open-session.ts";
import {
  parseAttest,
  parseBatch,
  parseCapability,
  parseChallenge,
  parseClaim,
  parseHeartbeat,
  parseItem,
  parseReceipt,
  parseSession,
} from "./parse-request.ts";
import type { ClaimRequest, ClaimResponse, PoolRole } from "./wire.ts";

export interface OpenVerb {
  readonly name: string;
  readonly answer: (body: Buffer) => Promise<object>;
}

export interface SessionVerb {
  readonly name: string;
  readonly roles: readonly PoolRole[];
  readonly answer: (caller: PoolCaller, body: Buffer, signal: AbortSignal) => Promise<object>;
}

export type WaitForWork = (caller: PoolCaller, request: ClaimRequest, signal: AbortSignal) => Promise<ClaimResponse>;

export function createOpenVerbs(gate: SessionGate): ReadonlyMap<string, OpenVerb> {
  return new Map([
    [
      "/v1/session/challenge",
      { name: "challenge", answer: async (body) => issueChallenge(gate, parseChallenge(body)) },
    ],
    ["/v1/session", { name: "session", answer: async (body) => openSession(gate, parseSession(body)) }],
  ]);
}

export function createSessionVerbs(backend: PoolBackend, wait: WaitForWork): ReadonlyMap<string, SessionVerb> {
  const both: readonly PoolRole[] = ["Worker", "Validator"];
  const verbs: readonly SessionVerb[] = [
    { name: "claim", roles: both, answer: async (caller, body, signal) => wait(caller, parseClaim(body), signal) },
    { name: "heartbeat", roles: both, answer: async (caller, body) => backend.heartbeat(caller, parseHeartbeat(body)) },
    { name: "receipt", roles: ["Worker"], answer: async (caller, body) => backend.receipt(caller, parseReceipt(body)) },
    {
      name: "capability",
      roles: ["Worker"],
      answer: async (caller, body) => backend.capability(caller, parseCapability(body)),
    },
    { name: "attest", roles: ["Validator"], answer: async (caller, body) => backend.attest(caller, parseAttest(body)) },
    { name: "batch", roles: ["Validator"], answer: async (caller, body) => backend.batch(caller, parseBatch(body)) },
    { name: "item", roles: ["Validator"], answer: async (caller, body) => backend.item(caller, parseItem(body)) },
  ];
  return new Map(verbs.map((verb) => [`/v1/${verb.name}`, verb]));
}
