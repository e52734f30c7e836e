/**
 * Every template of circuits/ with small parameters: how circom makes it, how src/zk/circuit does, what it must give for honest inputs,
 * and the values just outside of what it accepts. templates.test.ts runs over this list, and fails if a template is not in it.
 */
import { addArgMax } from "../../../src/zk/circuit/arg-max.ts";
import { addSignedBits, addUnsignedBits } from "../../../src/zk/circuit/bits.ts";
import { addCommittedDense, addPackSigned } from "../../../src/zk/circuit/committed-circuit.ts";
import { packInput } from "../../../src/zk/circuit/input-layout.ts";
import { addAveragePool, addMaxPool, addRelu } from "../../../src/zk/circuit/pool.ts";
import { addRequantise } from "../../../src/zk/circuit/requantise.ts";
import { addSponge } from "../../../src/zk/circuit/sponge.ts";
import { addInputCommitment, addResult, addTask } from "../../../src/zk/circuit/statement-parts.ts";
import { addTile } from "../../../src/zk/circuit/tile-circuit.ts";
import { addWeightedSums } from "../../../src/zk/circuit/weighted-sums.ts";
import { groupOffset } from "../../../src/zk/game/tile.ts";
import {
  type AveragePoolLayer,
  type ConvolutionLayer,
  computeSums,
  type DenseLayer,
  type MaxPoolLayer,
} from "../../../src/zk/network/integer-network.ts";
import { hashElements } from "../../../src/zk/poseidon/sponge.ts";
import type { ConstraintSystem } from "../../../src/zk/r1cs/constraint-system.ts";

/** Values of a template's inputs by signal. */
export type Signals = Readonly<Record<string, readonly number[]>>;

export interface TemplateCase {
  /** Of the component, in the main component. */
  readonly name: string;
  readonly file: string;
  /** With parameters, as circom has it. */
  readonly template: string;
  /** Length by signal; 0 for a signal that is no array. */
  readonly inputs: Readonly<Record<string, number>>;
  readonly add: (system: ConstraintSystem, path: string, wires: Readonly<Record<string, readonly number[]>>) => void;
  readonly honest: readonly Signals[];
  /** What the outputs must be, by signal. */
  readonly want: (inputs: Signals) => Readonly<Record<string, readonly (number | bigint)[]>>;
  /** Just outside: no witness may exist. */
  readonly refused: readonly (readonly [what: string, inputs: Signals])[];
  /** One of how many wires and constraints the short run looks at; all of them if left out. */
  readonly sample?: number;
  /** The same of the long run. */
  readonly longSample?: number;
  /** Takes circom half a minute and more: compiled in the long run alone, while the short one looks at what is emitted. */
  readonly isSlowInCircom?: true;
}

const one = (value: number): Signals => ({ in: [value] });
const dense: DenseLayer = {
  kind: "dense",
  inputs: 3,
  outputs: 2,
  weights: Int32Array.of(5, -7, 0, 63, -128, 2),
  bias: Int32Array.of(-1000, 9),
  shift: undefined,
};
const convolution: ConvolutionLayer = {
  kind: "convolution",
  inputs: 24,
  outputs: 24,
  image: { channels: 2, height: 4, width: 3 },
  window: { size: [3, 2], strides: [1, 1], pads: [1, 0], output: [4, 3] },
  groups: 2,
  weights: Int32Array.from({ length: 12 }, (_, i) => 7 * i - 40),
  bias: Int32Array.of(3, -4),
  shift: undefined,
};
const image = { channels: 1, height: 2, width: 4 };
const window = { size: [2, 2], strides: [2, 2], pads: [0, 0], output: [1, 2] } as const;
const maxPool: MaxPoolLayer = { kind: "maxPool", inputs: 8, outputs: 2, image, window, shift: undefined };
const averagePool: AveragePoolLayer = { kind: "averagePool", inputs: 8, outputs: 2, image, window, shift: 2 };
const matrix = (rows: number, columns: number, values: Int32Array) =>
  `[${Array.from({ length: rows }, (_, row) => `[${values.subarray(row * columns, (row + 1) * columns).join(", ")}]`)}]`;
