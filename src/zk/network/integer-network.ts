/**
 * A feed-forward network of integers alone, as a circuit proves it: bytes in, dense layers whose sums are clipped and scaled
 * back to bytes, and the last layer's sums as logits. Made by from-onnx.ts. Pure.
 */

export interface DenseLayer {
  readonly inputs: number;
  readonly outputs: number;
  /** Row-major [inputs][outputs]. */
  readonly weights: Int32Array;
  readonly bias: Int32Array;
  /** k: activation = clip(sum, 0, 256 * 2^k - 1) / 2^k. Undefined for the last layer, whose sums are the logits. */
  readonly shift: number | undefined;
}

/** logits: every sum of the last layer. label: the index of the first largest. score: the largest. */
export type OutputKind = "logits" | "label" | "score";

export interface NetworkOutput {
  readonly name: string;
  readonly kind: OutputKind;
}

export interface IntegerNetwork {
  readonly inputName: string;
  /** Bytes in one row of the input. */
  readonly inputs: number;
  readonly layers: readonly DenseLayer[];
  /** In order of name, as canonical outputs are. */
  readonly outputs: readonly NetworkOutput[];
}

/** Weights and biases. */
export function countParameters(network: IntegerNetwork): number {
  return network.layers.reduce((sum, layer) => sum + layer.weights.length + layer.bias.length, 0);
}

/** What a sum can be, given that every input is a byte. Exact: some input reaches each end. */
export interface Bounds {
  readonly low: number;
  readonly high: number;
}

export function computeBounds(layer: DenseLayer): Bounds[] {
  const low = Float64Array.from(layer.bias);
  const high = Float64Array.from(layer.bias);
  for (let i = 0; i < layer.inputs; i++) {
    for (let j = 0; j < layer.outputs; j++) {
      const weight = layer.weights[i * layer.outputs + j] as number;
      if (weight > 0) (high[j] as number) += 255 * weight;
      else (low[j] as number) += 255 * weight;
    }
  }
  return Array.from(low, (value, j) => ({ low: value, high: high[j] as number }));
}

/** The sums of one layer. Exact: they are checked to fit 32 bits when the network is read. */
export function computeSums(layer: DenseLayer, input: ArrayLike<number>): Int32Array {
  const sums = Int32Array.from(layer.bias);
  for (let i = 0; i < layer.inputs; i++) {
    const value = input[i] as number;
    if (value === 0) continue;
    const row = i * layer.outputs;
    for (let j = 0; j < layer.outputs; j++) (sums[j] as number) += value * (layer.weights[row + j] as number);
  }
  return sums;
}

/** The whole network on one row of bytes: the integer reference of every circuit. */
export function computeLogits(network: IntegerNetwork, input: Uint8Array): Int32Array {
  let activations: ArrayLike<number> = input;
  let sums: Int32Array = new Int32Array();
  for (const layer of network.layers) {
    sums = computeSums(layer, activations);
    const { shift } = layer;
    if (shift !== undefined) activations = sums.map((sum) => Math.min(255, Math.max(0, sum) >> shift));
  }
  return sums;
}

export function firstLargest(values: ArrayLike<number>): number {
  let best = 0;
  for (let i = 1; i < values.length; i++) if ((values[i] as number) > (values[best] as number)) best = i;
  return best;
}
