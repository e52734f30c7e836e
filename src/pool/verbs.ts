/** The calls of the pool API: who may make each, how its body is read, and what answers it. */
import type { AgentBackend, PoolBackend, PoolCaller } from "./backend.ts";
import { issueChallenge, openSession, type SessionGate } from "./open-session.ts";
import {
  parseAgents,
  parseAttest,
  parseBatch,
  parseCapability,
  parseChallenge,
  parseClaim,
  parseHeartbeat,
  parseItem,
  parseLoad,
  parseOpen,
  parseReceipt,
  parseSession,
  parseWindow,
} from "./parse-request.ts";
import { PoolRefusal } from "./refusal.ts";
import type { ClaimRequest, ClaimResponse, PoolRole } from "./wire.ts";

export interface OpenVerb {
  readonly name: string;
  readonly answer: (body: Buffer) => Promise<object>;
}

export interface SessionVerb {
  readonly name: string;
  readonly roles: readonly PoolRole[];
  /** The call may wait for news as long as it asks to. */
  readonly waits?: true;
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
    {
      ...{ name: "claim", roles: both, waits: true },
      answer: async (caller, body, signal) => wait(caller, parseClaim(body), signal),
    },
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
    ...createGatewayVerbs(backend),
  ];
  return new Map(verbs.map((verb) => [`/v1/${verb.name}`, verb]));
}

function createGatewayVerbs(backend: PoolBackend): readonly SessionVerb[] {
  const roles: readonly PoolRole[] = ["Gateway"];
  return [
    {
      ...{ name: "agents", roles, waits: true },
      answer: async (_, body, signal) => agentsOf(backend).directory(parseAgents(body), signal),
    },
    { name: "window", roles, answer: async (_, body) => agentsOf(backend).commit(parseWindow(body)) },
    { name: "open", roles, answer: async (_, body) => agentsOf(backend).open(parseOpen(body)) },
    { name: "load", roles, answer: async (caller, body) => agentsOf(backend).load(caller, parseLoad(body)) },
  ];
}

function agentsOf({ agents }: PoolBackend): AgentBackend {
  if (agents !== undefined) return agents;
  throw new PoolRefusal(404, "NoAgents", "This pool hosts no agents; turn them on in its operator's configuration.");
}
