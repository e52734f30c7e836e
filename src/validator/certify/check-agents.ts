/**
 * Windows of agents' calls: the split of their revenue is the chain's, for the agent that the host's receipt names. Nobody
 * else's word counts for it: a mark that an operator puts on a task, or moves to another agent, changes who is paid. Pure.
 */
import { describeError } from "../../base/errors.ts";
import type { AgentEvidence } from "../../pool/batch-evidence.ts";
import { checkStatement, hashWindow } from "../../protocol/call-window.ts";
import type { AgentShares } from "../../protocol/reward.ts";
import type { ProtocolDomain } from "../../protocol/typed-data.ts";
import { type Finding, finding } from "./finding.ts";
import type { ParsedTask } from "./parse-batch.ts";

/** As the chain's AgentRevenue has it. */
export interface RegisteredAgent {
  readonly creator: string;
  readonly host: string;
  readonly shares: AgentShares;
}

export interface AgentRules {
  readonly domain: ProtocolDomain;
  /** By agent id; an agent that is not registered is missing. Undefined where the chain is not read. */
  readonly agents: ReadonlyMap<string, RegisteredAgent> | undefined;
  /** Windows are settled once, as tasks are. */
  readonly settledTasks: { has(id: string): boolean };
}

export function checkAgent(task: ParsedTask, rules: AgentRules): Finding | undefined {
  if (task.agent === undefined) return undefined;
  return checkWindow(task, task.agent, rules) ?? checkSplit(task, task.agent, rules.agents);
}

function checkWindow(task: ParsedTask, { window }: AgentEvidence, rules: AgentRules): Finding | undefined {
  const wrong = checkStatement(window);
  if (wrong !== undefined) return finding("WindowNotValid", `Task ${task.taskId}: ${wrong}.`);
  const named = tryHash(rules.domain, window);
  if (named !== task.receipt.message.codeDigest) {
    return finding("WindowNotSigned", `The receipt of task ${task.taskId} is not about window ${window.windowId}.`);
  }
  if (BigInt(window.revenueWei) !== task.rewardWei) {
    const message = `Task ${task.taskId} pays ${task.rewardWei} wei; its window's calls cost ${window.revenueWei}.`;
    return finding("RevenueMismatch", message);
  }
  if (!rules.settledTasks.has(window.windowId)) return undefined;
  return finding("WindowSettledBefore", `Window ${window.windowId} is in a batch that was certified before.`);
}

function tryHash(domain: ProtocolDomain, window: AgentEvidence["window"]): string {
  try {
    return hashWindow(domain, window);
  } catch (error) {
    return describeError(error);
  }
}

function checkSplit(
  task: ParsedTask,
  { window, creator, shares }: AgentEvidence,
  agents: AgentRules["agents"],
): Finding | undefined {
  if (agents === undefined) return undefined;
  const agent = agents.get(window.agentId);
  if (agent === undefined) return finding("UnknownAgent", `The chain knows no agent ${window.agentId}.`);
  if (agent.creator !== creator) {
    const message = `Agent ${window.agentId} is ${agent.creator}'s by the chain; task ${task.taskId} pays ${creator}.`;
    return finding("WrongCreator", message);
  }
  if (agent.host !== task.payee) {
    const message = `Agent ${window.agentId} is hosted for ${agent.host}; task ${task.taskId} pays ${task.payee}.`;
    return finding("WrongHost", message);
  }
  const differs = (Object.keys(agent.shares) as (keyof AgentShares)[]).find((key) => agent.shares[key] !== shares[key]);
  if (differs === undefined) return undefined;
  const message = `Task ${task.taskId} is split with ${differs} ${shares[differs]}; the chain says ${agent.shares[differs]}.`;
  return finding("WrongSplit", message);
}
