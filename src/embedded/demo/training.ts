/**
 * The training that the demonstration asks for: weights, data and store published where the pods and the validators find them, and
 * the task as a user would write it. Trained on all of MNIST's training images as train-mnist.ts does, it must arrive at the very
 * model that the rest of the run uses. Effects: publishes artifacts.
 */

import { apiVersion } from "../../api/v1alpha1/meta.ts";
import type { InferenceTask } from "../../api/v1alpha1/types.ts";
import { perceptronProgram } from "../../inference/training/perceptron/perceptron-program.ts";
import { writeSafetensors } from "../../protocol/tensors/safetensors.ts";
import { createTensor, type NamedTensors } from "../../protocol/tensors/tensor.ts";
import type { ArtifactServer } from "./artifact-server.ts";
import { type MnistSet, pixelsPerImage } from "./data/mnist.ts";
import { demoNamespace, orderSecret, rewards, type TaskManifest } from "./workload.ts";

export interface TrainingPlan {
  readonly name: string;
  readonly set: MnistSet;
  readonly seed: number;
  readonly rates: readonly number[];
  readonly imagesPerStep: number;
  /** At the end of the set: not learned from. */
  readonly heldImages: number;
  readonly steps: number;
  readonly checkpointEvery: number;
  readonly sampledSlices: number;
}

export function buildTrainingTask(plan: TrainingPlan, artifacts: ArtifactServer, requester: string): TaskManifest {
  const { name, set, seed, steps, checkpointEvery, sampledSlices } = plan;
  const data: NamedTensors = new Map([
    ["pixels", createTensor("uint8", [set.count, pixelsPerImage], set.images)],
    ["labels", createTensor("uint8", [set.count], set.labels)],
  ]);
  const hyperparameters = {
    learningRates: plan.rates.join(","),
    imagesPerStep: String(plan.imagesPerStep),
    heldImages: String(plan.heldImages),
  };
  const weights = perceptronProgram.open(data, { hyperparameters, seed }).initial();
  const model = artifacts.publish(`trainings/${name}/initial.safetensors`, writeSafetensors(weights));
  const input = artifacts.publish(`trainings/${name}/data.safetensors`, writeSafetensors(data));
  const training: InferenceTask["spec"]["training"] = {
    ...{ program: perceptronProgram.name, hyperparameters, steps, checkpointEvery, seed, sampledSlices },
    checkpointStore: artifacts.storeUri,
  };
  return {
    apiVersion,
    kind: "InferenceTask",
    metadata: { name, namespace: demoNamespace },
    spec: {
      type: "Training",
      mode: "Pod",
      model: { uri: model.uri, digest: model.digest, format: "safetensors" },
      input: { uri: input.uri, digest: input.digest },
      resources: { gpus: 1 },
      training,
      verification: { policy: "Exact", validators: 3, quorum: 2 },
      reward: rewards.training,
      requester,
      orderRef: { name: orderSecret },
      timeoutSeconds: 600,
    },
  };
}
