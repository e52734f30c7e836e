/**
 * The layers of a network as components in circom, and their weights as functions. Weights come in one function for each row, since
 * the compiler fails on one very long literal. Called by emit-circom.ts. Pure.
 */
import { countFilters, weightsPerFilter } from "../network/convolution.ts";
import type { ConvolutionLayer, DenseLayer, IntegerNetwork, Layer } from "../network/integer-network.ts";
import { type Bounds, computeNetworkBounds } from "../network/layer-bounds.ts";
import type { ImageShape, Window } from "../network/window.ts";
import { differenceBits, isScaledAfterwards } from "./layers.ts";
import { requantiseBits, signedBits } from "./requantise.ts";

export function emitConstants(network: IntegerNetwork): string {
  return network.layers.map((layer, depth) => ("weights" in layer ? emitWeights(layer, depth) : "")).join("\n");
}

function emitWeights(layer: DenseLayer | ConvolutionLayer, depth: number): string {
  const isDense = layer.kind === "dense";
  const rows = isDense ? layer.inputs : countFilters(layer);
  const columns = isDense ? layer.outputs : weightsPerFilter(layer);
  const { weights, bias } = layer;
  const values = Array.from({ length: rows }, (_, row) => {
    const literal = weights.subarray(row * columns, (row + 1) * columns).join(", ");
    return `if (row == ${row}) { var values[${columns}] = [${literal}]; return values; }`;
  });
  const none = new Array(columns).fill(0).join(", ");
  const all = [
    `var rows[${rows}][${columns}];`,
    `for (var row = 0; row < ${rows}; row++) { rows[row] = WEIGHTS_${depth}_ROW(row); }`,
    "return rows;",
  ];
  return [
    emitFunction(`WEIGHTS_${depth}_ROW(row)`, [...values, `var none[${columns}] = [${none}];`, "return none;"]),
    emitFunction(`WEIGHTS_${depth}()`, all),
    emitFunction(`BIAS_${depth}()`, [`var values[${bias.length}] = [${bias.join(", ")}];`, "return values;"]),
  ].join("\n");
}

function emitFunction(signature: string, lines: readonly string[]): string {
  return `function ${signature} {\n${lines.map((line) => `    ${line}`).join("\n")}\n}\n`;
}

export function emitLayers(network: IntegerNetwork, rows: number): string[] {
  const bounds = computeNetworkBounds(network);
  return network.layers.flatMap((layer, depth) => {
    const { inputs, values } = bounds[depth] ?? { inputs: [], values: [] };
    const source = depth === 0 ? `bytes[row * ${network.inputs} + i]` : outputOf(network.layers[depth - 1], depth - 1);
    const components = layer.kind === "relu" ? emitRelus : emitLayer;
    return [
      ...components(layer, { depth, rows, bounds: inputs, source }),
      ...(isScaledAfterwards(layer) ? emitActivations(values, { depth, rows, shift: layer.shift }) : []),
    ];
  });
}

/** Value i of a layer in circom. */
function outputOf(layer: Layer | undefined, depth: number): string {
  if (layer === undefined || isScaledAfterwards(layer)) return `activation${depth}[row][i].out`;
  return layer.kind === "relu" ? `layer${depth}[row][i].out` : `layer${depth}[row].out[i]`;
}

interface Place {
  readonly depth: number;
  readonly rows: number;
  readonly bounds: readonly Bounds[];
  readonly source: string;
}

function emitLayer(layer: Layer, { depth, rows, bounds, source }: Place): string[] {
  return [
    `component layer${depth}[${rows}];`,
    `for (var row = 0; row < ${rows}; row++) {`,
    `    layer${depth}[row] = ${emitTemplate(layer, depth, bounds)};`,
    `    for (var i = 0; i < ${layer.inputs}; i++) { layer${depth}[row].in[i] <== ${source}; }`,
    "}",
  ];
}

function emitTemplate(layer: Layer, depth: number, bounds: readonly Bounds[]): string {
  if (layer.kind === "maxPool") {
    return `MaxPool(${emitImage(layer.image)}, ${emitWindow(layer.window)}, ${differenceBits(bounds)})`;
  }
  if (layer.kind === "averagePool") {
    return `AveragePool(${emitImage(layer.image)}, ${emitWindow(layer.window)}, ${layer.shift})`;
  }
  const constants = `WEIGHTS_${depth}(), BIAS_${depth}()`;
  if (layer.kind !== "convolution") return `Dense(${layer.inputs}, ${layer.outputs}, ${constants})`;
  const { size, strides, pads, output } = layer.window;
  const window = [size, strides, pads, output].map((pair) => `[${pair.join(", ")}]`).join(", ");
  return `Convolution(${emitImage(layer.image)}, ${countFilters(layer)}, ${window}, ${layer.groups}, ${constants})`;
}

function emitImage({ channels, height, width }: ImageShape): string {
  return `[${channels}, ${height}, ${width}]`;
}

function emitWindow({ size, strides, output }: Window): string {
  return [size, strides, output].map((pair) => `[${pair.join(", ")}]`).join(", ");
}

function emitRelus(layer: Layer, { depth, rows, bounds, source }: Place): string[] {
  return [
    `component layer${depth}[${rows}][${layer.inputs}];`,
    ...eachValue(rows, bounds, (row, i, { low, high }) => [
      `layer${depth}[${row}][${i}] = Relu(${signedBits({ low, high })});`,
      `layer${depth}[${row}][${i}].in <== ${source.replace("[row]", `[${row}]`).replace("[i]", `[${i}]`)};`,
    ]),
  ];
}

function emitActivations(
  values: readonly Bounds[],
  { depth, rows, shift }: { readonly depth: number; readonly rows: number; readonly shift: number },
): string[] {
  return [
    `component activation${depth}[${rows}][${values.length}];`,
    ...eachValue(rows, values, (row, i, bounds) => [
      `activation${depth}[${row}][${i}] = Requantise(${requantiseBits(bounds, shift)}, ${shift});`,
      `activation${depth}[${row}][${i}].in <== layer${depth}[${row}].out[${i}];`,
    ]),
  ];
}

function eachValue(
  rows: number,
  bounds: readonly Bounds[],
  emit: (row: number, index: number, bounds: Bounds) => string[],
): string[] {
  return Array.from({ length: rows }, (_, row) => bounds.flatMap((value, index) => emit(row, index, value))).flat();
}
