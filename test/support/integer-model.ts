/**
 * All-integer ONNX networks of any size with weights from a seed, in the graphs of the demo's classifiers. For tests and
 * benchmarks: shifts are chosen so that activations spread over the whole byte.
 */
import { createRandom } from "../../src/inference/training/exact-math.ts";
import {
  constant,
  encodeOnnx,
  intAttribute,
  intsAttribute,
  type NodeProto,
  node,
  OnnxType,
  type TensorProto,
  valueInfo,
} from "../../src/inference/training/onnx-parts.ts";
import type { OutputKind } from "../../src/zk/network/integer-network.ts";

export interface IntegerModelPlan {
  /** Bytes in a row, units of each hidden layer, classes. */
  readonly sizes: readonly number[];
  readonly seed: number;
  readonly outputs: readonly OutputKind[];
  readonly maxWeight?: number;
  /** Put in place of the first Clip. */
  readonly activation?: string;
}

export interface ImageModelPlan {
  readonly image: readonly [channels: number, height: number, width: number];
  readonly steps: readonly ImageStep[];
  /** Units of hidden layers after the steps, then classes. */
  readonly sizes: readonly number[];
  readonly seed: number;
  readonly outputs: readonly OutputKind[];
  /** Relu before the result. */
  readonly isRectified?: boolean;
}

export type ImageStep =
  | {
      readonly kind: "convolution";
      readonly filters: number;
      readonly size: readonly [number, number];
      readonly strides?: readonly [number, number];
      readonly pads?: readonly [number, number, number, number];
      readonly groups?: number;
    }
  | {
      readonly kind: "maxPool" | "averagePool";
      readonly size: readonly [number, number];
      readonly strides?: readonly [number, number];
    };

const maxWeightOfImages = 63;

export function buildIntegerModel(plan: IntegerModelPlan): Uint8Array {
  const { sizes, seed, maxWeight = 63, activation = "Clip" } = plan;
  const graph = new GraphBuilder(createRandom(seed), maxWeight, activation);
  return graph.finish(sizes, plan.outputs);
}

export function buildImageModel({ image, steps, sizes, seed, outputs, isRectified }: ImageModelPlan): Uint8Array {
  const graph = new GraphBuilder(createRandom(seed), maxWeightOfImages, "Clip");
  const [channels, height, width] = image;
  graph.reshape([channels, height, width]);
  let shape = image;
  steps.forEach((step, index) => {
    shape = graph.addStep(step, shape, `image${index}`);
  });
  const flat = shape.reduce((product, size) => product * size, 1);
  graph.reshape([flat]);
  return graph.finish([flat, ...sizes], outputs, { inputs: channels * height * width, isRectified });
}

class GraphBuilder {
  readonly nodes: NodeProto[] = [];
  readonly constants: TensorProto[] = [constant("zero", [], Int32Array.of(0))];
  #current = "bytes";
  readonly #random: () => number;
  readonly #maxWeight: number;
  #activation: string;

  constructor(random: () => number, maxWeight: number, activation: string) {
    this.#random = random;
    this.#maxWeight = maxWeight;
    this.#activation = activation;
  }

  reshape(axes: readonly number[]): void {
    const name = `shape${this.nodes.length}`;
    this.constants.push(constant(name, [1 + axes.length], BigInt64Array.from([-1, ...axes].map(BigInt))));
    this.#push(node("Reshape", [this.#current, name], `${name}_of`));
  }

