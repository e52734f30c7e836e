/**
 * What gateways are told of agents: an entry for each, and a version that changes with any of them. A gateway asks with the
 * version that it has and waits for another; so it hears of a replica that goes within moments. In memory; filled by the
 * agents' controller, so that a new term starts from nothing, and answers nothing before every agent was looked at once.
 */
import { sha256 } from "../../base/digest.ts";
import type { AgentsRequest, AgentsResponse } from "../../pool/agent-requests.ts";
import type { AgentEntry } from "../../pool/agents.ts";

export interface DirectoryOptions {
  /** Keys of all agents that there are. */
  readonly expected: () => readonly string[];
}

export class AgentDirectory {
  readonly #options: DirectoryOptions;
  /** By namespace and name; null where there is nothing to call. */
  readonly #entries = new Map<string, AgentEntry | null>();
  /** Reasons of those that take no calls for now, by their id. */
  readonly #paused = new Map<string, { readonly agentId: string; readonly reason: string }>();
  #version: string | undefined;
  #changed = Promise.withResolvers<void>();

  constructor(options: DirectoryOptions) {
    this.#options = options;
  }

  set(key: string, entry: AgentEntry | null): void {
    this.#paused.delete(key);
    this.#put(key, entry);
  }

  /** Nothing to call until a reason has passed: what was called before may still be brought then. */
  pause(key: string, agentId: string, reason: string): void {
    this.#paused.set(key, { agentId, reason });
    this.#put(key, null);
  }

  #put(key: string, entry: AgentEntry | null): void {
    if (this.#entries.has(key) && JSON.stringify(this.#entries.get(key)) === JSON.stringify(entry)) return;
    this.#entries.set(key, entry);
    this.#announce();
  }

  remove(key: string): void {
    this.#paused.delete(key);
    if (this.#entries.delete(key)) this.#announce();
  }

  find(agentId: string): AgentEntry | undefined {
    return this.#list().find((entry) => entry.agentId === agentId);
  }

  /** Why the agent takes no calls for now; undefined where it does, or will not take any. */
  pausedFor(agentId: string): string | undefined {
    return this.#paused.values().find((one) => one.agentId === agentId)?.reason;
  }

  /** Resolves with news, after `waitMs`, or with the signal. */
  async read({ version, waitMs }: AgentsRequest, signal: AbortSignal): Promise<AgentsResponse> {
    const over = new AbortController();
    const onAbort = () => over.abort();
    signal.addEventListener("abort", onAbort, { once: true });
    const timer = setTimeout(onAbort, waitMs);
    try {
      if (signal.aborted) over.abort();
      while (!over.signal.aborted && (!this.isComplete() || version === this.#currentVersion())) {
        const ended = new Promise<void>((resolve) =>
          over.signal.addEventListener("abort", () => resolve(), { once: true }),
        );
        await Promise.race([this.#changed.promise, ended]);
      }
    } finally {
      clearTimeout(timer);
      signal.removeEventListener("abort", onAbort);
    }
    // What is not known yet is no news: a gateway keeps what it has.
    if (!this.isComplete()) return { version, agents: [] };
    return { version: this.#currentVersion(), agents: this.#list() };
  }

  #announce(): void {
    this.#version = undefined;
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
  }

  #list(): AgentEntry[] {
    return [...this.#entries].sort(([a], [b]) => (a < b ? -1 : 1)).flatMap(([, entry]) => entry ?? []);
  }

  #currentVersion(): string {
    this.#version ??= sha256(JSON.stringify(this.#list())).slice("sha256:".length, "sha256:".length + 32);
    return this.#version;
  }

  isComplete(): boolean {
    return this.#options.expected().every((key) => this.#entries.has(key));
  }
}
