/** Gives the agents' parts of a term what they need. Called by attach-stages.ts. */
import { describeError } from "../../base/errors.ts";
import type { AgentBackend } from "../../pool/backend.ts";
import type { Wiring } from "../attach-stages.ts";
import { isChainAway } from "../chain-link.ts";
import { createAgentStage } from "../controllers/agent.ts";
import type { AgentObject } from "../kinds.ts";
import { AgentDirectory } from "./agent-directory.ts";
import { BackendKeeper } from "./backend-keeper.ts";
import type { HostFacts } from "./check-hosting.ts";
import { LoadBook } from "./load-book.ts";
import { ReplicaBook } from "./replica-book.ts";
import { WindowDesk } from "./window-desk.ts";

/** Undefined where agents are not turned on. */
export function attachAgents(wiring: Wiring): AgentBackend | undefined {
  const { books, lanes, config, informers, clients, clock, logger, metrics } = wiring;
  const { agents, slices } = informers;
  if (!agents || !slices || !config.agents) return undefined;
  const { accounts } = books;
  const find = (key: string) => agents.store.get(key);
  const directory = new AgentDirectory({ expected: () => [...agents.store.keys()] });
  const loads = new LoadBook(clock);
  const { deployments, services } = clients;
  lanes.attach(
    "agent",
    createAgentStage({
      ...{ find, accounts, directory, loads, clock, logger, metrics },
      ...{ client: clients.agents, secrets: clients.secrets, orders: books.orders, ledger: books.ledger },
      replicas: new ReplicaBook(clock),
      backends: new BackendKeeper({ deployments, services, slices, defaults: config.agents, clock }),
      readHost: createHostReader(wiring),
      pool: config.pool.name,
      allowUnverified: config.allowUnverified,
    }),
  );
  const desk = new WindowDesk({
    ...{ directory, accounts, tasks: clients.tasks, clock, metrics },
    findAgent: ({ namespace, name }) => find(`${namespace}/${name}`),
    onChange: (key) => lanes.add("agent", key),
  });
  return {
    directory: (request, signal) => directory.read(request, signal),
    commit: (window) => desk.commit(window),
    open: (request) => desk.open(request),
    load: ({ account }, request) => {
      loads.report(account, request.loads);
      return { status: "Recorded" };
    },
  };
}

/** What the chain said last goes on to hold while it is away: its word is asked again before anything is settled. */
function createHostReader({ books, link }: Wiring): (agent: AgentObject) => Promise<HostFacts> {
  const known = new Map<string, Pick<HostFacts, "chain" | "payout">>();
  return async ({ spec, metadata }) => {
    const worker = books.directory.get(spec.host.worker);
    const key = `${metadata.uid} ${spec.host.worker}`;
    try {
      const chain = spec.agentId === undefined ? undefined : await link.client.agent(spec.agentId);
      const payout = worker && (await link.client.node(worker.spec.address)).payout;
      known.set(key, { chain, payout });
    } catch (error) {
      if (!isChainAway(error)) throw error;
      if (!known.has(key)) return { worker, chain: undefined, payout: undefined, chainProblem: describeError(error) };
    }
    return { chain: undefined, payout: undefined, ...known.get(key), worker, chainProblem: undefined };
  };
}