  addStep(step: ImageStep, [channels, height, width]: ImageModelPlan["image"], name: string): ImageModelPlan["image"] {
    const { size, strides = step.kind === "convolution" ? [1, 1] : size } = step;
    const [above, left, below, right] = (step.kind === "convolution" ? step.pads : undefined) ?? [0, 0, 0, 0];
    const rows = Math.floor((height + above + below - size[0]) / strides[0]) + 1;
    const columns = Math.floor((width + left + right - size[1]) / strides[1]) + 1;
    const attributes = [intsAttribute("strides", strides), intsAttribute("kernel_shape", size)];
    if (step.kind === "maxPool") {
      this.#push(node("MaxPool", [this.#current], name, attributes));
      return [channels, rows, columns];
    }
    const isAverage = step.kind === "averagePool";
    const { groups = 1, filters } = step.kind === "convolution" ? step : { groups: channels, filters: channels };
    const taps = (channels / groups) * size[0] * size[1];
    const weights = Array.from({ length: filters * taps }, () => (isAverage ? 1 : 128 + this.#draw(this.#maxWeight)));
    this.constants.push(constant(`${name}_weights`, [filters, channels / groups, ...size], Uint8Array.from(weights)));
    this.constants.push(constant(`${name}_x0`, [], Uint8Array.of(0)));
    this.constants.push(constant(`${name}_w0`, [], Uint8Array.of(isAverage ? 0 : 128)));
    attributes.push(intAttribute("group", groups), intsAttribute("pads", [above, left, below, right]));
    const inputs = [this.#current, `${name}_weights`, `${name}_x0`, `${name}_w0`];
    this.#push(node("ConvInteger", inputs, `${name}_products`, attributes));
    if (isAverage) this.#divide(name, 2 ** Math.ceil(Math.log2(size[0] * size[1])));
    else {
      const bias = Int32Array.from({ length: filters }, () => this.#draw(255 * this.#maxWeight));
      this.constants.push(constant(`${name}_bias`, [1, filters, 1, 1], bias));
      this.#push(node("Add", [this.#current, `${name}_bias`], `${name}_sums`));
      this.#scale(name, taps);
    }
    return [filters, rows, columns];
  }

  finish(
    sizes: readonly number[],
    outputs: readonly OutputKind[],
    { inputs = sizes[0] ?? 0, isRectified = false }: { inputs?: number; isRectified?: boolean | undefined } = {},
  ): Uint8Array {
    sizes.slice(1).forEach((units, depth) => {
      this.#addDense(sizes[depth] ?? 0, units, depth);
      if (depth < sizes.length - 2) this.#scale(String(depth), sizes[depth] ?? 0);
    });
    if (isRectified) this.#push(node("Relu", [this.#current], "rectified"));
    const logits = this.nodes.at(-1);
    if (logits !== undefined) Object.assign(logits, { name: "logits", output: ["logits"] });
    this.#addResults(outputs);
    const graph = {
      name: "integer",
      node: this.nodes,
      initializer: this.constants,
      input: [valueInfo("bytes", OnnxType.UINT8, ["N", inputs])],
      output: outputs.map((kind) =>
        valueInfo(kind, outputTypes[kind], kind === "logits" ? ["N", sizes.at(-1) ?? 0] : ["N"]),
      ),
    };
    // Relu of integers came with operator set 14.
    return encodeOnnx(graph, { irVersion: 7n, opset: isRectified ? 14n : 13n });
  }

  #addDense(inputs: number, units: number, depth: number): void {
    const weights = Int8Array.from({ length: inputs * units }, () => this.#draw(this.#maxWeight));
    const bias = Int32Array.from({ length: units }, () => this.#draw(255 * this.#maxWeight));
    this.constants.push(constant(`weights${depth}`, [inputs, units], weights));
    this.constants.push(constant(`bias${depth}`, [units], bias));
    this.#push(node("MatMulInteger", [this.#current, `weights${depth}`], `products${depth}`));
    this.#push(node("Add", [this.#current, `bias${depth}`], `sums${depth}`));
  }

  /** Sums to bytes: half of the sums of that many random products fill the byte. */
  #scale(name: string, products: number): void {
    const spread = Math.sqrt(products) * 147 * this.#maxWeight * 0.58;
    const divisor = 2 ** Math.max(0, Math.round(Math.log2(spread / 120)));
    this.constants.push(constant(`limit${name}`, [], Int32Array.of(256 * divisor - 1)));
    this.#push(node(this.#activation, [this.#current, "zero", `limit${name}`], `clipped${name}`));
    this.#activation = "Clip";
    this.#divide(name, divisor);
  }

  #divide(name: string, divisor: number): void {
    this.constants.push(constant(`divisor${name}`, [], Int32Array.of(divisor)));
    this.#push(node("Div", [this.#current, `divisor${name}`], `scaled${name}`));
    this.#push(node("Cast", [this.#current], `bytes${name}`, [intAttribute("to", OnnxType.UINT8)]));
  }

  #addResults(outputs: readonly OutputKind[]): void {
    const keepdims = intAttribute("keepdims", 0);
    if (outputs.includes("label"))
      this.nodes.push(node("ArgMax", ["logits"], "label", [intAttribute("axis", 1), keepdims]));
    if (outputs.includes("score"))
      this.nodes.push(node("ReduceMax", ["logits"], "score", [intsAttribute("axes", [1]), keepdims]));
  }

  #push(next: NodeProto): void {
    this.nodes.push(next);
    this.#current = next.output[0] ?? "";
  }

  #draw(bound: number): number {
    return Math.floor(this.#random() * (2 * bound + 1)) - bound;
  }
}

const outputTypes = { logits: OnnxType.INT32, label: OnnxType.INT64, score: OnnxType.INT32 };

/** Bytes from a seed, half of them blank as in pictures. */
export function drawBytes(count: number, seed: number): Uint8Array {
  const random = createRandom(seed);
  return Uint8Array.from({ length: count }, () => Math.max(0, Math.floor(random() * 512) - 256));
}
