/** Which agent a call is for, and what the caller shows of itself. */
import type { IncomingMessage } from "node:http";
import type { AgentEntry } from "../../pool/agents.ts";
import type { Agent } from "../agent.ts";
import type { AgentTable } from "../agent-table.ts";
import { CallRefusal } from "../call-refusal.ts";

/** The bearer key; undefined where there is none. */
export function readKey(request: IncomingMessage): string | undefined {
  return /^Bearer +([\x21-\x7e]{1,512})$/i.exec(request.headers.authorization ?? "")?.[1];
}

export function addressOf(request: IncomingMessage): string {
  return request.socket.remoteAddress ?? "unknown";
}

/**
 * Of several agents of one name the one whose caller this is; else the first, which will say what is wrong with the key.
 * @throws CallRefusal 404
 */
export function findAgent(
  agents: AgentTable,
  protocol: AgentEntry["protocol"],
  modelName: string,
  request: IncomingMessage,
): Agent {
  const named = agents.named(protocol, modelName);
  const [first] = named;
  if (first === undefined) {
    throw new CallRefusal(404, "UnknownModel", `There is no model "${modelName.slice(0, 200)}" here.`);
  }
  if (named.length === 1) return first;
  const key = readKey(request);
  return named.find((agent) => agent.callers.find(key, addressOf(request)) !== undefined) ?? first;
}
