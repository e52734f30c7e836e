/**
 * Models and inputs of the demonstration: read from the project and its data packages, published where workers and
 * validators fetch them, turned into task manifests. Effects: reads files, publishes artifacts.
 */
import { readFile } from "node:fs/promises";
import type { InferenceTask } from "../../api/v1alpha1/types.ts";
import { readInline } from "../../pool/inline-tensors.ts";
import { viewElements } from "../../protocol/tensors/elements.ts";
import { writeSafetensors } from "../../protocol/tensors/safetensors.ts";
import { requireTensor } from "../../protocol/tensors/tensor.ts";
import type { ArtifactServer, PublishedArtifact } from "../demo/artifact-server.ts";
import { cutBatches, loadMnist, type MnistSet, pixelsPerImage } from "../demo/data/mnist.ts";
import { buildSileroInput, loadSpeech, sileroModelPath, sileroSteps, windowSeconds } from "../demo/data/silero.ts";
import { findSpeech } from "../demo/data/speech-segments.ts";
import { thinlyChecked } from "../demo/dishonest-execute.ts";
import { mnistModel, provenRows } from "../demo/proving-setup.ts";
import type { Summary } from "../demo/summary.ts";
import { buildTask, rewards, type TaskManifest } from "../demo/workload.ts";

export interface DemoData {
  readonly tasks: readonly TaskManifest[];
  /** Checked by one validator only: for the staged dispute. */
  readonly unwatched: TaskManifest;
  /** True labels by task name. */
  readonly labels: ReadonlyMap<string, Uint8Array>;
  readSpeech(tasks: readonly InferenceTask[]): Summary["speech"];
}

const firstDigits = 12;
const imagesPerTask = 100;
/** Enough that each validator is likely to prove one. */
const provenImages = 3;
/** Floating point: two machines may differ in the last digits. */
const speechTolerance = { absolute: 1e-4, relative: 1e-3 } as const;
const speechTask = "speech-realtime";

export async function prepareDemoData(artifacts: ArtifactServer, requester: string): Promise<DemoData> {
  const [digits, speech] = await Promise.all([
    prepareDigits(artifacts, requester),
    prepareSpeech(artifacts, requester),
  ]);
  const { labels, unwatched } = digits;
  // Digits first: a moment's work each, while the recording keeps a worker and then the whole panel for a second.
  const tasks = [...digits.tasks.slice(0, firstDigits), ...speech.tasks, ...digits.tasks.slice(firstDigits)];
  return { tasks, unwatched, labels, readSpeech: speech.read };
}

/** The ten thousand test images, a benchmark that any tier may run, and the first few again with a proof each. */
async function prepareDigits(artifacts: ArtifactServer, requester: string) {
  const [images, bytes] = await Promise.all([loadMnist("test"), readFile(mnistModel)]);
  const model = artifacts.publish("models/mnist-int8.onnx", bytes);
  const labels = new Map<string, Uint8Array>();
  const proven = cutBatches(firstOf(images, provenImages), provenRows).map(({ index, file }) => {
    const name = `mnist-proven-${index}`;
    const input = artifacts.publish(`inputs/${name}.safetensors`, file);
    // Proofs take the validators' cores: after everything that needs them for less.
    const plan = { proven: true, priority: -100, reward: rewards.proven } as const;
    return buildTask({ name, type: "Benchmark", model, input, ...plan }, requester);
  });
  const tasks = cutBatches(images, imagesPerTask).map((batch) => {
    const name = `mnist-${String(batch.index).padStart(3, "0")}`;
    labels.set(name, batch.labels);
    const input = artifacts.publish(`inputs/${name}.safetensors`, batch.file);
    return buildTask({ name, type: "Benchmark", model, input, reward: rewards.mnist }, requester);
  });
  return { tasks: [...tasks, ...proven], labels, unwatched: buildUnwatched(artifacts, { model, requester, images }) };
}

interface UnwatchedParts {
  readonly model: PublishedArtifact;
  readonly requester: string;
  readonly images: Awaited<ReturnType<typeof loadMnist>>;
}

/** The cheater's own node is asked for by name, as anybody may. */
function buildUnwatched(artifacts: ArtifactServer, { model, requester, images }: UnwatchedParts): TaskManifest {
  const [batch] = cutBatches(images, imagesPerTask);
  const input = artifacts.publish(`inputs/${thinlyChecked}.safetensors`, batch?.file ?? new Uint8Array());
  const name = "disputed-by-design";
  const task = buildTask({ name, type: "Benchmark", model, input, reward: rewards.mnist }, requester);
  const verification = { policy: "Exact", validators: 1, quorum: 1 } as const;
  const nodeSelector = { "kubernetes.io/hostname": "gpu-mid-rtx" };
  return { ...task, spec: { ...task.spec, verification, nodeSelector } };
}

function firstOf({ images, labels }: MnistSet, count: number): MnistSet {
  return { count, images: images.subarray(0, count * pixelsPerImage), labels: labels.subarray(0, count) };
}

/** Speech detection on a recording, once as real-time inference (at least Mid) and once asking for a High worker. */
async function prepareSpeech(artifacts: ArtifactServer, requester: string) {
  const [recording, bytes] = await Promise.all([loadSpeech(), readFile(sileroModelPath())]);
  const { tensors, windows } = buildSileroInput(recording);
  const plan = {
    type: "Inference",
    model: artifacts.publish("models/silero-vad-v5.onnx", bytes),
    input: artifacts.publish("inputs/inaugural-1961.safetensors", writeSafetensors(tensors)),
    steps: sileroSteps(windows),
    tolerance: speechTolerance,
    reward: rewards.speech,
  } as const;
  const tasks = [
    buildTask({ ...plan, name: speechTask }, requester),
    buildTask({ ...plan, name: "speech-archive", tier: "High" }, requester),
  ];
  const seconds = recording.samples.length / recording.sampleRate;
  return { tasks, read: (done: readonly InferenceTask[]) => ({ seconds, segments: readSegments(done) }) };
}

function readSegments(tasks: readonly InferenceTask[]): Summary["speech"]["segments"] {
  const task = tasks.find((candidate) => candidate.metadata.name === speechTask);
  const output = task?.status?.phase === "Succeeded" ? task.status.output?.inline : undefined;
  if (!output) return [];
  const probabilities = Float64Array.from(viewElements(requireTensor(readInline(output), "output")), Number);
  return findSpeech(probabilities, { windowSeconds });
}
