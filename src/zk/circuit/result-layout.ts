/**
 * How the outputs of all rows become one public signal: values side by side in slots, each wide enough for whatever the
 * network can give, below a bit that marks the end. No slot can reach into the next, since the widths come from the exact
 * bounds of sums over proven bytes; all together stay below the field's prime. Pure.
 */
import { InferiumError } from "../../base/errors.ts";
import { bitLength, safeBits } from "../field.ts";
import type { IntegerNetwork, OutputKind } from "../network/integer-network.ts";
import { type Bounds, computeNetworkBounds, uniteBounds } from "../network/layer-bounds.ts";

export interface ResultSlot {
  readonly row: number;
  readonly kind: OutputKind;
  /** Of the logit, for logits. */
  readonly index: number;
  readonly shift: number;
  readonly width: number;
  /** Added, so that what stands in the slot is not negative. */
  readonly offset: bigint;
}

export interface ResultLayout {
  readonly slots: readonly ResultSlot[];
  /** Bits below the marking one. */
  readonly bits: number;
}

/** @param bounds of any logit @throws InferiumError ResultTooWide */
export function planResult(network: IntegerNetwork, rows: number, bounds = logitBounds(network)): ResultLayout {
  const { low, high } = bounds;
  const classes = network.layers.at(-1)?.outputs ?? 0;
  const slots: ResultSlot[] = [];
  let shift = 0;
  for (let row = 0; row < rows; row++) {
    for (const { kind } of network.outputs) {
      const width = kind === "label" ? bitLength(BigInt(classes - 1)) : bitLength(BigInt(high - low));
      for (let index = 0; index < (kind === "logits" ? classes : 1); index++) {
        slots.push({ row, kind, index, shift, width, offset: kind === "label" ? 0n : BigInt(-low) });
        shift += width;
      }
    }
  }
  if (shift + 1 > safeBits) {
    const most = Math.floor((safeBits - 1) / (shift / rows));
    throw new InferiumError(
      "ResultTooWide",
      `The results of ${rows} rows take ${shift} bits of one public signal, expected at most ${safeBits - 1}. Prove at most ${most} rows at once, or leave outputs out of the model.`,
    );
  }
  return { slots, bits: shift };
}

/** Bounds of any logit. */
export function logitBounds(network: IntegerNetwork): Bounds {
  return uniteBounds(computeNetworkBounds(network).at(-1)?.values ?? []);
}

/** Bits of the largest difference between two logits. */
export function gapBits(network: IntegerNetwork, { low, high } = logitBounds(network)): number {
  return bitLength(BigInt(high - low));
}

/** What a row of the output holds: all logits, the label, the score. */
export type RowValue = (slot: ResultSlot) => bigint;

/** @throws InferiumError ResultOutOfRange */
export function packResult(layout: ResultLayout, readValue: RowValue): bigint {
  return layout.slots.reduce((sum, slot) => {
    const value = readValue(slot) + slot.offset;
    if (value < 0n || value >> BigInt(slot.width) !== 0n) {
      throw new InferiumError(
        "ResultOutOfRange",
        `The ${slot.kind} of row ${slot.row + 1} is ${value - slot.offset}, which this model cannot give. The output is not this model's.`,
      );
    }
    return sum + (value << BigInt(slot.shift));
  }, 1n << BigInt(layout.bits));
}
