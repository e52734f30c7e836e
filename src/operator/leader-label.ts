/**
 * The label on the operator's own pod while it serves the pool API: the pool's Service selects it, so that claims never reach
 * a standby. Called by the operator on every change. Effects: merge patches of one pod's labels, tried again until they
 * succeed or a newer wish replaces them.
 */
import { labels } from "../api/v1alpha1/labels.ts";
import { computeBackoffMs } from "../base/backoff.ts";
import type { Clock } from "../base/clock.ts";
import { describeError } from "../base/errors.ts";
import type { Logger } from "../base/log.ts";
import { createClient, type KubeClient } from "../kube/client.ts";
import { pods } from "../kube/core-resources.ts";
import type { Pod } from "../kube/pod-types.ts";
import type { Transport } from "../kube/transport.ts";

export interface LeaderLabelOptions {
  readonly transport: Transport;
  readonly namespace: string;
  readonly pod: string;
  readonly clock: Clock;
  readonly logger: Logger;
}

const closeTimeoutMs = 2_000;

export class LeaderLabel {
  readonly #options: LeaderLabelOptions;
  readonly #pods: KubeClient<Pod>;
  #wish = new AbortController();
  #work: Promise<void> = Promise.resolve();

  constructor(options: LeaderLabelOptions) {
    this.#options = options;
    this.#pods = createClient(options.transport, pods);
  }

  /** Returns at once. */
  want(leads: boolean): void {
    this.#wish.abort();
    this.#wish = new AbortController();
    const { signal } = this.#wish;
    this.#work = this.#work.then(() => this.#write(leads, signal));
  }

  /** Waits for the last write, for a moment. */
  async close(): Promise<void> {
    const timer = new AbortController();
    const { clock } = this.#options;
    await Promise.race([this.#work, clock.sleep(closeTimeoutMs, timer.signal).catch(() => undefined)]);
    timer.abort();
    this.#wish.abort();
  }

  async #write(leads: boolean, signal: AbortSignal): Promise<void> {
    const { namespace, pod: name, clock, logger } = this.#options;
    const body = { metadata: { labels: { [labels.leader]: leads ? "true" : null } } };
    for (let attempt = 1; !signal.aborted; attempt++) {
      try {
        await this.#pods.patch({ namespace, name }, { kind: "merge", body, signal });
        return;
      } catch (error) {
        if (signal.aborted) return;
        logger.warn("the label of the leader was not written", { pod: name, error: describeError(error) });
        await clock.sleep(computeBackoffMs(attempt, { initialMs: 250, maxMs: 10_000 }), signal).catch(() => undefined);
      }
    }
  }
}
