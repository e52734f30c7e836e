/** The same circuit as committed-circuit.ts in circom, over the templates of circuits/. Pure. */
import type { DenseLayer, IntegerNetwork } from "../network/integer-network.ts";
import {
  biasBits,
  biasesPerElement,
  boundCommittedSums,
  requireDenseLayers,
  weightBits,
  weightsPerElement,
} from "./committed-weights.ts";
import { emitArgMax, emitResult, emitStatement, indent, pragma } from "./emit-circom.ts";
import { requantiseBits } from "./requantise.ts";
import { gapBits, planResult } from "./result-layout.ts";

const templates = [
  "bind_task",
  "commit_bytes",
  "pack_signed",
  "sponge",
  "committed_dense",
  "requantise",
  "arg_max",
  "pack_result",
];

/** The main component. Includes the templates by name: compile with circuits/ as a library folder. */
export function emitCommittedCircom(network: IntegerNetwork, rows: number): string {
  const includes = templates.map((name) => `include "${name}.circom";`).join("\n");
  const layers = requireDenseLayers(network);
  const bounds = boundCommittedSums(layers.at(-1) as DenseLayer);
  const body = [
    ...emitStatement(rows * network.inputs, ["weightsCommitment"]),
    "signal input weightsSalt;",
    ...layers.flatMap(({ inputs, outputs }, depth) => [
      `signal input weights${depth}[${inputs * outputs}];`,
      `signal input bias${depth}[${outputs}];`,
    ]),
    ...emitWeightsCommitment(layers),
    ...layers.flatMap((layer, depth) => emitLayer(layer, depth, rows)),
    ...emitArgMax(network, rows, gapBits(network, bounds)),
    ...emitResult(network, planResult(network, rows, bounds)),
  ];
  return `${pragma}\n${includes}\n\ntemplate CommittedInference() {\n${indent(body)}\n}\n\ncomponent main {public [task]} = CommittedInference();\n`;
}

function emitWeightsCommitment(layers: readonly DenseLayer[]): string[] {
  let element = 1;
  const parts = layers.flatMap((layer, depth) => {
    const count = layer.inputs * layer.outputs;
    return [
      {
        name: `packWeights${depth}`,
        source: `weights${depth}`,
        count,
        bits: weightBits,
        perElement: weightsPerElement,
      },
      {
        name: `packBias${depth}`,
        source: `bias${depth}`,
        count: layer.outputs,
        bits: biasBits(layer),
        perElement: biasesPerElement(layer),
      },
    ];
  });
  const lines = parts.flatMap(({ name, source, count, bits, perElement }) => {
    const elements = Math.ceil(count / perElement);
    const from = element;
    element += elements;
    return [
      `component ${name} = PackSigned(${count}, ${bits}, ${perElement});`,
      `${name}.in <== ${source};`,
      `for (var e = 0; e < ${elements}; e++) { weightsSponge.in[${from} + e] <== ${name}.out[e]; }`,
    ];
  });
  return [
    `component weightsSponge = Sponge(${element});`,
    "weightsSponge.in[0] <== weightsSalt;",
    ...lines,
    "weightsCommitment <== weightsSponge.out;",
  ];
}

function emitLayer(layer: DenseLayer, depth: number, rows: number): string[] {
  const { inputs, outputs, shift } = layer;
  const source = depth === 0 ? `bytes[row * ${inputs} + i]` : `activation${depth - 1}[row][i].out`;
  const bits = shift === undefined ? 0 : requantiseBits(boundCommittedSums(layer), shift);
  const activation = [
    `    for (var j = 0; j < ${outputs}; j++) {`,
    `        activation${depth}[row][j] = Requantise(${bits}, ${shift});`,
    `        activation${depth}[row][j].in <== layer${depth}[row].out[j];`,
    "    }",
  ];
  return [
    `component layer${depth}[${rows}];`,
    ...(shift === undefined ? [] : [`component activation${depth}[${rows}][${outputs}];`]),
    `for (var row = 0; row < ${rows}; row++) {`,
    `    layer${depth}[row] = CommittedDense(${inputs}, ${outputs});`,
    `    for (var i = 0; i < ${inputs}; i++) { layer${depth}[row].in[i] <== ${source}; }`,
    `    layer${depth}[row].weights <== weights${depth};`,
    `    layer${depth}[row].bias <== bias${depth};`,
    ...(shift === undefined ? [] : activation),
    "}",
  ];
}
