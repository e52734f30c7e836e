/**
 * A gateway without a pool, to try agents and clients on one machine: agents from a JSON file, read at the start, and windows
 * written to a folder. Nothing is settled that way, and the log says so. Effects: reads one file, writes one for each
 * window.
 */
import { randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { isDigest } from "../base/digest.ts";
import { InferiumError } from "../base/errors.ts";
import type { AgentDirectory, AgentEntry, CallSink, OpenedCall } from "../pool/agents.ts";
import { ensureFolder, writeDurably } from "../pool/durable-file.ts";
import type { CommittedWindow } from "../protocol/call-window.ts";

/** @throws InferiumError InvalidConfiguration */
export async function readFileDirectory(path: string): Promise<AgentDirectory> {
  const text = await readFile(path, "utf8").catch((cause: unknown) => {
    throw invalid(path, "cannot be read", cause);
  });
  const agents = parseAgents(path, text);
  return { current: () => agents, onChange: () => () => undefined };
}

function parseAgents(path: string, text: string): readonly AgentEntry[] {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw invalid(path, "is not JSON", cause);
  }
  if (!Array.isArray(value)) throw invalid(path, "holds no list of agents");
  for (const [index, agent] of value.entries()) {
    const wrong = findWrong(agent);
    if (wrong !== undefined) throw invalid(path, `has an agent (number ${index + 1}) ${wrong}`);
  }
  return value as AgentEntry[];
}

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === "object" && value !== null;
const isWei = (value: unknown) => typeof value === "string" && /^[0-9]{1,78}$/.test(value);

function findWrong(agent: unknown): string | undefined {
  if (!isObject(agent)) return "that is no object";
  for (const name of ["agentId", "namespace", "name", "modelName"]) {
    if (typeof agent[name] !== "string") return `without "${name}"`;
  }
  if (agent.protocol !== "oip" && agent.protocol !== "openai") return 'whose "protocol" is neither oip nor openai';
  if (!Array.isArray(agent.backends)) return 'without a list of "backends"';
  if (!isWei(agent.priceWei)) return 'whose "priceWei" is no decimal string';
  const { limits, callers } = agent;
  for (const name of ["requestsPerSecond", "burst", "maxBodyBytes", "timeoutMs", "queue"]) {
    if (!isObject(limits) || typeof limits[name] !== "number") return `whose "limits" have no number "${name}"`;
  }
  if (callers === "anyone") return undefined;
  if (!Array.isArray(callers)) return 'whose "callers" are neither a list nor "anyone"';
  const isCaller = (caller: unknown) =>
    isObject(caller) && typeof caller.id === "string" && isDigest(String(caller.keyDigest)) && isWei(caller.budgetWei);
  return callers.every(isCaller) ? undefined : 'with a caller that has no "id", "keyDigest" or "budgetWei"';
}

function invalid(path: string, what: string, cause?: unknown): InferiumError {
  const message = `The file of agents ${path} ${what}; see docs/gateway.md.`;
  return new InferiumError("InvalidConfiguration", message, { disposition: "fatal", cause });
}

const samples = 8;

/** A file for each window: what was committed, and the calls that the seed picked. */
export function createFolderSink(dir: string): CallSink {
  const committed = new Map<string, CommittedWindow>();
  const write = async (windowId: string, part: string, value: object) => {
    await ensureFolder(dir);
    await writeDurably(join(dir, `${windowId}.${part}.json`), JSON.stringify(value));
  };
  return {
    async commit(window) {
      const known = committed.get(window.windowId);
      if (known !== undefined) return known;
      await write(window.windowId, "window", window);
      const answer = { seed: `0x${randomBytes(32).toString("hex")}`, samples };
      committed.set(window.windowId, answer);
      return answer;
    },
    async open(windowId: string, calls: readonly OpenedCall[]) {
      await write(windowId, "opened", calls);
      committed.delete(windowId);
    },
  };
}
