/**
 * What a training program is: a deterministic function from data, terms and weights to weights, cut into steps, and from the last
 * weights to a model. Trainers and validators find it by name in the same release; what is not here cannot be verified.
 */
import { InferiumError } from "../../base/errors.ts";
import type { NamedTensors } from "../../protocol/tensors/tensor.ts";
import type { StepRange, TrainingTerms } from "../../protocol/training.ts";
import { perceptronProgram } from "./perceptron/perceptron-program.ts";

export interface TrainingProgram {
  readonly name: string;
  /** @throws InferiumError InvalidTraining where data or hyperparameters are not what it needs */
  open(data: NamedTensors, terms: Pick<TrainingTerms, "hyperparameters" | "seed">): Training;
}

/** Lets others have the processor; rejects where the work shall end. */
export type Pause = () => Promise<void>;

export interface Training {
  /** Weights to begin with, drawn from the seed. */
  initial(): NamedTensors;
  /** The weights after these steps. @throws InferiumError InvalidTraining where the weights are not this program's */
  run(weights: NamedTensors, steps: StepRange, pause: Pause): Promise<NamedTensors>;
  /** The model as a file. @throws as run */
  finish(weights: NamedTensors, pause: Pause): Promise<Uint8Array>;
}

const programs: readonly TrainingProgram[] = [perceptronProgram];

/** @throws InferiumError UnknownProgram */
export function findProgram(name: string): TrainingProgram {
  const found = programs.find((program) => program.name === name);
  if (found) return found;
  const known = programs.map((program) => program.name).join(", ");
  throw new InferiumError("UnknownProgram", `There is no training program "${name.slice(0, 64)}"; there is: ${known}.`);
}
