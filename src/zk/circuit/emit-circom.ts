/**
 * The same circuit as inference-circuit.ts in circom, over the templates of circuits/: what reviewers read and tests compile.
 * Weights come in one function for each row, since the compiler fails on one very long literal. Pure.
 */
import { computeBounds, type DenseLayer, type IntegerNetwork } from "../network/integer-network.ts";
import { poseidonParameters } from "../poseidon/constants.ts";
import { spongeWidth } from "../poseidon/sponge.ts";
import { gapBits } from "./inference-circuit.ts";
import { sumBits } from "./requantise.ts";
import { planResult, type ResultSlot } from "./result-layout.ts";

const pragma = "pragma circom 2.2.3;\n";
const templates = ["bind_task", "commit_bytes", "dense", "requantise", "arg_max"];

/** The main component. Includes the templates by name: compile with circuits/ as a library folder. */
export function emitCircom(network: IntegerNetwork, rows: number): string {
  const includes = templates.map((name) => `include "${name}.circom";`).join("\n");
  const functions = network.layers.map(emitConstants).join("\n");
  const body = [
    "signal input task;",
    "signal input salt;",
    `signal input bytes[${rows * network.inputs}];`,
    "signal output inputCommitment;",
    "signal output result;",
    "component bindTask = BindTask();",
    "bindTask.task <== task;",
    `component commit = CommitBytes(${rows * network.inputs});`,
    "commit.salt <== salt;",
    "commit.bytes <== bytes;",
    "inputCommitment <== commit.out;",
    ...network.layers.flatMap((layer, depth) => emitLayer(network, layer, { depth, rows })),
    ...emitArgMax(network, rows),
    emitResult(network, rows),
  ];
  return `${pragma}\n${includes}\n\n${functions}\ntemplate Inference() {\n${indent(body)}\n}\n\ncomponent main {public [task]} = Inference();\n`;
}

/** poseidon_constants.circom, which circuits/sponge.circom includes. */
export function emitPoseidonConstants(): string {
  const { roundConstants, matrix } = poseidonParameters(spongeWidth);
  const table = (name: string, rows: readonly (readonly bigint[])[]) => {
    const values = indent(rows.map((row) => `[${row.join(", ")}]`)).replaceAll("]\n", "],\n");
    return `function ${name}() {\n    return [\n${values}\n    ];\n}\n`;
  };
  return `${pragma}\n${table("POSEIDON_ROUND_CONSTANTS", roundConstants)}\n${table("POSEIDON_MATRIX", matrix)}`;
}

function emitConstants(layer: DenseLayer, depth: number): string {
  const { inputs, outputs, weights, bias } = layer;
  const rows = Array.from({ length: inputs }, (_, row) => {
    const values = weights.subarray(row * outputs, (row + 1) * outputs).join(", ");
    return `if (row == ${row}) { var values[${outputs}] = [${values}]; return values; }`;
  });
  const none = new Array(outputs).fill(0).join(", ");
  return [
    `function WEIGHTS_${depth}_ROW(row) {\n${indent([...rows, `var none[${outputs}] = [${none}];`, "return none;"])}\n}`,
    `function WEIGHTS_${depth}() {\n${indent([
      `var rows[${inputs}][${outputs}];`,
      `for (var row = 0; row < ${inputs}; row++) { rows[row] = WEIGHTS_${depth}_ROW(row); }`,
      "return rows;",
    ])}\n}`,
    `function BIAS_${depth}() {\n${indent([`var values[${outputs}] = [${bias.join(", ")}];`, "return values;"])}\n}\n`,
  ].join("\n");
}

function emitLayer(
  network: IntegerNetwork,
  layer: DenseLayer,
  { depth, rows }: { readonly depth: number; readonly rows: number },
): string[] {
  const { inputs, outputs, shift } = layer;
  const source = depth === 0 ? `bytes[row * ${network.inputs} + i]` : `activation${depth - 1}[row][i].out`;
  const activations = (row: number) =>
    computeBounds(layer).flatMap((bounds, j) => [
      `activation${depth}[${row}][${j}] = Requantise(${sumBits(bounds, shift ?? 0)}, ${shift});`,
      `activation${depth}[${row}][${j}].in <== layer${depth}[${row}].out[${j}];`,
    ]);
  return [
    `component layer${depth}[${rows}];`,
    `for (var row = 0; row < ${rows}; row++) {`,
    `    layer${depth}[row] = Dense(${inputs}, ${outputs}, WEIGHTS_${depth}(), BIAS_${depth}());`,
    `    for (var i = 0; i < ${inputs}; i++) { layer${depth}[row].in[i] <== ${source}; }`,
    "}",
    ...(shift === undefined ? [] : [`component activation${depth}[${rows}][${outputs}];`]),
    ...(shift === undefined ? [] : Array.from({ length: rows }, (_, row) => activations(row)).flat()),
  ];
}

function emitArgMax(network: IntegerNetwork, rows: number): string[] {
  if (network.outputs.every(({ kind }) => kind === "logits")) return [];
  const last = network.layers.length - 1;
  return [
    `component argMax[${rows}];`,
    `for (var row = 0; row < ${rows}; row++) {`,
    `    argMax[row] = ArgMax(${network.layers[last]?.outputs}, ${gapBits(network)});`,
    `    argMax[row].in <== layer${last}[row].out;`,
    "}",
  ];
}

function emitResult(network: IntegerNetwork, rows: number): string {
  const last = network.layers.length - 1;
  const { slots, bits } = planResult(network, rows);
  const signalOf = ({ kind, row, index }: ResultSlot) => {
    if (kind === "logits") return `layer${last}[${row}].out[${index}]`;
    return `argMax[${row}].${kind === "label" ? "label" : "max"}`;
  };
  const terms = slots.map((slot) => `(${signalOf(slot)} + ${slot.offset}) * 2 ** ${slot.shift}`);
  return `result <== 2 ** ${bits} + ${terms.join(" + ")};`;
}

function indent(lines: readonly string[]): string {
  return lines.map((line) => `    ${line}`).join("\n");
}
