/**
 * The threads that sum a key's points: as many as there are cores for, each with one task at a time. They end with `close`, and with the
 * process. Called by first-key.ts and key-step.ts. Effects: threads.
 */
import { availableParallelism } from "node:os";
import { fileURLToPath } from "node:url";
import { Worker } from "node:worker_threads";
import { InferiumError } from "../../base/errors.ts";
import type { PointSums } from "./point-summer.ts";
import type { SetupAnswer, SetupTask, ThreadData } from "./sum-task.ts";

const threadUrl = new URL(`./setup-thread.${import.meta.url.endsWith(".ts") ? "ts" : "js"}`, import.meta.url);
/** Each takes some 20 MiB. */
const mostThreads = 16;

interface Waiting {
  readonly task: SetupTask;
  readonly resolve: (sums: PointSums) => void;
  readonly reject: (error: Error) => void;
}

export class SetupThreads {
  readonly #workers: Worker[] = [];
  readonly #idle: Worker[] = [];
  readonly #running = new Map<Worker, Waiting>();
  #waiting: Waiting[] = [];
  #failure: Error | undefined;

  /** @param count for tests; what the machine has if left out */
  constructor(data: ThreadData, count: number = Math.min(mostThreads, availableParallelism())) {
    for (let index = 0; index < count; index++) {
      const worker = new Worker(fileURLToPath(threadUrl), { workerData: data });
      worker.on("message", (answer: SetupAnswer) => this.#finish(worker, answer));
      worker.on("error", (error) => this.#fail(`A thread of the set-up ended: ${error.message}.`, error));
      this.#workers.push(worker);
      this.#idle.push(worker);
    }
  }

  /** Tasks begin in the order in which they are asked for. @throws InferiumError SetupFailed */
  sum(task: SetupTask): Promise<PointSums> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    return new Promise((resolve, reject) => {
      this.#waiting.push({ task, resolve, reject });
      this.#startNext();
    });
  }

  async close(): Promise<void> {
    this.#fail("The threads of the set-up were closed.");
    await Promise.all(this.#workers.map((worker) => worker.terminate()));
  }

  #startNext(): void {
    const [worker, next] = [this.#idle[0], this.#waiting[0]];
    if (worker === undefined || next === undefined) return;
    this.#idle.shift();
    this.#waiting.shift();
    this.#running.set(worker, next);
    worker.postMessage(next.task);
  }

  #finish(worker: Worker, answer: SetupAnswer): void {
    const done = this.#running.get(worker);
    this.#running.delete(worker);
    this.#idle.push(worker);
    if ("error" in answer)
      done?.reject(new InferiumError("SetupFailed", `A thread of the set-up failed: ${answer.error}.`));
    else done?.resolve(answer.sums);
    this.#startNext();
  }

  /** A thread that is gone gives no answer, and the key is not made without it. */
  #fail(message: string, cause?: Error): void {
    this.#failure ??= new InferiumError("SetupFailed", message, { cause });
    for (const { reject } of [...this.#running.values(), ...this.#waiting]) reject(this.#failure);
    this.#running.clear();
    this.#waiting = [];
    this.#idle.length = 0;
  }
}
