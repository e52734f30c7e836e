/**
 * Keeps an Agent: what it may be called by, its replicas, the directory's entry for gateways, its windows and its status.
 *
 *   1. gather: callers from Secrets, host and shares from the chain, ready replicas, load, accounts
 *   2. decide: may it be called, how many replicas
 *   3. apply: Deployment and Service, the entry, the status
 *
 * An Agent that is deleted is kept by a finalizer until its calls in flight have ended and its windows are in; what is left
 * of it then goes with it. Effects: as listed.
 */
import { id as hashText } from "ethers";
import type { Clock } from "../../base/clock.ts";
import type { Logger } from "../../base/log.ts";
import type { KubeClient } from "../../kube/client.ts";
import type { Reconcile, ReconcileResult } from "../../kube/controller.ts";
import type { Secret } from "../../kube/core-resources.ts";
import { addFinalizer, removeFinalizer } from "../../kube/finalizers.ts";
import type { AgentEntry } from "../../pool/agents.ts";
import { parseIfr } from "../../protocol/amount.ts";
import type { AgentDirectory } from "../agents/agent-directory.ts";
import { type AgentFacts, buildAgentStatus } from "../agents/agent-status.ts";
import type { BackendKeeper } from "../agents/backend-keeper.ts";
import { modelNameOf } from "../agents/build-backend.ts";
import type { CallerAccounts } from "../agents/caller-accounts.ts";
import { checkHosting, type HostFacts, isPassing } from "../agents/check-hosting.ts";
import type { LoadBook } from "../agents/load-book.ts";
import { type FoundCaller, readCallers } from "../agents/read-callers.ts";
import type { ReplicaBook } from "../agents/replica-book.ts";
import { tallyWindows } from "../agents/tally-windows.ts";
import { type AgentObject, formatTime } from "../kinds.ts";
import type { TaskLedger } from "../ledger.ts";
import type { OperatorMetrics } from "../metrics.ts";
import type { OrderBook } from "../order-book.ts";

export interface AgentOptions {
  readonly find: (key: string) => AgentObject | undefined;
  readonly client: KubeClient<AgentObject>;
  readonly secrets: KubeClient<Secret>;
  readonly orders: OrderBook;
  readonly ledger: TaskLedger;
  readonly accounts: CallerAccounts;
  readonly directory: AgentDirectory;
  readonly loads: LoadBook;
  readonly replicas: ReplicaBook;
  readonly backends: BackendKeeper;
  readonly readHost: (agent: AgentObject) => Promise<HostFacts>;
  readonly pool: string;
  readonly allowUnverified: boolean;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Pick<OperatorMetrics, "agentReplicas" | "agentWindows">;
}

export const agentFinalizer = "inferium.io/agent-drain";
/** Load, Secrets and the chain are looked at so often. */
const lookAgainMs = 5_000;

export function createAgentStage(options: AgentOptions): Reconcile {
  return async (key) => {
    const found = options.find(key);
    if (!found) {
      options.directory.remove(key);
      options.replicas.forget(key);
      options.backends.forget(key);
      return undefined;
    }
    await tally(options, found);
    if (found.metadata.deletionTimestamp !== undefined) return drain(options, key, found);
    const agent = await addFinalizer(options.client, found, agentFinalizer);
    const facts = await gather(options, agent);
    const desired = agent.spec.suspend ? 0 : options.replicas.decide(key, agent, facts.load);
    await options.backends.apply(agent, desired);
    announce(options, key, agent, facts);
    options.metrics.agentReplicas.set(labelsOf(agent), facts.ready);
    await writeStatus(options, agent, { ...facts, desired, lastScaleTime: options.replicas.lastScaleTime(key) });
    return { requeueAfterMs: lookAgainMs };
  };
}

function announce(options: AgentOptions, key: string, agent: AgentObject, facts: Gathered): void {
  const { directory } = options;
  if (facts.refusal && isPassing(facts.refusal)) directory.pause(key, agentIdOf(agent), facts.refusal.reason);
  else directory.set(key, facts.refusal ? null : buildEntry(options, agent, facts));
}

type Gathered = Omit<AgentFacts, "desired" | "lastScaleTime">;

export function agentIdOf({ metadata, spec }: AgentObject): string {
  return spec.agentId ?? hashText(`inferium/agent/${metadata.uid}`);
}

