/**
 * The same integers by dense layers alone, which is what dispute games cut into tiles: a window's sum is a row of a matrix that is
 * mostly zero, an average is such a sum of ones, and a larger of two bytes is a + max(b - a, 0). Whoever has the model computes the same
 * matrices, so that commitments to them are commitments to the model. Called by game-model.ts. Pure.
 *
 * Scaling to bytes keeps order, so that a maximum of sums that is scaled afterwards is the maximum of the scaled sums.
 */
import { InferiumError } from "../../base/errors.ts";
import { filterOf, listWeightedTaps } from "../network/convolution.ts";
import {
  type AveragePoolLayer,
  type ConvolutionLayer,
  type DenseLayer,
  type Layer,
  listPooled,
  type MaxPoolLayer,
} from "../network/integer-network.ts";

/** Entries of one matrix: what a player holds in memory. */
const maxEntries = 2 ** 26;

/** @throws InferiumError UnsupportedLayer where sums that are no bytes go on as they are, ModelTooLarge */
export function asDenseLayers(layers: readonly Layer[]): DenseLayer[] {
  const dense: DenseLayer[] = [];
  let isBytes = true;
  for (const [index, layer] of layers.entries()) {
    // Scaling to bytes holds it, and of bytes it is nothing.
    if (layer.kind === "relu") continue;
    if (layer.kind === "averagePool") dense.push(averageOf(layer));
    else if (layer.kind === "maxPool") dense.push(...maximaOf(layer, isBytes ? (layer.shift ?? 0) : 0));
    else {
      const isLast = index === layers.length - 1;
      const shift = isLast ? layer.shift : shiftAfter(layers, index);
      dense.push({ ...(layer.kind === "dense" ? layer : unrolled(layer)), shift });
    }
    isBytes = layer.shift !== undefined || (layer.kind === "maxPool" && isBytes);
  }
  return dense;
}

/** Of the sums of this layer: its own, or that of the maximum or the ReLU behind it. */
function shiftAfter(layers: readonly Layer[], index: number): number {
  for (const layer of layers.slice(index)) {
    if (layer.shift !== undefined) return layer.shift;
    const isKept = layer.kind === "maxPool" || layer.kind === "relu" || layer === layers[index];
    if (!isKept) break;
  }
  const { kind } = layers[index] as Layer;
  throw new InferiumError(
    "UnsupportedLayer",
    `Layer ${index + 1}, of the kind ${kind}, cannot be disputed: its sums go on without being scaled to bytes. Use another verification policy for this model.`,
    { evidence: { layer: index + 1, kind } },
  );
}

function unrolled(layer: ConvolutionLayer): DenseLayer {
  const matrix = createMatrix(layer);
  for (let output = 0; output < layer.outputs; output++) {
    for (const { input, weight } of listWeightedTaps(layer, output)) {
      matrix[input * layer.outputs + output] = layer.weights[weight] as number;
    }
  }
  const bias = Int32Array.from({ length: layer.outputs }, (_, output) => layer.bias[filterOf(layer, output)] as number);
  return { kind: "dense", inputs: layer.inputs, outputs: layer.outputs, shift: layer.shift, weights: matrix, bias };
}

function averageOf(layer: AveragePoolLayer): DenseLayer {
  const { inputs, outputs, shift } = layer;
  const rows = Array.from({ length: outputs }, (_, output) => listPooled(layer, output).map(plus));
  return buildLayer({ inputs, shift, rows });
}

/** Rounds in which neighbours under each window become one: first their differences, then their maxima. */
function maximaOf(layer: MaxPoolLayer, shift: number): DenseLayer[] {
  let windows = Array.from({ length: layer.outputs }, (_, output) => listPooled(layer, output));
  let inputs = layer.inputs;
  const dense: DenseLayer[] = [];
  do {
    const differences: Row[] = [];
    const maxima: Row[] = [];
    windows = windows.map((values) => {
      const ones: number[] = [];
      for (let index = 0; index < values.length; index += 2) {
        const [left = 0, right] = values.slice(index, index + 2);
        const sum = [plus(differences.length)];
        differences.push([plus(left)]);
        if (right !== undefined) {
          sum.push(plus(differences.length));
          differences.push([plus(right), [left, -1]]);
        }
        ones.push(maxima.length);
        maxima.push(sum);
      }
      return ones;
    });
    const isLast = windows.every(({ length }) => length === 1);
    dense.push(buildLayer({ inputs, shift: 0, rows: differences }));
    dense.push(buildLayer({ inputs: differences.length, shift: isLast ? shift : 0, rows: maxima }));
    inputs = maxima.length;
  } while (windows.some(({ length }) => length > 1));
  return dense;
}

/** Weights of one output by input. */
type Row = readonly (readonly [input: number, weight: number])[];

const plus = (input: number): readonly [number, number] => [input, 1];

function buildLayer({ inputs, shift, rows }: { inputs: number; shift: number; rows: readonly Row[] }): DenseLayer {
  const outputs = rows.length;
  const weights = createMatrix({ inputs, outputs });
  for (const [output, row] of rows.entries()) {
    for (const [input, weight] of row) weights[input * outputs + output] = weight;
  }
  return { kind: "dense", inputs, outputs, shift, weights, bias: new Int32Array(outputs) };
}

function createMatrix({ inputs, outputs }: { readonly inputs: number; readonly outputs: number }): Int32Array {
  if (inputs * outputs <= maxEntries) return new Int32Array(inputs * outputs);
  throw new InferiumError(
    "ModelTooLarge",
    `A layer has ${inputs} inputs and ${outputs} outputs, a matrix of ${inputs * outputs}; a dispute game takes at most ${maxEntries}.`,
  );
}
