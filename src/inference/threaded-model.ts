/**
 * A model that runs on a thread of its own, so that a long run holds up nobody else's call, and no probe of health. A thread that
 * dies fails the calls that are on, to be tried again, and the next call starts another. Effects: the thread.
 */
import { Worker } from "node:worker_threads";
import { describeError, InferiumError } from "../base/errors.ts";
import type { NamedTensors } from "../protocol/tensors/tensor.ts";
import type { HostedModel } from "./hosted-model.ts";
import {
  closeMessage,
  receiveTensors,
  type SentError,
  sendTensors,
  type ThreadData,
  type ThreadMessage,
} from "./model-messages.ts";

const threadUrl = new URL(`./model-thread.${import.meta.url.endsWith(".ts") ? "ts" : "js"}`, import.meta.url);

export interface ThreadedModelOptions {
  readonly openWorker?: (data: ThreadData) => Worker;
  /** What a run took of its thread. */
  readonly onRun?: (inputs: NamedTensors, ms: number) => void;
}

interface Pending {
  readonly inputs: NamedTensors;
  readonly resolve: (outputs: NamedTensors) => void;
  readonly reject: (error: unknown) => void;
}

type Ready = Extract<ThreadMessage, { kind: "ready" }>;

interface Thread {
  readonly worker: Worker;
  readonly ready: Promise<Ready>;
}

const startWorker = (data: ThreadData) => new Worker(threadUrl, { workerData: data });

/** @throws InferiumError InvalidModel, ProviderUnavailable */
export async function openThreadedModel(data: ThreadData, options: ThreadedModelOptions = {}): Promise<HostedModel> {
  const { openWorker = startWorker, onRun } = options;
  const pending = new Map<number, Pending>();
  let nextId = 0;
  let thread: Thread | undefined = startThread();

  function startThread(): Thread {
    const worker = openWorker(data);
    const { promise, resolve, reject } = Promise.withResolvers<Ready>();
    const started: Thread = { worker, ready: promise };
    const end = (cause: unknown) => {
      const message = `The thread of model ${data.digest} ended (${describeError(cause)}); try again.`;
      const error = new InferiumError("ModelThreadEnded", message, { disposition: "retry", cause });
      if (thread === started) thread = undefined;
      reject(error);
      for (const call of pending.values()) call.reject(error);
      pending.clear();
    };
    worker.on("message", (message: ThreadMessage) => {
      if (message.kind === "ready") resolve(message);
      else if (message.kind === "unable") reject(revive(message.error));
      else settle(message);
    });
    worker.on("error", end);
    worker.on("exit", (status) => end(`exit status ${status}`));
    return started;
  }

  function settle(message: Exclude<ThreadMessage, { kind: "ready" | "unable" }>): void {
    const call = pending.get(message.id);
    pending.delete(message.id);
    if (call === undefined) return;
    if (message.kind === "failed") call.reject(revive(message.error));
    else {
      onRun?.(call.inputs, message.ms);
      call.resolve(receiveTensors(message.outputs));
    }
  }

  async function restart(): Promise<Thread> {
    thread ??= startThread();
    await thread.ready;
    return thread;
  }

  function ask({ worker }: Thread, inputs: NamedTensors): Promise<NamedTensors> {
    const id = nextId++;
    const { sent, transfer } = sendTensors(inputs);
    return new Promise((resolve, reject) => {
      pending.set(id, { inputs, resolve, reject });
      worker.postMessage({ id, inputs: sent }, transfer);
    });
  }

  const { runtime, inputs, outputs } = await thread.ready;
  return {
    digest: data.digest,
    runtime,
    inputs,
    outputs,
    infer: (tensors) => (thread === undefined ? restart().then((next) => ask(next, tensors)) : ask(thread, tensors)),
    async close() {
      if (thread === undefined) return;
      const { worker } = thread;
      const ended = new Promise((resolve) => worker.once("exit", resolve));
      worker.postMessage(closeMessage);
      await ended;
    },
  };
}

function revive({ code, message, disposition }: SentError): InferiumError {
  return new InferiumError(code, message, { disposition });
}
