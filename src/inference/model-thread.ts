/**
 * The thread of one hosted model: loads it, then answers message after message. onnxruntime-node runs a model on the thread that
 * asks for it, so that whoever serves HTTP must not be that thread. Started by threaded-model.ts; no effects but messages.
 */
import { parentPort, workerData } from "node:worker_threads";
import { describeError, InferiumError } from "../base/errors.ts";
import { type HostedModel, hostModel } from "./hosted-model.ts";
import {
  closeMessage,
  type InferMessage,
  receiveTensors,
  type SentError,
  sendTensors,
  type ThreadData,
  type ThreadMessage,
} from "./model-messages.ts";
import { createRunClock } from "./run-times.ts";
import { loadModel } from "./session.ts";

const port = parentPort;
if (port === null) throw new Error("model-thread is started as a thread");
const clock = createRunClock();
const say = (message: ThreadMessage, transfer: ArrayBuffer[] = []) => port.postMessage(message, transfer);

async function run({ bytes, digest, session }: ThreadData): Promise<void> {
  try {
    const model = hostModel(digest, await loadModel(bytes, session));
    const running = new Set<Promise<void>>();
    port?.on("message", (message: InferMessage | typeof closeMessage) => {
      if (message === closeMessage) return void close(model, running);
      const call = answer(model, message).finally(() => running.delete(call));
      running.add(call);
    });
    const { runtime, inputs, outputs } = model;
    say({ kind: "ready", runtime, inputs, outputs });
  } catch (error) {
    say({ kind: "unable", error: describe(error) });
  }
}

async function close(model: HostedModel, running: ReadonlySet<Promise<void>>): Promise<void> {
  await Promise.all(running);
  await model.close();
  // Nothing holds the thread any more.
  port?.close();
}

async function answer(model: HostedModel, { id, inputs }: InferMessage): Promise<void> {
  const askedAt = performance.now();
  try {
    const outputs = await model.infer(receiveTensors(inputs));
    const ms = clock.end(askedAt);
    const { sent, transfer } = sendTensors(outputs);
    say({ kind: "done", id, outputs: sent, ms }, transfer);
  } catch (error) {
    say({ kind: "failed", id, error: describe(error) });
  }
}

function describe(error: unknown): SentError {
  if (error instanceof InferiumError) {
    const { code, message, disposition } = error;
    return { code, message, disposition };
  }
  return { code: "ExecutionFailed", message: describeError(error), disposition: "reject" };
}

await run(workerData as ThreadData);