const clip = (value: number, shift: number) => Math.min(255, Math.max(0, value) >> shift);
const bitsOf = (value: number, count: number) => Array.from({ length: count }, (_, i) => (value >> i) & 1);
const spread = (count: number, factor: number) => Array.from({ length: count }, (_, i) => (i * factor) % 256);

export const templates: readonly TemplateCase[] = [
  {
    name: "unsigned",
    file: "bits",
    template: "UnsignedBits(8)",
    inputs: { in: 0 },
    add: (system, path, { in: [wire = 0] = [] }) => addUnsignedBits(system, path, wire, 8),
    honest: [one(0), one(255), one(90)],
    want: ({ in: [value = 0] = [] }) => ({ out: bitsOf(value, 8) }),
    refused: [
      ["256 in eight bits", one(256)],
      ["-1 in eight bits", one(-1)],
    ],
  },
  {
    name: "lower",
    file: "bits",
    template: "LowerBits(2, [3, -1], 256, 9)",
    inputs: { in: 2 },
    add: (system, path, { in: [a = 0, b = 0] = [] }) =>
      addSignedBits(
        system,
        path,
        [
          [a, 3n],
          [b, -1n],
        ],
        9,
      ),
    honest: [{ in: [0, 256] }, { in: [85, 0] }, { in: [0, 0] }, { in: [0, 1] }, { in: [-90, -20] }],
    want: ({ in: [a = 0, b = 0] = [] }) => ({ out: bitsOf(3 * a - b + 256, 8) }),
    refused: [
      ["256 in nine bits with sign", { in: [86, 2] }],
      ["-257 in nine bits with sign", { in: [0, 257] }],
    ],
  },
  {
    name: "requantise",
    file: "requantise",
    template: "Requantise(18, 6)",
    inputs: { in: 0 },
    add: (system, path, { in: [wire = 0] = [] }) => addRequantise(system, path, { wire, bits: 18, shift: 6 }),
    honest: [-131072, -64, -1, 0, 63, 64, 16383, 16384, 131071].map(one),
    want: ({ in: [value = 0] = [] }) => ({ out: [clip(value, 6)] }),
    refused: [
      ["a sum above its bounds", one(131072)],
      ["a sum below its bounds", one(-131073)],
    ],
  },
  {
    name: "unsaturated",
    file: "requantise",
    template: "Requantise(10, 3)",
    inputs: { in: 0 },
    add: (system, path, { in: [wire = 0] = [] }) => addRequantise(system, path, { wire, bits: 10, shift: 3 }),
    honest: [-512, -1, 0, 7, 8, 511].map(one),
    want: ({ in: [value = 0] = [] }) => ({ out: [clip(value, 3)] }),
    refused: [
      ["a sum above bounds that do not saturate", one(512)],
      ["a sum below bounds that do not saturate", one(-513)],
    ],
  },
  {
    name: "dense",
    file: "dense",
    template: `Dense(3, 2, ${matrix(3, 2, dense.weights)}, [${dense.bias}])`,
    inputs: { in: 3 },
    add: (system, path, { in: wires = [] }) => addWeightedSums(system, path, wires, dense),
    honest: [{ in: [0, 0, 0] }, { in: [255, 255, 255] }, { in: [1, 2, 3] }],
    want: ({ in: values = [] }) => ({ out: [...computeSums(dense, values)] }),
    refused: [],
  },
  {
    name: "convolution",
    file: "convolution",
    template: `Convolution([2, 4, 3], 2, [3, 2], [1, 1], [1, 0], [4, 3], 2, ${matrix(2, 6, convolution.weights)}, [${convolution.bias}])`,
    inputs: { in: 24 },
    add: (system, path, { in: wires = [] }) => addWeightedSums(system, path, wires, convolution),
    honest: [{ in: spread(24, 37) }, { in: spread(24, 0) }, { in: spread(24, 255) }],
    want: ({ in: values = [] }) => ({ out: [...computeSums(convolution, values)] }),
    refused: [],
  },
  {
    name: "maxPool",
    file: "max_pool",
    template: "MaxPool([1, 2, 4], [2, 2], [2, 2], [1, 2], 8)",
    inputs: { in: 8 },
    add: (system, path, { in: wires = [] }) => addMaxPool(system, path, wires, { layer: maxPool, bits: 8 }),
    honest: [{ in: spread(8, 37) }, { in: spread(8, 0) }, { in: [255, 0, 0, 255, 7, 7, 0, 255] }],
    want: ({ in: values = [] }) => ({ out: [...computeSums(maxPool, values)] }),
    refused: [
      ["a value 256 above another", { in: [0, 256, 0, 0, 0, 0, 0, 0] }],
      ["a value 257 below another", { in: [0, -257, 0, 0, 0, 0, 0, 0] }],
    ],
  },
  {
    name: "averagePool",
    file: "average_pool",
    template: "AveragePool([1, 2, 4], [2, 2], [2, 2], [1, 2], 2)",
    inputs: { in: 8 },
    add: (system, path, { in: wires = [] }) => addAveragePool(system, path, wires, averagePool),
    honest: [
      { in: spread(8, 37) },
      { in: spread(8, 0) },
      { in: new Array(8).fill(255) },
      { in: [1, 1, 0, 0, 1, 0, 0, 0] },
    ],
    want: ({ in: values = [] }) => ({ out: [...computeSums(averagePool, values)].map((sum) => sum >> 2) }),
    refused: [
      ["bytes that add up to 1024", { in: [1024, 0, 0, 0, 0, 0, 0, 0] }],
      ["a negative sum", { in: [-1, 0, 0, 0, 0, 0, 0, 0] }],
    ],
  },
  {
    name: "relu",
    file: "relu",
    template: "Relu(10)",
    inputs: { in: 0 },
    add: (system, path, { in: [wire = 0] = [] }) => addRelu(system, path, { wire, bits: 10 }),
    honest: [-512, -1, 0, 1, 511].map(one),
    want: ({ in: [value = 0] = [] }) => ({ out: [Math.max(0, value)] }),
    refused: [
      ["512 in ten bits with sign", one(512)],
      ["-513 in ten bits with sign", one(-513)],
    ],
  },
  {
    name: "argMax",
    file: "arg_max",
    template: "ArgMax(4, 10)",
    inputs: { in: 4 },
    add: (system, path, { in: wires = [] }) => addArgMax(system, path, wires, 10),
    honest: [{ in: [3, 7, -9, 7] }, { in: [0, 0, 0, 0] }, { in: [-600, -900, -5, -6] }, { in: [1, 2, 3, 1024] }],
    want: ({ in: values = [] }) => {
      const max = Math.max(...values);
      return { label: [values.indexOf(max)], max: [max] };
    },
    refused: [
      ["a gap of 1024", { in: [1024, 0, 1, 1] }],
      ["a gap of 1025 to an earlier value", { in: [0, 1025, 1, 1] }],
    ],
  },
  {
    name: "bindTask",
    file: "bind_task",
    template: "BindTask()",
    inputs: { task: 0 },
    add: (system, _, { task: [wire = 0] = [] }) => addTask(system, wire),
    honest: [{ task: [12345] }],
    want: ({ task: [value = 0] = [] }) => ({ square: [value ** 2] }),
    refused: [],
  },
  {
    name: "sponge",
    file: "sponge",
    template: "Sponge(17)",
    inputs: { in: 17 },
    add: (system, path, { in: wires = [] }) => {
      system.assignLinear(system.addWire(`${path}.out`), addSponge(system, path, wires));
    },
    honest: [{ in: spread(17, 91) }],
    want: ({ in: values = [] }) => ({ out: [hashElements(values.map(BigInt))] }),
    refused: [],
    sample: 97,
  },
  {
    name: "commit",
    file: "commit_bytes",
    template: "CommitBytes(33)",
    inputs: { salt: 0, bytes: 33 },
    add: (system, path, { salt: [salt = 0] = [], bytes = [] }) =>
      addInputCommitment(system, { inputCommitment: system.addWire(`${path}.out`), salt, bytes }),
    honest: [{ salt: [77], bytes: spread(33, 91) }],
    want: ({ salt: [salt = 0] = [], bytes = [] }) => ({
      out: [hashElements(packInput(BigInt(salt), Uint8Array.from(bytes)))],
    }),
    refused: [
      ["a byte of 256", { salt: [77], bytes: [256, ...spread(32, 91)] }],
      ["a byte of -1", { salt: [77], bytes: [...spread(32, 91), -1] }],
    ],
    sample: 97,
  },
  {
    name: "packSigned",
    file: "pack_signed",
    template: "PackSigned(3, 8, 2)",
    inputs: { in: 3 },
    add: (system, path, { in: wires = [] }) => addPackSigned(system, path, wires, { bits: 8, perElement: 2 }),
    honest: [{ in: [-128, 127, 0] }, { in: [1, -1, 2] }],
    want: ({ in: [a = 0, b = 0, c = 0] = [] }) => ({ out: [a + 128 + 256 * (b + 128), c + 128] }),
    refused: [
      ["a weight of 128", { in: [128, 0, 0] }],
      ["a weight of -129", { in: [0, 0, -129] }],
    ],
  },
  {
    name: "committedDense",
    file: "committed_dense",
    template: "CommittedDense(2, 3)",
    inputs: { in: 2, weights: 6, bias: 3 },
    add: (system, path, { in: wires = [], weights = [], bias = [] }) =>
      addCommittedDense(system, path, wires, { weights, bias }),
    honest: [{ in: [5, 250], weights: [1, -2, 3, 127, -128, 0], bias: [-7, 0, 9] }],
    want: ({ in: [a = 0, b = 0] = [], weights = [], bias = [] }) => ({
      out: bias.map((value, j) => value + a * (weights[j] ?? 0) + b * (weights[3 + j] ?? 0)),
    }),
    refused: [],
  },
  {
    name: "pack",
    file: "pack_result",
    template: "PackResult(2, [500, 0], [0, 10], 14)",
    inputs: { in: 2 },
    add: (system, path, { in: logits = [] }) => {
      const slot = { row: 0, kind: "logits" } as const;
      const slots = [
        { ...slot, index: 0, shift: 0, width: 10, offset: 500n },
        { ...slot, index: 1, shift: 10, width: 4, offset: 0n },
      ];
      addResult(system, system.addWire(`${path}.out`), { layout: { slots, bits: 14 }, rows: [{ logits }] });
    },
    honest: [{ in: [-500, 15] }, { in: [523, 0] }],
    want: ({ in: [a = 0, b = 0] = [] }) => ({ out: [2 ** 14 + a + 500 + b * 1024] }),
    refused: [],
  },
  {
    name: "tile",
    file: "tile",
    template: "Tile()",
    isSlowInCircom: true,
    inputs: { block: 0, weights: 93 },
    add: (system, path, { block: [block = 0] = [], weights = [] }) =>
      addTile(system, path, {
        commitment: system.addWire(`${path}.commitment`),
        sums: system.addWires(`${path}.sums`, 3),
        block,
        weights,
      }),
    // The bytes of 2^48 - 1 are 25 times 0, then six times 255: the last six bytes of the block.
    honest: [{ block: [2 ** 48 - 1], weights: spread(93, 91) }],
    want: ({ weights = [] }) => ({
      commitment: [hashElements(weights.map(BigInt))],
      sums: [0, 1, 2].map((group) =>
        weights.reduce((sum, w, i) => (i >= 75 && i % 3 === group ? sum + BigInt(255 * w) : sum), groupOffset),
      ),
    }),
    refused: [
      ["a block of more than 31 bytes", { block: [2 ** 248], weights: spread(93, 91) }],
      ["a block of -1", { block: [-1], weights: spread(93, 91) }],
    ],
    sample: 997,
    longSample: 7,
  },
];

/** Components of one main component, so that circom compiles once. */
export function emitGallery(cases: readonly TemplateCase[]): string {
  const files = [...new Set(cases.map(({ file }) => file))];
  const lines = cases.flatMap(({ name, template, inputs }) => [
    ...Object.entries(inputs).map(
      ([signal, length]) => `signal input ${name}_${signal}${length > 0 ? `[${length}]` : ""};`,
    ),
    `component ${name} = ${template};`,
    ...Object.keys(inputs).map((signal) => `${name}.${signal} <== ${name}_${signal};`),
  ]);
  return [
    "pragma circom 2.2.3;",
    ...files.map((file) => `include "${file}.circom";`),
    `template Gallery() {\n${lines.map((line) => `    ${line}`).join("\n")}\n}`,
    "component main = Gallery();\n",
  ].join("\n");
}
