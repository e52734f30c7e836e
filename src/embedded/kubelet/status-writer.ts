/**
 * Writes one pod's status to the API server: only when it changed, one write at a time, the newest wins. A failed write
 * is tried again until it is overtaken, succeeds, or the pod is gone.
 */
import { isDeepStrictEqual } from "node:util";
import { computeBackoffMs } from "../../base/backoff.ts";
import type { Clock } from "../../base/clock.ts";
import { describeError } from "../../base/errors.ts";
import type { Logger } from "../../base/log.ts";
import type { Pod } from "./core-types.ts";
import type { PodApi } from "./pod-api.ts";
import type { PodStatus } from "./status-types.ts";

export interface StatusWriterInput {
  readonly pod: Pod;
  readonly api: PodApi;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly signal: AbortSignal;
}

/** Changes within this time of each other become one write: most starts need no write of their own before "running". */
const gatherMs = 20;
const retryBackoff = { initialMs: 200, maxMs: 30_000 };

export class StatusWriter {
  readonly #input: StatusWriterInput;
  #wanted: PodStatus | undefined;
  #written: PodStatus | undefined;
  #writing: Promise<void> | undefined;
  #gone = false;

  constructor(input: StatusWriterInput) {
    this.#input = input;
  }

  /** The last status asked for, whether or not the server has it yet. */
  get latest(): PodStatus | undefined {
    return this.#wanted;
  }

  publish(status: PodStatus): void {
    if (isDeepStrictEqual(status, this.#wanted)) return;
    this.#wanted = status;
    this.#start();
  }

  #start(): void {
    this.#writing ??= this.#writeAll().finally(() => {
      this.#writing = undefined;
      if (this.#wanted !== this.#written && !this.#gone && !this.#input.signal.aborted) this.#start();
    });
  }

  /** Resolves when the server has the latest status, the pod is gone, or the signal aborts. */
  async flush(): Promise<void> {
    while (this.#writing !== undefined) await this.#writing;
  }

  async #writeAll(): Promise<void> {
    await this.#pause(gatherMs);
    for (let attempt = 1; !this.#gone && !this.#input.signal.aborted; ) {
      const status = this.#wanted;
      if (status === undefined || status === this.#written) return;
      try {
        this.#gone = !(await this.#input.api.writeStatus(this.#input.pod, status));
        this.#written = status;
        attempt = 1;
      } catch (error) {
        this.#input.logger.warn("pod status was not written", {
          pod: this.#input.pod.metadata.name,
          attempt,
          reason: describeError(error),
        });
        await this.#pause(computeBackoffMs(attempt, retryBackoff));
        attempt += 1;
      }
    }
  }

  async #pause(ms: number): Promise<void> {
    await this.#input.clock.sleep(ms, this.#input.signal).catch(() => undefined);
  }
}
