/** The agents of the directory, kept in step with it. Effects: those of the agents. */
import type { Clock } from "../base/clock.ts";
import { describeError } from "../base/errors.ts";
import type { Logger } from "../base/log.ts";
import type { AgentDirectory, AgentEntry } from "../pool/agents.ts";
import { type Agent, type BackendOpener, createAgent } from "./agent.ts";

export interface AgentTable {
  all(): Iterable<Agent>;
  /** Those that go by the name, which several namespaces may have given. */
  named(protocol: AgentEntry["protocol"], modelName: string): readonly Agent[];
  byId(agentId: string): Agent | undefined;
  close(): Promise<void>;
}

export interface AgentTableOptions {
  readonly directory: AgentDirectory;
  readonly opener: BackendOpener;
  readonly clock: Clock;
  readonly logger: Logger;
  /** It is draining, or gone: its windows should be closed. */
  readonly onDraining: (agent: Agent) => void;
}

export function createAgentTable({ directory, opener, clock, logger, onDraining }: AgentTableOptions): AgentTable {
  const agents = new Map<string, Agent>();
  let byName = new Map<string, Agent[]>();

  function follow(): void {
    const entries = directory.current();
    const ids = new Set(entries.map(({ agentId }) => agentId));
    for (const [agentId, agent] of agents) {
      if (ids.has(agentId)) continue;
      agents.delete(agentId);
      logger.info("agent gone", { agent: agent.entry().name, namespace: agent.entry().namespace });
      onDraining(agent);
      void agent.close();
    }
    for (const entry of entries) followEntry(entry);
    byName = Map.groupBy(agents.values(), (agent) => nameOf(agent.entry().protocol, agent.entry().modelName));
  }

  /** One entry that cannot be used must not stop the others. */
  function followEntry(entry: AgentEntry): void {
    const known = agents.get(entry.agentId);
    const wasDraining = known?.entry().draining ?? false;
    try {
      if (known === undefined) agents.set(entry.agentId, createAgent(entry, opener, clock));
      else known.update(entry);
    } catch (error) {
      logger.error("an agent cannot be served", { agent: entry.name, error: describeError(error) });
      return;
    }
    if (known === undefined) logger.info("agent here", { agent: entry.name, namespace: entry.namespace });
    else if (entry.draining && !wasDraining) onDraining(known);
  }

  follow();
  const unsubscribe = directory.onChange(follow);
  return {
    all: () => agents.values(),
    named: (protocol, modelName) => byName.get(nameOf(protocol, modelName)) ?? [],
    byId: (agentId) => agents.get(agentId),
    async close() {
      unsubscribe();
      await Promise.all([...agents.values()].map((agent) => agent.close()));
    },
  };
}

const nameOf = (protocol: AgentEntry["protocol"], modelName: string) => `${protocol} ${modelName}`;
