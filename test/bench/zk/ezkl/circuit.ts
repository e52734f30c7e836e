/**
 * A dense network as a compiled circuit of EZKL 21, which its own program makes from ONNX and which npm does not have: sums, biases and
 * ReLU of integers, weights as constants of the circuit ("fixed"), scales of 1. It has no step back to bytes, so that sums grow from
 * layer to layer, no commitment to the input and no arg max.
 */
import type { DenseLayer } from "../../../../src/zk/network/integer-network.ts";
import { BincodeWriter } from "./bincode.ts";

export interface EzklCircuit {
  readonly bytes: Uint8ClampedArray;
  /** What a verifier gets, as JSON. */
  readonly settings: object;
}

/** Numbers of variants, as EZKL's enumerations list them. */
const variant = {
  linear: 0,
  input: 3,
  constant: 4,
  leakyRelu: 2,
  einsum: 8,
  add: 12,
  private: 0,
  public: 1,
  fixed: 4,
  f32: 2,
};
const checkUnsafe = 1;
/** Sums are split into four digits of this base, to tell their sign. */
const [base, digits] = [128, 4];

interface Node {
  readonly writeOperator: (writer: BincodeWriter) => void;
  readonly inputs: readonly number[];
  readonly shape: readonly number[];
}

/** @param logRows the circuit has 2^logRows rows */
export function buildEzklCircuit(layers: readonly DenseLayer[], logRows: number): EzklCircuit {
  const nodes = buildNodes(layers);
  const outputs = layers.at(-1)?.outputs ?? 0;
  const parameters = layers.reduce((sum, { weights, bias }) => sum + weights.length + bias.length, 0);
  // A few rows of each column are for blinding.
  const rows = 2 ** logRows - 10;
  const settings = buildSettings({ logRows, rows, constants: parameters + 20, outputs });
  const writer = new BincodeWriter();
  writeModel(writer, nodes);
  writeSettings(writer, settings);
  writeBlankWitness(writer, layers[0]?.inputs ?? 0);
  return { bytes: writer.bytes, settings };
}

function buildNodes(layers: readonly DenseLayer[]): Node[] {
  const nodes: Node[] = [];
  const add = (node: Node) => nodes.push(node) - 1;
  let current = add({
    writeOperator: (writer) => writer.u32(variant.input).i32(0).u32(variant.f32).bool(false),
    inputs: [],
    shape: [1, layers[0]?.inputs ?? 0],
  });
  for (const layer of layers) {
    const shape = [1, layer.outputs];
    const weights = add(buildConstant(transpose(layer), [layer.outputs, layer.inputs]));
    const products = add({
      writeOperator: (writer) => writer.u32(variant.linear).u32(variant.einsum).text("mk,nk->mn"),
      inputs: [current, weights],
      shape,
    });
    const bias = add(buildConstant([...layer.bias], shape));
    current = add({
      writeOperator: (writer) => writer.u32(variant.linear).u32(variant.add),
      inputs: [products, bias],
      shape,
    });
    if (layer.shift === undefined) continue;
    current = add({
      writeOperator: (writer) => writer.u32(variant.linear).u32(variant.leakyRelu).f32(0).i32(0),
      inputs: [current],
      shape,
    });
  }
  return nodes;
}

function transpose({ inputs, outputs, weights }: DenseLayer): number[] {
  return Array.from({ length: inputs * outputs }, (_, at) => {
    const [output, input] = [Math.floor(at / inputs), at % inputs];
    return weights[input * outputs + output] as number;
  });
}

function buildConstant(values: readonly number[], shape: readonly number[]): Node {
  const writeOperator = (writer: BincodeWriter) => {
    writer.u32(variant.constant).list(values, (value) => writer.element(BigInt(value)));
    writer.usizes(shape).some().i32(0).some().u32(variant.fixed);
    // The values before quantisation, which are left out.
    writer.usizes([]).usizes([0]).none().none().bool(false);
  };
  return { writeOperator, inputs: [], shape };
}

