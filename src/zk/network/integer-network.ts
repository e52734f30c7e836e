/**
 * A feed-forward network of integers alone, as a circuit proves it: bytes in, layers whose sums are clipped and scaled back to
 * bytes, and the last layer's sums as logits. The functions here are the integer reference of every circuit. Made by from-onnx.ts.
 * Pure.
 */
import { listWeightedTaps } from "./convolution.ts";
import { countPixels, countPositions, type ImageShape, listTaps, type Window } from "./window.ts";

interface LayerBase {
  /** Values in one row of the layer's input and output. */
  readonly inputs: number;
  readonly outputs: number;
  /** k: activation = clip(value, 0, 256 * 2^k - 1) / 2^k, rounded down. Where undefined, the values go on as they are. */
  readonly shift: number | undefined;
}

/** Weighted sums of bytes. */
export interface DenseLayer extends LayerBase {
  readonly kind: "dense";
  /** Row-major [inputs][outputs]. */
  readonly weights: Int32Array;
  readonly bias: Int32Array;
}

/** Weighted sums of bytes under a window. Outputs lie filter after filter. */
export interface ConvolutionLayer extends LayerBase {
  readonly kind: "convolution";
  readonly image: ImageShape;
  readonly window: Window;
  /** Each group of filters sees its share of the channels alone. */
  readonly groups: number;
  /** Row-major [filters][channels / groups][rows][columns]. */
  readonly weights: Int32Array;
  /** One for each filter. */
  readonly bias: Int32Array;
}

/** The largest value under each window, channel by channel: of bytes, or of sums that are scaled afterwards. */
export interface MaxPoolLayer extends LayerBase {
  readonly kind: "maxPool";
  readonly image: ImageShape;
  readonly window: Window;
}

/** The sum of the bytes under each window, which a shift makes an average. Windows hold at most 2^shift bytes. */
export interface AveragePoolLayer extends LayerBase {
  readonly kind: "averagePool";
  readonly image: ImageShape;
  readonly window: Window;
  readonly shift: number;
}

/** max(value, 0) of sums that are not scaled: the step to bytes holds its own. */
export interface ReluLayer extends LayerBase {
  readonly kind: "relu";
}

export type Layer = DenseLayer | ConvolutionLayer | MaxPoolLayer | AveragePoolLayer | ReluLayer;

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
  readonly layers: readonly Layer[];
  /** In order of name, as canonical outputs are. */
  readonly outputs: readonly NetworkOutput[];
}

/** Weights and biases. */
export function countParameters(network: IntegerNetwork): number {
  return network.layers.reduce((sum, layer) => {
    return "weights" in layer ? sum + layer.weights.length + layer.bias.length : sum;
  }, 0);
}

/** The values of one layer before they are scaled. Exact: sums are checked to fit 32 bits when the network is read. */
export function computeSums(layer: Layer, input: ArrayLike<number>): Int32Array {
  if (layer.kind === "dense") return computeDenseSums(layer, input);
  if (layer.kind === "convolution")
    return Int32Array.from({ length: layer.outputs }, (_, j) => sumTaps(layer, input, j));
  if (layer.kind === "relu") return Int32Array.from(input, (value) => Math.max(0, value));
  return Int32Array.from({ length: layer.outputs }, (_, output) => {
    const values = listPooled(layer, output).map((index) => input[index] as number);
    return layer.kind === "maxPool" ? Math.max(...values) : values.reduce((sum, value) => sum + value, 0);
  });
}

function computeDenseSums(layer: DenseLayer, input: ArrayLike<number>): Int32Array {
  const sums = Int32Array.from(layer.bias);
  for (let i = 0; i < layer.inputs; i++) {
    const value = input[i] as number;
    if (value === 0) continue;
    const row = i * layer.outputs;
    for (let j = 0; j < layer.outputs; j++) (sums[j] as number) += value * (layer.weights[row + j] as number);
  }
  return sums;
}

function sumTaps(layer: ConvolutionLayer, input: ArrayLike<number>, output: number): number {
  const bias = layer.bias[Math.floor(output / countPositions(layer.window))] as number;
  return listWeightedTaps(layer, output).reduce(
    (sum, tap) => sum + (input[tap.input] as number) * (layer.weights[tap.weight] as number),
    bias,
  );
}

/** The inputs under the window of one output of a pooling layer. */
export function listPooled({ image, window }: MaxPoolLayer | AveragePoolLayer, output: number): number[] {
  const channel = Math.floor(output / countPositions(window));
  const taps = listTaps(image, window, output % countPositions(window));
  return taps.map(({ pixel }) => channel * countPixels(image) + pixel);
}

/** What follows a layer's values: bytes where it scales, else the values themselves. */
export function computeActivations(layer: Layer, values: Int32Array): Int32Array {
  const { shift } = layer;
  return shift === undefined ? values : values.map((value) => Math.min(255, Math.max(0, value) >> shift));
}

/** The whole network on one row of bytes. */
export function computeLogits(network: IntegerNetwork, input: Uint8Array): Int32Array {
  let values: Int32Array = Int32Array.from(input);
  for (const layer of network.layers) values = computeActivations(layer, computeSums(layer, values));
  return values;
}

export function firstLargest(values: ArrayLike<number>): number {
  let best = 0;
  for (let i = 1; i < values.length; i++) if ((values[i] as number) > (values[best] as number)) best = i;
  return best;
}
