/** What the status of an Agent says, from what was gathered of it. Pure; times of conditions that did not change are kept. */
import { type Condition, setCondition } from "../../api/v1alpha1/conditions.ts";
import type { AgentStatus } from "../../api/v1alpha1/generated/agents.ts";
import { formatIfr } from "../../protocol/amount.ts";
import type { Load } from "../../protocol/replicas.ts";
import type { AgentShares } from "../../protocol/reward.ts";
import type { AgentObject } from "../kinds.ts";
import type { CallerAccount } from "./caller-accounts.ts";
import type { FoundCaller } from "./read-callers.ts";

export interface Finding {
  readonly reason: string;
  readonly message: string;
}

export interface AgentFacts {
  /** Why it may not be called; undefined where it may. */
  readonly refusal: Finding | undefined;
  readonly ready: number;
  readonly desired: number;
  readonly lastScaleTime: string | undefined;
  readonly chain: { readonly creator: string; readonly host: string; readonly shares: AgentShares } | undefined;
  readonly load: Load | undefined;
  readonly accounts: readonly CallerAccount[];
  readonly callers: readonly FoundCaller[];
}

export function buildAgentStatus({ metadata, spec, status }: AgentObject, facts: AgentFacts, now: string): AgentStatus {
  const { ready, desired, chain, load, accounts } = facts;
  const observedGeneration = metadata.generation ?? 0;
  return {
    observedGeneration,
    conditions: buildConditions((status?.conditions ?? []) as Condition[], {
      facts,
      observedGeneration,
      now,
      suspended: spec.suspend,
      accepted: describeAccepted(spec),
    }),
    readyReplicas: ready,
    desiredReplicas: desired,
    ...(facts.lastScaleTime ? { lastScaleTime: facts.lastScaleTime } : {}),
    ...(chain ? { shares: { creator: chain.creator, host: chain.host, ...chain.shares } } : {}),
    ...(load ? { load } : {}),
    calls: sumCalls(accounts),
    callers: listCallers(facts),
  };
}

function sumCalls(accounts: readonly CallerAccount[]): NonNullable<AgentStatus["calls"]> {
  const sum = (field: "calls" | "failed" | "windows" | "settledWindows" | "lostWindows") =>
    accounts.reduce((total, account) => total + account[field], 0);
  const wei = (field: "spentWei" | "settledWei") =>
    formatIfr(accounts.reduce((total, account) => total + BigInt(account[field]), 0n));
  return {
    count: sum("calls"),
    failed: sum("failed"),
    windows: sum("windows"),
    settledWindows: sum("settledWindows"),
    lostWindows: sum("lostWindows"),
    revenueIfr: wei("spentWei"),
    settledIfr: wei("settledWei"),
  };
}

const maxListed = 257;

function listCallers({ accounts, callers }: AgentFacts): NonNullable<AgentStatus["callers"]> {
  const ids = new Set([...callers.map(({ id }) => id), ...accounts.map(({ callerId }) => callerId)]);
  return [...ids].slice(0, maxListed).map((id) => {
    const account = accounts.find(({ callerId }) => callerId === id);
    const problem = callers.find((caller) => caller.id === id)?.problem;
    return {
      id,
      calls: account?.calls ?? 0,
      spentIfr: formatIfr(BigInt(account?.spentWei ?? "0")),
      ...(problem ? { problem } : {}),
    };
  });
}

interface Context {
  readonly facts: AgentFacts;
  readonly observedGeneration: number;
  readonly now: string;
  readonly suspended: boolean;
  /** What is said while nothing is in the way. */
  readonly accepted: Finding;
}

function buildConditions(
  before: readonly Condition[],
  { facts, observedGeneration, now, suspended, accepted }: Context,
): Condition[] {
  const { refusal, ready, desired } = facts;
  const availability = decideAvailability(facts);
  const isReady = !refusal && ready > 0 && !suspended;
  const summary = refusal ?? (suspended ? { reason: "Suspended", message: "spec.suspend is true." } : availability);
  const isOnTheWay = !refusal && !suspended && ready !== desired;
  const changes: readonly [string, boolean, Finding][] = [
    ["Accepted", !refusal, refusal ?? accepted],
    ["Available", ready > 0, availability],
    ["Ready", isReady, summary],
    ["Reconciling", isOnTheWay, availability],
    ["Stalled", refusal !== undefined, refusal ?? { reason: "Accepted", message: "Nothing is in the way." }],
  ];
  return changes.reduce<Condition[]>(
    (conditions, [type, holds, because]) =>
      setCondition(conditions, { type, status: holds ? "True" : "False", observedGeneration, ...because }, now),
    [...before],
  );
}

function describeAccepted({ verification }: AgentObject["spec"]): Finding {
  const fit = "Host, chain and callers fit together";
  const isUnchecked = verification.policy === "None";
  return { reason: "Accepted", message: isUnchecked ? `${fit}; calls are paid, and not run again.` : `${fit}.` };
}

function decideAvailability({ ready, desired }: AgentFacts): Finding {
  const message = `${ready} of ${desired} replicas are ready.`;
  if (ready === 0) return { reason: "NoReplica", message };
  return { reason: ready < desired ? "ReplicasMissing" : "ReplicasReady", message };
}
