/**
 * Loads a model into onnxruntime under pinned options (stages 4 and 6). The same options give the same kernels, so they
 * are part of what a receipt says ran. Models are loaded from verified bytes and never from a path, and may not point at
 * files outside themselves: the digest covers all of a model or it says nothing.
 */
import * as ort from "onnxruntime-node";
import { describeError, InferiumError } from "../base/errors.ts";
import { readIsa } from "./isa.ts";
import { probeInput, probeModel, probeOutput } from "./probe-model.ts";
import { probeProvider } from "./provider-probe.ts";
import type { Runtime } from "./runtime.ts";
import { openRun, type Run } from "./session-run.ts";

export type Provider = "cpu" | "cuda" | "tensorrt" | "webgpu";
export type OptimizationLevel = "disabled" | "basic" | "extended" | "layout" | "all";

export interface SessionOptions {
  /** In order of preference. */
  readonly providers: readonly Provider[];
  /** What to do where a provider does not work here: fail, or take the next one (the receipt names the one that ran). */
  readonly onUnavailable: "error" | "next";
  /** Lets single nodes that a provider does not know run on the cpu; the receipt then says such as `cuda+cpu`. */
  readonly allowCpuNodes: boolean;
  readonly level: OptimizationLevel;
  readonly threads: number;
  /** Which of several devices of the provider; the first where left out. The cpu has but one. */
  readonly deviceId?: number;
}

export const defaultSessionOptions: SessionOptions = {
  providers: ["cpu"],
  onUnavailable: "error",
  allowCpuNodes: false,
  level: "all",
  threads: 1,
};

export interface LoadedModel {
  readonly session: ort.InferenceSession;
  readonly run: Run;
  readonly runtime: Runtime;
}

// Errors are thrown to the caller with their message; onnxruntime would also print them, past the structured log.
ort.env.logLevel = "fatal";

/** A folder that cannot exist: external data has nowhere to come from. */
const noExternalData = "/dev/null/models-must-be-one-file";

/** @throws InferiumError ProviderUnavailable, InvalidModel */
export async function loadModel(bytes: Uint8Array, options: SessionOptions): Promise<LoadedModel> {
  const refusals: string[] = [];
  for (const provider of options.providers) {
    const loaded = await tryProvider(bytes, provider, options);
    if (typeof loaded !== "string") return loaded;
    refusals.push(`${provider}: ${loaded}`);
    if (options.onUnavailable === "error") break;
  }
  const message = `No configured execution provider can run this model (${refusals.join("; ")}). Install its libraries or configure another.`;
  throw new InferiumError("ProviderUnavailable", message, { evidence: { providers: options.providers } });
}

/**
 * Runs a graph of one node under these options. The first session of a process costs more than the model: paid here, the
 * first task does not pay it. @throws InferiumError ProviderUnavailable
 */
export async function tryRuntime(options: SessionOptions): Promise<void> {
  const { session } = await loadModel(Buffer.from(probeModel, "base64"), options);
  try {
    const { y } = await session.run({ x: new ort.Tensor("float32", [probeInput], [1]) });
    if (y?.data[0] === probeOutput) return;
    throw new InferiumError(
      "ProviderUnavailable",
      `onnxruntime with ${options.providers} computes wrong results here.`,
    );
  } finally {
    await session.release();
  }
}

/** The loaded model, or why this provider cannot run it. */
async function tryProvider(
  bytes: Uint8Array,
  provider: Provider,
  options: SessionOptions,
): Promise<LoadedModel | string> {
  if (provider !== "cpu") {
    const probe = await probeProvider(provider);
    if (!probe.available) return probe.reason;
  }
  try {
    const session = await ort.InferenceSession.create(bytes, buildOrtOptions(provider, options));
    return { session, run: openRun(session), runtime: describeRuntime(provider, options) };
  } catch (cause) {
    if (provider !== "cpu") return describeError(cause);
    throw new InferiumError("InvalidModel", `onnxruntime cannot load the model: ${describeError(cause)}`, { cause });
  }
}

function buildOrtOptions(provider: Provider, options: SessionOptions): ort.InferenceSession.SessionOptions {
  return {
    executionProviders: [
      provider === "cpu" || options.deviceId === undefined ? provider : { name: provider, deviceId: options.deviceId },
    ],
    graphOptimizationLevel: options.level,
    intraOpNumThreads: options.threads,
    interOpNumThreads: 1,
    executionMode: "sequential",
    logSeverityLevel: 4,
    extra: {
      session: {
        model_external_initializers_file_folder_path: noExternalData,
        // Threads that spin while they wait would take the cores of the other workers of this machine.
        intra_op: { allow_spinning: "0" },
        disable_cpu_ep_fallback: provider === "cpu" || options.allowCpuNodes ? "0" : "1",
      },
    },
  };
}

function describeRuntime(provider: Provider, options: SessionOptions): Runtime {
  return {
    version: ort.env.versions.node ?? "unknown",
    provider: provider !== "cpu" && options.allowCpuNodes ? `${provider}+cpu` : provider,
    isa: readIsa(),
    level: options.level,
  };
}
