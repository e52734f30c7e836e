/**
 * The launcher: a worker's executor for tasks of mode Pod. An attempt is a Job in the launcher's pod namespace; where Kubernetes
 * takes its pods away, the next Job of the same attempt goes on from the newest checkpoint, on another node where there is one.
 *
 *   1. checks that the image is allowed
 *   2. job after job, until one succeeds or fails for a reason of its own
 *   3. the pods' reports become the outputs that the receipt is about
 *
 * Effects: Jobs of its namespace, its record of checkpoints.
 */
import { computeBackoffMs } from "../../base/backoff.ts";
import type { Clock } from "../../base/clock.ts";
import { type Digest, parseDigest } from "../../base/digest.ts";
import { describeError, InferiumError } from "../../base/errors.ts";
import type { Logger } from "../../base/log.ts";
import type { Execution } from "../../inference/execute.ts";
import { isRefused } from "../../kube/api-error.ts";
import type { Pod } from "../../kube/pod-types.ts";
import { readInline } from "../../pool/inline-tensors.ts";
import type { PodReference, WorkAssignment } from "../../pool/work-assignment.ts";
import { digestTensors } from "../../protocol/tensors/canonical.ts";
import type { NamedTensors } from "../../protocol/tensors/tensor.ts";
import { readTrainingResult, toTrainingOutputs } from "../../protocol/training.ts";
import { buildJob, launcherLabel, type PodDefaults } from "./build-job.ts";
import { checkImage } from "./check-image.ts";
import { movable, type PodFailure } from "./pod-failure.ts";
import { buildPodTask, type PodTask } from "./pod-task.ts";
import type { ProgressRecord, TrainingKey } from "./progress-record.ts";
import type { PodReport } from "./report.ts";
import { type JobClients, type JobEnd, removeJob, runJob } from "./run-job.ts";

export interface LauncherOptions {
  readonly clients: JobClients;
  /** Where the pods are made. */
  readonly namespace: string;
  /** Address of the worker's key. */
  readonly account: string;
  readonly defaults: PodDefaults;
  /** See checkImage. */
  readonly images: readonly string[];
  readonly progress: ProgressRecord;
  readonly pollMs: number;
  readonly clock: Clock;
  readonly logger: Logger;
}

export interface Launcher {
  run(assignment: WorkAssignment, signal: AbortSignal): Promise<Execution>;
  /** Deletes what an earlier run of this launcher left behind: its attempts were handed back or will lapse. */
  cleanUp(): Promise<void>;
}

/** How often one attempt is moved to other nodes. */
const maxMoves = 10;
const backoff = { initialMs: 1_000, maxMs: 30_000 } as const;

export function createLauncher(options: LauncherOptions): Launcher {
  return {
    run: async (assignment, signal) => {
      const { pod } = assignment;
      if (pod === undefined) throw new InferiumError("PodInvalid", "The task has no pod to run.");
      checkImage(pod.image, options.images);
      return new PodAttempt(options, { assignment, pod }, signal).run();
    },
    cleanUp: async () => {
      const { clients, namespace, account } = options;
      const labelSelector = `${launcherLabel}=${account.toLowerCase()}`;
      const { items } = await clients.jobs.list({ namespace, labelSelector });
      for (const { metadata } of items) await removeJob(clients, metadata);
    },
  };
}

interface PodWork {
  readonly assignment: WorkAssignment;
  readonly pod: PodReference;
}

class PodAttempt {
  readonly #options: LauncherOptions;
  readonly #work: PodWork;
  readonly #signal: AbortSignal;
  /** Checkpoints that are in the store, from the first one made on. */
  #known: Digest[] = [];
  #recorded: Promise<void> = Promise.resolve();
  #result: PodReport | undefined;
  readonly #lostOn: string[] = [];

  constructor(options: LauncherOptions, work: PodWork, signal: AbortSignal) {
    this.#options = options;
    this.#work = work;
    this.#signal = signal;
  }

