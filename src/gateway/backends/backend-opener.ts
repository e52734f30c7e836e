/** Makes the backends of agents as the gateway's configuration bounds them. Effects: connections, models loaded. */
import { computeBackoffMs } from "../../base/backoff.ts";
import type { Clock } from "../../base/clock.ts";
import { parseDigest } from "../../base/digest.ts";
import { describeError } from "../../base/errors.ts";
import type { Logger } from "../../base/log.ts";
import type { ModelHost } from "../../inference/model-host.ts";
import type { AgentEntry } from "../../pool/agents.ts";
import type { BackendOpener } from "../agent.ts";
import { createLocalOip } from "./local-oip.ts";
import type { OipBackend } from "./oip-backend.ts";
import { createOpenAiBackend } from "./openai-backend.ts";
import { createRemoteOip } from "./remote-oip.ts";

export interface BackendOpenerOptions {
  readonly concurrency: number;
  readonly maxAnswerBytes: number;
  readonly host: ModelHost;
  readonly clock: Clock;
  readonly logger: Logger;
}

export function createBackendOpener(options: BackendOpenerOptions): BackendOpener {
  const { concurrency, maxAnswerBytes, host, clock, logger } = options;
  const bounds = ({ limits }: AgentEntry, baseUrl: string) => ({
    baseUrl,
    // Beside the calls, for metadata and readiness.
    connections: (limits.concurrency ?? concurrency) + 1,
    silenceMs: limits.timeoutMs,
    maxAnswerBytes,
  });

  async function load(entry: AgentEntry, onLoaded: (backend: OipBackend) => void, signal: AbortSignal): Promise<void> {
    const { model, modelName, name } = entry;
    if (model === undefined) return;
    for (let attempt = 1; !signal.aborted; attempt++) {
      try {
        const ref = { uri: model.uri, digest: parseDigest(model.digest) };
        onLoaded(createLocalOip(modelName, await host.open(ref, signal)));
        return logger.info("model loaded", { agent: name, digest: model.digest });
      } catch (error) {
        if (signal.aborted) return;
        logger.error("an agent's model cannot be loaded", { agent: name, attempt, error: describeError(error) });
        await clock
          .sleep(computeBackoffMs(attempt, { initialMs: 1_000, maxMs: 60_000 }), signal)
          .catch(() => undefined);
      }
    }
  }

  return {
    concurrency,
    openOip: (entry, baseUrl) => createRemoteOip(entry.modelName, bounds(entry, baseUrl)),
    openOpenAi: (entry, baseUrl) => createOpenAiBackend(bounds(entry, baseUrl)),
    host: (entry, onLoaded, signal) => void load(entry, onLoaded, signal),
  };
}
