/**
 * The work queues of all stages by name. They exist before the stages do, so that a stage can send a key to another one
 * without knowing it, and nothing that happens while the stages are being put together is lost.
 */
import type { Clock } from "../base/clock.ts";
import type { Logger } from "../base/log.ts";
import { type Controller, createController, type Reconcile, type ReconcileResult } from "../kube/controller.ts";
import type { KubeMetrics } from "../kube/metrics.ts";
import { createQueue } from "../kube/queue.ts";

/** Keys in work at once, by stage. */
const concurrency = {
  admit: 16,
  agent: 4,
  queue: 4,
  shards: 4,
  expire: 4,
  judge: 4,
  group: 8,
  panel: 8,
  flush: 16,
  observe: 4,
  slash: 1,
  badProof: 1,
  dispute: 1,
  missed: 1,
  model: 4,
  mirror: 4,
  leaderboard: 2,
  retireTask: 4,
  retireValidation: 1,
} as const;

/** After an outage everything goes on within this time. */
const backoffMaxMs = 15_000;

export type Lane = keyof typeof concurrency;

/** How long a key that is added may wait; undefined: it comes back soon enough by itself. */
export type DecideDelay = (key: string) => number | undefined;

export interface LaneOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: KubeMetrics;
}

export class Lanes {
  readonly #reconciles = new Map<Lane, Reconcile>();
  readonly #delays = new Map<Lane, DecideDelay>();
  readonly #controllers: ReadonlyMap<Lane, Controller>;

  constructor(options: LaneOptions) {
    const lanes = Object.keys(concurrency) as Lane[];
    this.#controllers = new Map(lanes.map((lane) => [lane, this.#create(lane, options)]));
  }

  /** @param decideDelay of lanes that hear of their keys far more often than they look; left out: at once */
  attach(lane: Lane, reconcile: Reconcile, decideDelay?: DecideDelay): void {
    this.#reconciles.set(lane, reconcile);
    if (decideDelay) this.#delays.set(lane, decideDelay);
  }

  add(lane: Lane, key: string): void {
    const decideDelay = this.#delays.get(lane);
    const delayMs = decideDelay ? decideDelay(key) : 0;
    if (delayMs !== undefined) this.#controllers.get(lane)?.queue.addAfter(key, delayMs);
  }

  addAfter(lane: Lane, key: string, delayMs: number): void {
    this.#controllers.get(lane)?.queue.addAfter(key, delayMs);
  }

  async run(signal: AbortSignal): Promise<void> {
    await Promise.all([...this.#controllers.values()].map((controller) => controller.run(signal)));
  }

  #create(lane: Lane, options: LaneOptions): Controller {
    const reconcile = async (key: string, signal: AbortSignal): Promise<ReconcileResult | undefined> => {
      return (await this.#reconciles.get(lane)?.(key, signal)) ?? undefined;
    };
    const { clock, metrics } = options;
    const queue = createQueue({ name: lane, backoffMaxMs, clock, metrics });
    return createController({ name: lane, reconcile, concurrency: concurrency[lane], queue, ...options });
  }
}
