/**
 * Rules of from-onnx.ts for images: ConvInteger, MaxPool, Reshape and Flatten. An average is a ConvInteger of ones with one group for
 * each channel, since AveragePool is an operator of floats. Pure.
 */
import type { OnnxGraph, OnnxNode } from "../onnx/read-graph.ts";
import type { ConvolutionLayer, Layer, MaxPoolLayer } from "./integer-network.ts";
import { misplaced, readWeights, type Stage, sizeOf } from "./onnx-stage.ts";
import { countTaps, type ImageShape, type Window } from "./window.ts";

export function applyConvolution(node: OnnxNode, source: Stage, graph: OnnxGraph): Stage {
  const image = readImage(node, source);
  const { values: weights, shape } = readWeights(graph, node);
  const [filters = 0, channels = 0, ...size] = shape;
  const groups = node.attributes.get("group")?.[0] ?? 1;
  if (shape.length !== 4 || channels * groups !== image.channels || filters % groups !== 0) {
    throw misplaced(node, `weights [filters,${image.channels / groups},rows,columns]`);
  }
  const window = readWindow(node, image, size);
  const layer: ConvolutionLayer = {
    kind: "convolution",
    inputs: sizeOf(source.shape),
    outputs: filters * sizeOf(window.output),
    image,
    window,
    groups,
    weights,
    bias: new Int32Array(filters),
    shift: undefined,
  };
  return { at: "products", layers: [...source.layers, layer], shape: [filters, ...window.output] };
}

export function applyMaxPool(node: OnnxNode, source: Stage): Stage {
  const image = readImage(node, source);
  const window = readWindow(node, image, node.attributes.get("kernel_shape") ?? []);
  if (window.pads.some((pad) => pad !== 0)) throw misplaced(node, "windows within the image, without padding");
  if (node.attributes.get("ceil_mode")?.[0] === 1 || node.outputs.length > 1) {
    throw misplaced(node, "one output and sizes rounded down");
  }
  const outputs = image.channels * sizeOf(window.output);
  const pool: MaxPoolLayer = {
    kind: "maxPool",
    inputs: sizeOf(source.shape),
    outputs,
    image,
    window,
    shift: undefined,
  };
  return { at: "bytes", layers: addPool(source.layers, pool), shape: [image.channels, ...window.output] };
}

/**
 * Scaling to bytes never changes an order, so that the largest of scaled values is the largest value, scaled. Where windows do not
 * overlap it costs less to scale afterwards: fewer values are scaled.
 */
function addPool(layers: readonly Layer[], pool: MaxPoolLayer): readonly Layer[] {
  const layer = layers.at(-1);
  const isApart = pool.window.strides.every((stride, axis) => stride >= (pool.window.size[axis] ?? 0));
  if (!isApart || layer?.shift === undefined || layer.kind === "averagePool") return [...layers, pool];
  return [...layers.slice(0, -1), { ...layer, shift: undefined }, { ...pool, shift: layer.shift }];
}

function readImage(node: OnnxNode, { at, shape }: Stage): ImageShape {
  const [channels, height, width] = shape;
  if (at === "bytes" && shape.length === 3 && channels !== undefined && height !== undefined && width !== undefined) {
    return { channels, height, width };
  }
  throw misplaced(node, "uint8 images [N,channels,height,width]");
}

function readWindow(node: OnnxNode, image: ImageShape, shape: readonly number[]): Window {
  const [rows, columns] = shape;
  if (shape.length !== 2 || rows === undefined || columns === undefined) throw misplaced(node, "a window of two axes");
  const list = (name: string, standard: readonly number[]) => node.attributes.get(name) ?? standard;
  const [down = 1, right = 1] = list("strides", [1, 1]);
  const [above = 0, left = 0, below = 0, rightPad = 0] = list("pads", [0, 0, 0, 0]);
  const mode = node.texts.get("auto_pad") ?? "NOTSET";
  if (list("dilations", []).some((step) => step !== 1) || (mode !== "NOTSET" && mode !== "VALID")) {
    throw misplaced(node, "windows without dilation and with `pads` written out");
  }
  if (list("kernel_shape", shape).join() !== shape.join()) throw misplaced(node, `kernel_shape ${shape}`);
  const positions = (length: number, size: number, stride: number) => Math.floor((length - size) / stride) + 1;
  const output: Window["output"] = [
    positions(image.height + above + below, rows, down),
    positions(image.width + left + rightPad, columns, right),
  ];
  if (output.some((count) => count < 1)) throw misplaced(node, "a window that fits into the image");
  return { size: [rows, columns], strides: [down, right], pads: [above, left], output };
}

/** A convolution that only adds up the pixels under its window, channel by channel. */
export function isWindowSum(layer: Layer | undefined): layer is ConvolutionLayer {
  if (layer?.kind !== "convolution") return false;
  const { groups, image, weights, bias, window } = layer;
  const isDepthwise = groups === image.channels && weights.length === groups * countTaps(window);
  const isInside = window.pads.every((pad) => pad === 0) && fitsInside(image, window);
  return isDepthwise && isInside && weights.every((weight) => weight === 1) && bias.every((value) => value === 0);
}

function fitsInside({ height, width }: ImageShape, { size, strides, output }: Window): boolean {
  return (output[0] - 1) * strides[0] + size[0] <= height && (output[1] - 1) * strides[1] + size[1] <= width;
}

export function applyReshape(node: OnnxNode, source: Stage, graph: OnnxGraph): Stage {
  requireValues(node, source);
  const target = graph.constants.get(node.inputs[1] ?? "");
  if (target === undefined || node.attributes.get("allowzero")?.[0] === 1) throw misplaced(node, "a constant shape");
  const [rows, ...axes] = target.values;
  const known = axes.map((size, axis) => (size === 0 ? (source.shape[axis] ?? 0) : size));
  const free = known.indexOf(-1);
  const rest = sizeOf(known.filter((size) => size !== -1));
  const shape = known.map((size) => (size === -1 ? sizeOf(source.shape) / rest : size));
  const keepsRows = rows === 0 || (rows === -1 && free < 0);
  if (!keepsRows || shape.some((size) => !(size >= 1)) || sizeOf(shape) !== sizeOf(source.shape)) {
    throw misplaced(node, `a shape that leaves the first axis and holds ${sizeOf(source.shape)} values a row`);
  }
  return { ...source, shape };
}

export function applyFlatten(node: OnnxNode, source: Stage): Stage {
  requireValues(node, source);
  if ((node.attributes.get("axis")?.[0] ?? 1) !== 1) throw misplaced(node, "axis 1");
  return { ...source, shape: [sizeOf(source.shape)] };
}

function requireValues(node: OnnxNode, { at }: Stage): void {
  if (at === "label" || at === "score") throw misplaced(node, "values of a layer");
}
