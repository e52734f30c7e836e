/** What AgentRevenue says of an agent: who made it, who hosts it, and how the revenue of every agent is split now. */
import { ZeroAddress } from "ethers";
import type { AgentShares } from "../protocol/reward.ts";
import type { Reader } from "./client.ts";

export interface AgentRecord {
  readonly creator: string;
  readonly host: string;
  readonly shares: AgentShares;
}

/** Undefined where no such agent is registered. @throws InferiumError RpcFailed */
export async function readAgent(read: Reader, agentId: string): Promise<AgentRecord | undefined> {
  const [[agent], [split]] = await Promise.all([
    read("agentRevenue", "agentOf", [agentId]),
    read("agentRevenue", "split", []),
  ]);
  if (agent.creator === ZeroAddress) return undefined;
  const { creatorBps, hostBps, validatorsBps, treasuryBps } = split;
  const shares = { creatorBps, hostBps, validatorsBps, treasuryBps };
  return { creator: agent.creator, host: agent.host, shares: toNumbers(shares) };
}

function toNumbers(shares: Readonly<Record<keyof AgentShares, bigint>>): AgentShares {
  const { creatorBps, hostBps, validatorsBps, treasuryBps } = shares;
  return {
    creatorBps: Number(creatorBps),
    hostBps: Number(hostBps),
    validatorsBps: Number(validatorsBps),
    treasuryBps: Number(treasuryBps),
  };
}