async function gather(options: AgentOptions, agent: AgentObject): Promise<Gathered> {
  const { accounts, secrets, orders, pool, clock } = options;
  const uid = agent.metadata.uid ?? "";
  const callers = await readCallers(agent, {
    ...{ secrets, orders, pool, nowMs: clock.now() },
    accountOf: (callerId) => accounts.of(uid, callerId),
  });
  const host = await options.readHost(agent);
  return {
    callers,
    refusal: checkHosting(agent, { ...host, callers, allowUnverified: options.allowUnverified }),
    chain: host.chain,
    ready: options.backends.listReady(agent).length,
    load: options.loads.of(agentIdOf(agent)),
    accounts: accounts.listOf(uid),
  };
}

function buildEntry(
  { backends }: AgentOptions,
  agent: AgentObject,
  { callers }: { readonly callers: readonly FoundCaller[] },
): AgentEntry {
  const { spec, metadata } = agent;
  const { requestsPerSecond, burst, maxBodyBytes, timeoutMs, queue, concurrency } = spec.limits;
  const ready = backends.listReady(agent);
  return {
    agentId: agentIdOf(agent),
    namespace: metadata.namespace ?? "",
    name: metadata.name,
    protocol: spec.protocol === "OpenAI" ? "openai" : "oip",
    modelName: modelNameOf(agent),
    model: { uri: spec.model.uri, digest: spec.model.digest },
    backends: ready,
    // Without a replica there is nobody to call, and a gateway must not think that it is to host the model itself.
    draining: spec.suspend || ready.length === 0 || metadata.deletionTimestamp !== undefined,
    priceWei: parseIfr(spec.price).toString(),
    limits: {
      ...{ requestsPerSecond, burst, maxBodyBytes, timeoutMs, queue },
      ...(concurrency === undefined ? {} : { concurrency }),
    },
    callers: spec.anyone ? "anyone" : callers.flatMap(({ entry }) => entry ?? []),
  };
}

const labelsOf = ({ metadata }: AgentObject) => ({ namespace: metadata.namespace ?? "", agent: metadata.name });

async function tally({ accounts, ledger, clock, metrics }: AgentOptions, { metadata }: AgentObject): Promise<void> {
  const facts = {
    nowMs: clock.now(),
    statusOf: (task: string) => ledger.get(`${metadata.namespace}/${task}`)?.status,
  };
  for (const before of accounts.listOf(metadata.uid ?? "")) {
    const after = await accounts.change(before.agentUid, before.callerId, (account) => tallyWindows(account, facts));
    metrics.agentWindows.inc({ state: "Settled" }, Math.max(0, after.settledWindows - before.settledWindows));
    metrics.agentWindows.inc({ state: "Lost" }, Math.max(0, after.lostWindows - before.lostWindows));
  }
}

/** No new calls; when those in flight have ended, and the windows are in, the rest may go. */
async function drain(options: AgentOptions, key: string, agent: AgentObject): Promise<ReconcileResult | undefined> {
  const { directory, loads, clock, client, logger } = options;
  const entry = directory.find(agentIdOf(agent));
  if (entry && !entry.draining) directory.set(key, { ...entry, draining: true });
  else if (!entry) directory.set(key, null);
  const drainedMs = clock.now() - Date.parse(agent.metadata.deletionTimestamp ?? "");
  const load = loads.of(agentIdOf(agent));
  const isIdle = drainedMs > minDrainMs && (load === undefined || load.inFlight + load.queued === 0);
  if (!isIdle && drainedMs < agent.spec.drainSeconds * 1_000) return { requeueAfterMs: 1_000 };
  logger.info("an agent has drained", { agent: key, drainedMs, idle: isIdle });
  await removeFinalizer(client, agent, agentFinalizer);
  options.metrics.agentReplicas.remove(labelsOf(agent));
  return undefined;
}

/** Until gateways have heard of it, said how busy they are since, and closed their windows. */
const minDrainMs = 4_000;

async function writeStatus({ client, clock }: AgentOptions, agent: AgentObject, facts: AgentFacts): Promise<void> {
  const status = buildAgentStatus(agent, facts, formatTime(clock.now()));
  if (isSame(agent.status, status)) return;
  const { namespace, name } = agent.metadata;
  await client.applyStatus({ metadata: { namespace, name }, status } as Parameters<typeof client.applyStatus>[0]);
}

/** Load changes all the time and is written along with what matters. */
function isSame(before: AgentObject["status"], after: NonNullable<AgentObject["status"]>): boolean {
  const bare = (status: AgentObject["status"]) => sortKeys({ ...status, load: undefined });
  return JSON.stringify(bare(before)) === JSON.stringify(bare(after));
}

function sortKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sortKeys);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, one]) => [key, sortKeys(one)]),
  );
}