function writeModel(writer: BincodeWriter, nodes: readonly Node[]): void {
  writer.usize(nodes.length);
  nodes.forEach(({ writeOperator, inputs, shape }, index) => {
    writer.usize(index).u32(0);
    writeOperator(writer);
    writer.i32(0).list(inputs, (input) => writer.usize(input).usize(0));
    writer.usizes(shape).usize(index).usize(1);
  });
  writer.usizes([0]);
  writer.list([nodes.length - 1], (output) => writer.usize(output).usize(0));
  writer.list([variant.f32], (type) => writer.u32(type));
  writer.u32(variant.private).u32(variant.fixed).u32(variant.public);
}

interface Size {
  readonly logRows: number;
  readonly rows: number;
  readonly constants: number;
  readonly outputs: number;
}

type Settings = ReturnType<typeof buildSettings>;

function buildSettings({ logRows, rows, constants, outputs }: Size) {
  const runArgs = {
    input_scale: 0,
    param_scale: 0,
    scale_rebase_multiplier: 1,
    lookup_range: [0, 0],
    logrows: logRows,
    num_inner_cols: 2,
    variables: [["batch_size", 1]],
    input_visibility: "Private",
    output_visibility: "Public",
    param_visibility: "Fixed",
    rebase_frac_zero_constants: false,
    check_mode: "UNSAFE",
    commitment: "KZG",
    decomp_base: base,
    decomp_legs: digits,
    bounded_log_lookup: false,
    ignore_range_check_inputs_outputs: true,
  };
  return {
    run_args: runArgs,
    num_rows: rows,
    total_assignments: 2 * rows,
    total_const_size: constants,
    total_dynamic_col_size: 0,
    max_dynamic_input_len: 0,
    num_dynamic_lookups: 0,
    num_shuffles: 0,
    total_shuffle_col_size: 0,
    model_instance_shapes: [[1, outputs]],
    model_output_scales: [0],
    model_input_scales: [0],
    module_sizes: { polycommit: [], poseidon: [0, [0]] },
    required_lookups: [],
    required_range_checks: [
      [-1, 1],
      [0, base - 1],
    ],
    check_mode: "UNSAFE",
    version: "21.0.0",
    num_blinding_factors: null,
    timestamp: null,
    input_types: ["F32"],
    output_types: ["F32"],
  };
}

function writeSettings(writer: BincodeWriter, settings: Settings): void {
  const { logrows, num_inner_cols } = settings.run_args;
  writer.i32(0).i32(0).u32(1).i128(0).i128(0).u32(logrows).usize(num_inner_cols);
  writer.list(["batch_size"], (name) => writer.text(name).usize(1));
  writer.u32(variant.private).u32(variant.public).u32(variant.fixed).bool(false).u32(checkUnsafe).some().u32(0);
  writer.usize(base).usize(digits).bool(false).bool(true);
  writer.usize(settings.num_rows).usize(settings.total_assignments).usize(settings.total_const_size);
  for (let unused = 0; unused < 5; unused++) writer.usize(0);
  writer.list(settings.model_instance_shapes, (shape) => writer.usizes(shape));
  for (const scales of [settings.model_output_scales, settings.model_input_scales])
    writer.list(scales, (scale) => writer.i32(scale));
  writer.usizes([]).usize(0).usizes([0]).usizes([]);
  writer.list(settings.required_range_checks, ([low = 0, high = 0]) => writer.i128(low).i128(high));
  writer.u32(checkUnsafe).text(settings.version).none().none();
  for (let types = 0; types < 2; types++) writer.some().list([variant.f32], (type) => writer.u32(type));
}

/** The circuit carries a witness along; keys are made from a blank one. */
function writeBlankWitness(writer: BincodeWriter, inputs: number): void {
  writer.list([new Array<bigint>(inputs).fill(0n)], (values) => writer.list(values, (value) => writer.element(value)));
  writer.none().usizes([]).none().none().none().i128(0).i128(0).i128(0).none();
}
