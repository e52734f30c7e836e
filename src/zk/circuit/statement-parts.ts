/**
 * What every circuit of an inference has around its layers: the input's commitment, the task, label and score, and the packed result.
 * Called by inference-circuit.ts and committed-circuit.ts.
 */
import { InferiumError } from "../../base/errors.ts";
import { mod } from "../field.ts";
import type { IntegerNetwork } from "../network/integer-network.ts";
import { type Combination, type ConstraintSystem, one } from "../r1cs/constraint-system.ts";
import { addArgMax } from "./arg-max.ts";
import { addLowerBits } from "./bits.ts";
import { bytesPerElement } from "./input-layout.ts";
import type { ResultLayout, ResultSlot } from "./result-layout.ts";
import { addSponge } from "./sponge.ts";

/** Largest number of rows in one circuit: beyond it, more proofs are better than a larger one. */
export const maxRows = 64;

/** @throws InferiumError InvalidRows */
export function checkRows(rows: number): void {
  if (Number.isInteger(rows) && rows >= 1 && rows <= maxRows) return;
  throw new InferiumError("InvalidRows", `A circuit for ${rows} rows was asked for; expected 1 to ${maxRows}.`);
}

/** Makes the proof one for a task: the wire must stand in a constraint. */
export function addTask(system: ConstraintSystem, task: number): void {
  system.alias(task, "main.bindTask.task");
  system.addProduct("main.bindTask.square", [[task, 1n]], [[task, 1n]]);
}

export interface InputWires {
  readonly inputCommitment: number;
  readonly salt: number;
  readonly bytes: readonly number[];
}

export function addInputCommitment(system: ConstraintSystem, { inputCommitment, salt, bytes }: InputWires): void {
  bytes.forEach((wire, index) => {
    system.alias(wire, `main.commit.bytes[${index}]`);
    addLowerBits(system, `main.commit.range[${index}]`, [[wire, 1n]], { count: 8 });
  });
  const elements = [
    salt,
    ...addPacked(system, "main.commit.sponge.in", bytes, { perElement: bytesPerElement, bits: 8 }),
  ];
  system.assignLinear(inputCommitment, addSponge(system, "main.commit.sponge", elements));
}

/** Wires side by side in elements, the first lowest. Whoever calls has proven that each fits its bits, `offset` added. */
export function addPacked(
  system: ConstraintSystem,
  name: string,
  wires: readonly number[],
  { perElement, bits, offset = 0n, first = 1 }: Packing,
): number[] {
  const elements: number[] = [];
  for (let start = 0; start < wires.length; start += perElement) {
    const part = wires.slice(start, start + perElement);
    const terms = part.map((wire, index) => [wire, 1n << BigInt(bits * index)] as const);
    const offsets = part.reduce((sum, _, index) => sum + (offset << BigInt(bits * index)), 0n);
    const constant: Combination = offsets === 0n ? [] : [[one, offsets]];
    elements.push(system.addLinear(`${name}[${first + elements.length}]`, [...constant, ...terms]));
  }
  return elements;
}

export interface Packing {
  readonly perElement: number;
  readonly bits: number;
  /** Added to each, so that none is negative. */
  readonly offset?: bigint;
  /** Index of the first element's name. */
  readonly first?: number;
}

export interface RowOutputs {
  readonly logits: readonly number[];
  readonly label?: number;
  readonly score?: number;
}

/** @param gapBits of the largest difference between two logits */
export function addRowOutputs(
  system: ConstraintSystem,
  network: IntegerNetwork,
  { row, logits, gapBits }: { readonly row: number; readonly logits: readonly number[]; readonly gapBits: number },
): RowOutputs {
  if (network.outputs.every(({ kind }) => kind === "logits")) return { logits };
  const { label, max } = addArgMax(system, `main.argMax[${row}]`, logits, gapBits);
  return { logits, label, score: max };
}

/** The template: circuits/pack_result.circom. */
export function addResult(
  system: ConstraintSystem,
  wire: number,
  { layout, rows }: { readonly layout: ResultLayout; readonly rows: readonly RowOutputs[] },
): void {
  const terms = layout.slots.map((slot) => [wireOf(slot, rows), 1n << BigInt(slot.shift)] as const);
  terms.forEach(([value], index) => {
    system.alias(value, `main.pack.in[${index}]`);
  });
  const offsets = layout.slots.reduce((sum, { offset, shift }) => sum + (offset << BigInt(shift)), 0n);
  system.assignLinear(wire, [[one, mod(offsets + (1n << BigInt(layout.bits)))], ...terms]);
}

function wireOf({ row, kind, index }: ResultSlot, rows: readonly RowOutputs[]): number {
  const outputs = rows[row];
  const wire = kind === "logits" ? outputs?.logits[index] : outputs?.[kind];
  return wire ?? one;
}
