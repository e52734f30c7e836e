/** Stage 2: a claim as the pool is asked for it, and as it goes into a trace. */
import { InferiumError } from "../base/errors.ts";
import { signatureOf } from "./columns.ts";
import type { Requirements, WorkerFacts } from "./matching.ts";
import type { TakeEvent } from "./trace.ts";
import type { WaitingTask } from "./waiting-task.ts";

export interface TakeRequest {
  readonly count: number;
  /** Digests that the worker has loaded. */
  readonly models: ReadonlySet<string>;
  /** Whether the worker could run such a task. */
  fits(requirements: Requirements): boolean;
  /**
   * Equal for workers for which `fits` answers the same, given the node labels that matter: then it is asked once for all of
   * them. Left out: it is asked each time.
   */
  profile?(labels: readonly string[]): string;
  /** For the record, and to know the worker again: all of the others say the same as these. */
  readonly facts?: WorkerFacts;
  /** Who asks: `isExcluded` is asked only about tasks that it or its owner has failed. Left out: about all that have failed. */
  readonly worker?: string;
  readonly owner?: string | undefined;
  isExcluded?(task: Pick<WaitingTask, "requirements" | "failedWorkers">): boolean;
}

/** What such a claim was excluded from, which only whoever asked can know. */
export class TakeRecord {
  readonly #request: TakeRequest;
  readonly #excluded: string[] = [];

  constructor(request: TakeRequest) {
    this.#request = request;
  }

  /** Answers what the request does. */
  isExcluded(task: Pick<WaitingTask, "requirements" | "failedWorkers">): boolean {
    const is = this.#request.isExcluded?.(task) ?? false;
    if (is) this.#excluded.push(signatureOf(task));
    return is;
  }

  end(taken: readonly WaitingTask[]): TakeEvent {
    const { facts, count } = this.#request;
    if (!facts) throw new InferiumError("NoFacts", "A pool that is recorded needs the facts of the worker that asks.");
    return { op: "take", worker: facts, count, excluded: this.#excluded, taken: taken.map(({ id }) => id) };
  }
}
