/**
 * The same circuit as inference-circuit.ts in circom, over the templates of circuits/: what reviewers read and tests compile. Pure.
 */
import type { IntegerNetwork } from "../network/integer-network.ts";
import { largestWidth, poseidonParameters } from "../poseidon/constants.ts";
import { emitConstants, emitLayers } from "./emit-layers.ts";
import { gapBits, planResult, type ResultLayout, type ResultSlot } from "./result-layout.ts";

export const pragma = "pragma circom 2.2.3;\n";
const templates = [
  "bind_task",
  "commit_bytes",
  "dense",
  "convolution",
  "requantise",
  "max_pool",
  "average_pool",
  "relu",
  "arg_max",
  "pack_result",
];

/** The main component. Includes the templates by name: compile with circuits/ as a library folder. */
export function emitCircom(network: IntegerNetwork, rows: number): string {
  const includes = templates.map((name) => `include "${name}.circom";`).join("\n");
  const body = [
    ...emitStatement(rows * network.inputs, []),
    ...emitLayers(network, rows),
    ...emitArgMax(network, rows, gapBits(network)),
    ...emitResult(network, planResult(network, rows)),
  ];
  return `${pragma}\n${includes}\n\n${emitConstants(network)}\ntemplate Inference() {\n${indent(body)}\n}\n\ncomponent main {public [task]} = Inference();\n`;
}

/** Signals of the statement, binding to the task and the input's commitment. @param more public outputs after the result */
export function emitStatement(byteCount: number, more: readonly string[]): string[] {
  return [
    "signal input task;",
    "signal input salt;",
    `signal input bytes[${byteCount}];`,
    ...["inputCommitment", "result", ...more].map((name) => `signal output ${name};`),
    "component bindTask = BindTask();",
    "bindTask.task <== task;",
    `component commit = CommitBytes(${byteCount});`,
    "commit.salt <== salt;",
    "commit.bytes <== bytes;",
    "inputCommitment <== commit.out;",
  ];
}

/**
 * poseidon_constants.circom, which circuits/sponge.circom includes: functions of the width. One returns arrays of one size alone, so that
 * all are as large as the largest, with zeros that nobody reads.
 */
export function emitPoseidonConstants(): string {
  const widths = Array.from({ length: largestWidth - 1 }, (_, index) => 2 + index);
  const all = widths.map(poseidonParameters);
  const mostRounds = Math.max(...all.map(({ roundConstants }) => roundConstants.length));
  const choose = (name: string, literals: readonly string[]) => {
    const cases = widths.map((width, index) => `if (width == ${width}) { return ${literals[index]}; }`);
    // The compiler asks for a value whatever the width.
    return `function ${name}(width) {\n${indent([...cases, `return ${literals.at(-1)};`])}\n}\n`;
  };
  const partialRounds = choose(
    "POSEIDON_PARTIAL_ROUNDS",
    all.map((each) => String(each.partialRounds)),
  );
  const constants = choose(
    "POSEIDON_ROUND_CONSTANTS",
    all.map(({ roundConstants }) => emitTable(roundConstants, mostRounds)),
  );
  const matrix = choose(
    "POSEIDON_MATRIX",
    all.map((each) => emitTable(each.matrix, largestWidth)),
  );
  return [pragma, partialRounds, constants, matrix].join("\n");
}

function emitTable(rows: readonly (readonly bigint[])[], height: number): string {
  const padded = Array.from({ length: height }, (_, row) =>
    Array.from({ length: largestWidth }, (_, column) => rows[row]?.[column] ?? 0n),
  );
  return `[${padded.map((row) => `[${row.join(", ")}]`).join(", ")}]`;
}

/** @param bits of the largest difference between two logits */
export function emitArgMax(network: IntegerNetwork, rows: number, bits: number): string[] {
  if (network.outputs.every(({ kind }) => kind === "logits")) return [];
  const classes = network.layers.at(-1)?.outputs ?? 0;
  const inputs = Array.from({ length: rows }, (_, row) =>
    Array.from({ length: classes }, (_, index) => `argMax[${row}].in[${index}] <== ${logitOf(network, row, index)};`),
  );
  return [
    `component argMax[${rows}];`,
    `for (var row = 0; row < ${rows}; row++) { argMax[row] = ArgMax(${classes}, ${bits}); }`,
    ...inputs.flat(),
  ];
}

export function emitResult(network: IntegerNetwork, { slots, bits }: ResultLayout): string[] {
  const signalOf = ({ kind, row, index }: ResultSlot) => {
    if (kind === "logits") return logitOf(network, row, index);
    return `argMax[${row}].${kind === "label" ? "label" : "max"}`;
  };
  const list = (values: readonly unknown[]) => `[${values.join(", ")}]`;
  const offsets = list(slots.map(({ offset }) => offset));
  const shifts = list(slots.map(({ shift }) => shift));
  return [
    `component pack = PackResult(${slots.length}, ${offsets}, ${shifts}, ${bits});`,
    ...slots.map((slot, index) => `pack.in[${index}] <== ${signalOf(slot)};`),
    "result <== pack.out;",
  ];
}

function logitOf(network: IntegerNetwork, row: number, index: number): string {
  const depth = network.layers.length - 1;
  const isRelu = network.layers[depth]?.kind === "relu";
  return isRelu ? `layer${depth}[${row}][${index}].out` : `layer${depth}[${row}].out[${index}]`;
}

export function indent(lines: readonly string[]): string {
  return lines.map((line) => `    ${line}`).join("\n");
}
