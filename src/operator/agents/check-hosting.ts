/** May an agent be called? Ordered, named checks over what was gathered; the first that finds something answers. Pure. */
import { checksumAddress } from "../../protocol/checksum-address.ts";
import type { AgentShares } from "../../protocol/reward.ts";
import { isAtLeast } from "../../protocol/tier.ts";
import type { AgentObject, WorkerObject } from "../kinds.ts";
import type { Finding } from "./agent-status.ts";
import type { FoundCaller } from "./read-callers.ts";

export interface HostFacts {
  readonly worker: WorkerObject | undefined;
  /** Who is paid for the worker's work; undefined where the chain could not be asked. */
  readonly payout: string | undefined;
  /** Undefined where it has no id, is not registered, or the chain could not be asked. */
  readonly chain: { readonly creator: string; readonly host: string; readonly shares: AgentShares } | undefined;
  /** Why the chain could not be asked. */
  readonly chainProblem: string | undefined;
}

export interface HostingCase extends HostFacts {
  readonly callers: readonly FoundCaller[];
  readonly allowUnverified: boolean;
}

/** They pass by themselves: the chain answers again, the worker is back or has proved its tier anew. */
const passingReasons: ReadonlySet<string> = new Set(["ChainUnavailable", "HostTierTooLow", "HostUnknown"]);
export const isPassing = ({ reason }: Finding): boolean => passingReasons.has(reason);

type Check = (agent: AgentObject, facts: HostingCase) => Finding | undefined;

const checks: readonly Check[] = [
  checkPolicy,
  checkHost,
  checkTier,
  checkChain,
  checkRegistered,
  checkPayout,
  checkCallers,
];

export function checkHosting(agent: AgentObject, facts: HostingCase): Finding | undefined {
  for (const check of checks) {
    const found = check(agent, facts);
    if (found) return found;
  }
  return undefined;
}

const refuse = (reason: string, message: string): Finding => ({ reason, message });

function checkPolicy({ spec }: AgentObject, { allowUnverified }: HostingCase): Finding | undefined {
  const isOpenAi = spec.protocol === "OpenAI";
  if (isOpenAi && spec.verification.policy !== "None")
    return refuse("PolicyNotFit", "Answers of an OpenAI API cannot be run again; set verification.policy to None.");
  if (spec.verification.policy !== "None" || allowUnverified) return undefined;
  const why = isOpenAi ? ", which calls of an OpenAI API need" : "";
  const otherwise = isOpenAi ? "host a model that speaks the Open Inference Protocol" : "choose Exact or Tolerance";
  return refuse(
    "PolicyNotAllowed",
    `verification.policy is None${why}, and this pool pays for nothing that it did not check: no call is taken. Let operator and validators settle unverified work (operator.allowUnverified of the chart, INFERIUM_ALLOW_UNVERIFIED), or ${otherwise}.`,
  );
}

function checkHost({ spec }: AgentObject, { worker }: HostingCase): Finding | undefined {
  if (worker && worker.spec.role !== "Validator") return undefined;
  const what = worker ? "is a validator" : "does not exist";
  return refuse("HostUnknown", `WorkerNode ${spec.host.worker}, which is to sign for the calls, ${what}.`);
}

/** As tasks of type Agent are placed: real-time work is for Mid and High. */
function checkTier({ spec }: AgentObject, { worker }: HostingCase): Finding | undefined {
  const tier = worker?.status?.tier;
  if (tier && isAtLeast(tier, "Mid")) return undefined;
  return refuse(
    "HostTierTooLow",
    `WorkerNode ${spec.host.worker} is of tier ${tier ?? "none"}; agents need Mid at least.`,
  );
}

function checkChain({ spec }: AgentObject, { chainProblem }: HostingCase): Finding | undefined {
  if (spec.agentId === undefined || chainProblem === undefined) return undefined;
  return refuse("ChainUnavailable", `Whether the agent is registered is not known: ${chainProblem}`);
}

function checkRegistered({ spec }: AgentObject, { chain }: HostingCase): Finding | undefined {
  if (spec.agentId === undefined || chain !== undefined) return undefined;
  return refuse("NotRegistered", `AgentRevenue knows no agent ${spec.agentId}; its creator registers it, for a host.`);
}

function checkPayout({ spec }: AgentObject, { chain, payout }: HostingCase): Finding | undefined {
  if (chain === undefined || payout === undefined || checksumAddress(payout) === chain.host) return undefined;
  const message = `The chain says that the agent is hosted for ${chain.host}; WorkerNode ${spec.host.worker} works for ${payout}.`;
  return refuse("HostNotPaid", message);
}

function checkCallers({ spec }: AgentObject, { callers }: HostingCase): Finding | undefined {
  if (spec.anyone || callers.some(({ entry }) => entry !== undefined)) return undefined;
  return refuse(
    "NoCaller",
    `None of the callers can call: ${callers.map(({ id, problem }) => `${id}: ${problem}`).join(" ")}`.slice(0, 1_000),
  );
}
