/**
 * Stage 4, and stage 6 again: runs a task's model on its input. Workers and validators call the same code, each with
 * its own cache, so that what they compare differs only where the machines do.
 *
 *   1. input: inline, or fetched and verified by digest; all of it or some of its items
 *   2. model: loaded once from bytes fetched and verified by digest
 *   3. run: once, or step by step with carried state
 *   4. canonical bytes of the outputs, and their digest
 */
import type { Digest } from "../base/digest.ts";
import { describeError, InferiumError } from "../base/errors.ts";
import type { CutItems } from "../protocol/shards/cut-items.ts";
import { digestTensors } from "../protocol/tensors/canonical.ts";
import type { NamedTensors } from "../protocol/tensors/tensor.ts";
import { orAborted } from "./abort.ts";
import { type ArtifactRef, type ArtifactStoreOptions, createArtifactStore } from "./fetch-artifact.ts";
import { createInputReader, cutInput, type Input, type InputSource } from "./inputs.ts";
import { createModelProbe } from "./model-check/model-probe.ts";
import { runCalls } from "./run-calls.ts";
import { runModel } from "./run-model.ts";
import { runSteps, type Steps } from "./run-steps.ts";
import type { Runtime } from "./runtime.ts";
import { defaultSessionOptions, type LoadedModel, loadModel, type SessionOptions, tryRuntime } from "./session.ts";
import { createSessionCache, type Slot } from "./session-cache.ts";

const mebibyte = 1024 * 1024;

export interface ExecutorOptions extends ArtifactStoreOptions {
  readonly session?: Partial<SessionOptions>;
  /** Models kept loaded. */
  readonly maxSessions?: number;
  /** Bound of the verified inputs kept in memory. */
  readonly maxInputMemoryBytes?: number;
  readonly maxOutputBytes?: number;
  /** Whether a model is tried in a process of its own before its first load here. */
  readonly probeModels?: boolean;
}

export interface ExecutionRequest {
  readonly model: ArtifactRef;
  readonly input: InputSource;
  readonly steps?: Steps;
  /** Runs the model once for each of so many calls, see run-calls.ts. */
  readonly calls?: number;
  /** Only these rows of the input, as if they were all of it. */
  readonly items?: CutItems;
}

export interface Execution {
  readonly outputs: NamedTensors;
  /** Of the outputs' canonical bytes (protocol/tensors/canonical.ts). */
  readonly outputDigest: Digest;
  /** Of the file for an input by URI; of the canonical bytes for an inline one, and for items of either. */
  readonly inputDigest: Digest;
  readonly modelDigest: Digest;
  /** Words for one that ran elsewhere. */
  readonly runtime: Runtime | string;
  /** Of the container image that ran, as 0x-hex; left out where the executor ran it itself, or it is not known. */
  readonly imageDigest?: string;
  /** Number of inferences: steps, or axis 0 of the model's first input. */
  readonly items: number;
}

export interface Executor {
  /**
   * @throws InferiumError of fetching (fetch-artifact.ts), of tensors, InvalidModel, ProviderUnavailable,
   * InputMismatch, InvalidSteps, InvalidCalls, InvalidItems, ExecutionFailed, TooLarge; or the signal's reason
   */
  execute(request: ExecutionRequest, signal?: AbortSignal): Promise<Execution>;
  /**
   * Runs a graph of one node with the session options, so that a provider that does not work here is found before the
   * first task, and the first task does not pay for what the first session of a process costs.
   * @throws InferiumError ProviderUnavailable
   */
  warmUp(): Promise<void>;
  /** Loads a model ahead of its first task. */
  preload(model: ArtifactRef): Promise<Runtime>;
  loadedModels(): Digest[];
  close(): Promise<void>;
}

export function createExecutor(options: ExecutorOptions): Executor {
  const store = createArtifactStore(options);
  const readInput = createInputReader(store, options.maxInputMemoryBytes ?? 256 * mebibyte);
  const sessions = createSessionCache(options.maxSessions ?? 8);
  const probe = options.probeModels ? createModelProbe() : undefined;
  const sessionOptions = { ...defaultSessionOptions, ...options.session };
  const maxOutputBytes = options.maxOutputBytes ?? 256 * mebibyte;

  function acquire(ref: ArtifactRef): Slot {
    // A task may use a model only where it may read it, also when another task has loaded it.
    store.checkAllowed(ref.uri);
    return sessions.acquire(ref.digest, async (signal) => {
      await probe?.(await store.fetchArtifact(ref, signal), signal);
      return loadModel(await store.readArtifact(ref, signal), sessionOptions);
    });
  }

  async function perform(request: ExecutionRequest, signal?: AbortSignal): Promise<Execution> {
    const found = readInput(request.input, signal);
    const whole = found instanceof Promise ? await found : found;
    const input = request.items ? cutInput(whole, request.items) : whole;
    const slot = acquire(request.model);
    try {
      const model = slot.model ?? (await orAborted(slot.loading, signal));
      signal?.throwIfAborted();
      const outputs = await run(model, input, request, signal);
      checkSize(outputs, maxOutputBytes);
      return buildExecution(model, request, input, outputs);
    } catch (error) {
      if (error instanceof InferiumError || signal?.aborted) throw error;
      throw executionFailed(error);
    } finally {
      sessions.release(slot);
    }
  }

  async function run(model: LoadedModel, input: Input, { steps, calls }: ExecutionRequest, signal?: AbortSignal) {
    if (calls !== undefined) return runCalls(model, input.tensors, calls, signal);
    if (steps === undefined) return runModel(model, input);
    return runSteps(model, input.tensors, steps, { maxOutputBytes, signal });
  }

  async function preload(ref: ArtifactRef): Promise<Runtime> {
    const slot = acquire(ref);
    try {
      return (await slot.loading).runtime;
    } finally {
      sessions.release(slot);
    }
  }

  return {
    execute: (request, signal) => orAborted(perform(request, signal), signal),
    warmUp: () => tryRuntime(sessionOptions),
    preload,
    loadedModels: sessions.loaded,
    close: sessions.close,
  };
}

/** What onnxruntime throws; everything of ours has a code. */
function executionFailed(cause: unknown): InferiumError {
  return new InferiumError("ExecutionFailed", `The model failed on this input: ${describeError(cause)}`, { cause });
}

function buildExecution(model: LoadedModel, request: ExecutionRequest, input: Input, outputs: NamedTensors): Execution {
  return {
    outputs,
    outputDigest: digestTensors(outputs),
    inputDigest: input.digest,
    modelDigest: request.model.digest,
    runtime: model.runtime,
    items:
      request.calls ??
      request.items?.count ??
      request.steps?.count ??
      countItems(model.session.inputNames[0], input.tensors),
  };
}

/** @throws InferiumError TooLarge */
function checkSize(outputs: NamedTensors, maxBytes: number): void {
  let total = 0;
  for (const tensor of outputs.values()) total += tensor.data.byteLength;
  if (total <= maxBytes) return;
  throw new InferiumError("TooLarge", `The outputs have ${total} bytes; at most ${maxBytes} are allowed here.`);
}

function countItems(firstInput: string | undefined, tensors: NamedTensors): number {
  const shape = firstInput === undefined ? undefined : tensors.get(firstInput)?.shape;
  return shape?.[0] ?? 1;
}
