/** What a run shows of the training that it was asked for, and in words. Pure. */
export interface ShownTraining {
  readonly task: string;
  readonly program: string;
  readonly steps: number;
  readonly images: number;
  /** Checkpoints made, that of the initial weights left out. */
  readonly checkpoints: number;
  /** Slices between two checkpoints that each validator computed again. */
  readonly slicesChecked: number;
  /** Nodes that its pods ran on. */
  readonly nodes: readonly string[];
  readonly model: string;
  /** The trained model is, byte for byte, the classifier that the rest of the run used. */
  readonly reproduced: boolean;
  /** Of the task: Succeeded where it was verified and settled. */
  readonly outcome: string;
  /** From the submission to the end. */
  readonly seconds: number;
}

export function renderTraining(shown: ShownTraining): string {
  const { task, steps, images, checkpoints, slicesChecked, nodes, model, reproduced, outcome, seconds } = shown;
  const result = reproduced
    ? `came to the classifier that this run used, byte for byte (${model})`
    : `came to ${model}, which is not the classifier that this run used`;
  return `${task} trained on ${images} images in ${steps} steps, in pods on ${nodes.join(", ") || "no node"}, and ${result}. Each validator computed ${slicesChecked} of its ${checkpoints} slices again, drawn after the receipt, and the model from the last checkpoint. Outcome: ${outcome} after ${seconds} s.`;
}
