/**
 * One agent as the gateway knows it: its entry in the directory, its callers, its backends. Follows the entry; everything
 * that is counted stays over changes. Effects: opens and closes backends.
 */
import type { Clock } from "../base/clock.ts";
import type { AgentEntry, LoadReport } from "../pool/agents.ts";
import { createLanes, type Lanes } from "./backends/lanes.ts";
import type { OipBackend } from "./backends/oip-backend.ts";
import type { OpenAiBackend } from "./backends/openai-backend.ts";
import { createLoadMeter, type LoadMeter } from "./load-meter.ts";
import { type CallerBook, createCallerBook } from "./meter/caller-book.ts";

export interface Agent {
  readonly agentId: string;
  entry(): AgentEntry;
  readonly callers: CallerBook;
  readonly oip: Lanes<OipBackend>;
  readonly openai: Lanes<OpenAiBackend>;
  readonly load: LoadMeter;
  /** Now. */
  pressure(): { readonly inFlight: number; readonly queued: number };
  report(): LoadReport;
  update(entry: AgentEntry): void;
  close(): Promise<void>;
}

export interface BackendOpener {
  /** Of calls of one backend at once, where the agent does not say. */
  readonly concurrency: number;
  openOip(entry: AgentEntry, baseUrl: string): OipBackend;
  openOpenAi(entry: AgentEntry, baseUrl: string): OpenAiBackend;
  /** A model that the gateway hosts itself; calls `onLoaded` when it is there, and stops trying when the signal is aborted. */
  host(entry: AgentEntry, onLoaded: (backend: OipBackend) => void, signal: AbortSignal): void;
}

export function createAgent(first: AgentEntry, opener: BackendOpener, clock: Clock): Agent {
  const callers = createCallerBook(clock);
  const oip = createLanes<OipBackend>(clock);
  const openai = createLanes<OpenAiBackend>(clock);
  const load = createLoadMeter(clock.monotonic());
  let entry = first;
  let oipBackends = new Map<string, OipBackend>();
  let openAiBackends = new Map<string, OpenAiBackend>();
  let hosting: { readonly digest: string; readonly stop: AbortController } | undefined;

  function update(next: AgentEntry): void {
    entry = next;
    callers.update(next);
    if (next.protocol === "openai") {
      openAiBackends = renew(openAiBackends, next.backends, (url) => opener.openOpenAi(next, url));
    } else if (next.backends.length > 0 || next.model === undefined) {
      stopHosting();
      oipBackends = renew(oipBackends, next.backends, (url) => opener.openOip(next, url));
    } else hostModel(next, next.model.digest);
    applyBackends();
  }

  function applyBackends(): void {
    const bounds = { concurrency: entry.limits.concurrency ?? opener.concurrency, queue: entry.limits.queue };
    oip.update(oipBackends, bounds);
    openai.update(openAiBackends, bounds);
  }

  function hostModel(next: AgentEntry, digest: string): void {
    if (hosting?.digest === digest) return;
    stopHosting();
    const stop = new AbortController();
    hosting = { digest, stop };
    const onLoaded = (backend: OipBackend) => {
      if (stop.signal.aborted) return void backend.close();
      // What answered until now goes when the new model is there.
      const before = oipBackends;
      oipBackends = new Map([[`hosted ${digest}`, backend]]);
      applyBackends();
      for (const old of before.values()) void old.close();
    };
    opener.host(next, onLoaded, stop.signal);
  }

  function stopHosting(): void {
    hosting?.stop.abort(new Error("the agent is hosted elsewhere"));
    hosting = undefined;
  }

  function pressure() {
    const lanes = entry.protocol === "oip" ? oip : openai;
    return { inFlight: lanes.inFlight(), queued: lanes.queued() };
  }

  update(first);
  return {
    agentId: first.agentId,
    entry: () => entry,
    callers,
    oip,
    openai,
    load,
    pressure,
    report: () => ({ agentId: first.agentId, ...pressure(), ...load.take(clock.monotonic()) }),
    update,
    async close() {
      stopHosting();
      await Promise.all([...oipBackends.values(), ...openAiBackends.values()].map((backend) => backend.close()));
    },
  };
}

interface Closable {
  close(): Promise<void>;
}

/** Backends that are still named stay as they are; the others close when their calls have ended. */
function renew<T extends Closable>(
  known: ReadonlyMap<string, T>,
  urls: readonly string[],
  open: (url: string) => T,
): Map<string, T> {
  const next = new Map(urls.map((url) => [url, known.get(url) ?? open(url)]));
  for (const [url, backend] of known) if (!next.has(url)) void backend.close();
  return next;
}
