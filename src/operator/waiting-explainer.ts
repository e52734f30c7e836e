/**
 * Why tasks wait, for many of them: those that ask for the same get the same answer, which is worked out once in a while and
 * not once for each of 200,000. Called by stage 2.
 */
import type { Clock } from "../base/clock.ts";
import { signatureOf } from "../protocol/columns.ts";
import { type Explanation, explainWaiting } from "../protocol/explain-waiting.ts";
import type { WorkerFacts } from "../protocol/matching.ts";
import type { TaskPool } from "../protocol/pool.ts";
import type { WaitingTask } from "../protocol/waiting-task.ts";

export interface WaitingExplainerOptions {
  readonly pool: TaskPool;
  readonly clock: Clock;
  readonly workers: () => readonly WorkerFacts[];
}

const keepMs = 2_000;

export class WaitingExplainer {
  readonly #options: WaitingExplainerOptions;
  readonly #answers = new Map<string, Explanation>();
  #sinceMs = Number.NEGATIVE_INFINITY;
  #workers: readonly WorkerFacts[] = [];

  constructor(options: WaitingExplainerOptions) {
    this.#options = options;
  }

  explain(task: WaitingTask): Explanation {
    const nowMs = this.#options.clock.monotonic();
    if (nowMs - this.#sinceMs > keepMs) {
      this.#answers.clear();
      this.#workers = this.#options.workers();
      this.#sinceMs = nowMs;
    }
    const level = this.#options.pool.levelOf(task.id);
    const question = `${task.tenant} ${level} ${signatureOf(task)}`;
    const known = this.#answers.get(question);
    if (known) return known;
    const answer = explainWaiting(task, this.#workers, level);
    this.#answers.set(question, answer);
    return answer;
  }
}