  async run(): Promise<Execution> {
    const { progress, clock, logger } = this.#options;
    const { task, taskId } = this.#work.assignment;
    const key = this.#trainingKey();
    if (key) this.#known = await progress.read(key);
    for (let move = 0; ; move++) {
      // What was heard is on the disk before the attempt ends, however it does.
      const end = await this.#try(move).finally(() => this.#recorded);
      if (end.state === "Succeeded") {
        const execution = this.#toExecution(end.pods);
        await progress.remove(taskId);
        return execution;
      }
      const { failure } = end;
      if (!movable.has(failure.reason) || move >= maxMoves) throw this.#toError(failure);
      for (const { spec } of end.pods) if (spec.nodeName) this.#lostOn.push(spec.nodeName);
      logger.info("pods were taken away, the attempt goes on elsewhere", {
        ...{ task, move: move + 1, reason: failure.reason, checkpoints: this.#known.length },
        detail: failure.message,
      });
      await clock.sleep(computeBackoffMs(move + 1, backoff), this.#signal);
    }
  }

  async #try(move: number): Promise<JobEnd> {
    const { clients, namespace, account, defaults, pollMs, clock, logger } = this.#options;
    const { assignment, pod } = this.#work;
    const job = buildJob({
      name: `task-${assignment.taskId.slice(2, 18)}-${assignment.attempt}-${move}`,
      ...{ namespace, launcher: account, task: this.#describe(), pod, defaults },
      avoid: [...new Set(this.#lostOn)],
      activeDeadlineSeconds: Math.max(1, Math.ceil((assignment.deadlineMs - clock.now()) / 1_000)),
    });
    const startTimeoutMs = pod.startTimeoutSeconds * 1_000;
    try {
      const onReport = (report: PodReport) => this.#hear(report);
      return await runJob({ clients, job, startTimeoutMs, pollMs, onReport, clock, logger }, this.#signal);
    } catch (error) {
      if (!isRefused(error)) throw error;
      throw new InferiumError("PodInvalid", `The cluster does not take the task's pods: ${describeError(error)}`);
    }
  }

  #describe(): PodTask {
    return buildPodTask(this.#work.assignment, this.#known);
  }

  #trainingKey(): TrainingKey | undefined {
    const { taskId, training, model } = this.#work.assignment;
    return training && { taskId, terms: training, initial: model.digest };
  }

  #hear(report: PodReport): void {
    if (report.kind !== "checkpoint") {
      this.#result = report;
      return;
    }
    // The next one, or one made again: what was heard twice is known.
    const { index, digest } = report;
    if (index > this.#known.length + 1 || this.#known[index - 1] === digest) return;
    this.#known = [...this.#known.slice(0, index - 1), digest];
    const key = this.#trainingKey();
    const known = this.#known;
    if (key === undefined) return;
    this.#recorded = this.#recorded
      .then(() => this.#options.progress.write(key, known))
      .catch((error: unknown) =>
        this.#options.logger.warn("a checkpoint was not recorded", { error: describeError(error) }),
      );
  }

  #toExecution(pods: readonly Pod[]): Execution {
    const { assignment, pod } = this.#work;
    const outputs = this.#readOutputs();
    const image = findImageDigest(pods);
    return {
      outputs,
      outputDigest: digestTensors(outputs),
      inputDigest: parseDigest(assignment.input.digest ?? ""),
      modelDigest: parseDigest(assignment.model.digest),
      runtime: `pods/${pod.size} ${assignment.training?.program ?? pod.image ?? ""}`.trim(),
      items: 1,
      ...(image === undefined ? {} : { imageDigest: image }),
    };
  }

  #readOutputs(): NamedTensors {
    const { training } = this.#work.assignment;
    const report = this.#result;
    if (training && report?.kind === "trained") {
      const outputs = toTrainingOutputs(training, report);
      // What could not be read by a validator is not signed.
      readTrainingResult(training, outputs);
      return outputs;
    }
    if (!training && report?.kind === "outputs") return readInline(report.outputs);
    const wanted = training ? "the digests of a training" : "outputs";
    throw new InferiumError(
      "NoResult",
      `The pods succeeded and reported no result; expected ${wanted} in their output.`,
    );
  }

  /** What the program says of itself says more than its exit code. */
  #toError({ reason, message }: PodFailure): InferiumError {
    const said = this.#result;
    if (reason === "PodFailed" && said?.kind === "failed") {
      // What broke in there unforeseen is no fault of this worker.
      const code = said.code === "Internal" ? "PodFailed" : said.code;
      return new InferiumError(code, said.message.slice(0, 2_000));
    }
    return new InferiumError(reason, message.slice(0, 2_000), { disposition: "retry" });
  }
}

/** As the container runtime says it, the same for all pods of one image. */
function findImageDigest(pods: readonly Pod[]): string | undefined {
  const ids = pods.flatMap(({ status }) => status?.containerStatuses ?? []).map(({ imageID }) => imageID ?? "");
  const found = ids.map((id) => /sha256:([0-9a-f]{64})$/.exec(id)?.[1]).find((hex) => hex !== undefined);
  return found === undefined ? undefined : `0x${found}`;
}
