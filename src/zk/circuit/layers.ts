/**
 * The layers of a network one after another: each makes its values, and where it scales them, each value becomes a byte. Called by
 * inference-circuit.ts for each row; wires have the names that emit-circom.ts gives.
 */
import { bitLength } from "../field.ts";
import type { IntegerNetwork, Layer } from "../network/integer-network.ts";
import { type Bounds, computeNetworkBounds, uniteBounds } from "../network/layer-bounds.ts";
import type { ConstraintSystem } from "../r1cs/constraint-system.ts";
import { addAveragePool, addMaxPool, addRelu } from "./pool.ts";
import { addRequantise, requantiseBits, signedBits } from "./requantise.ts";
import { addWeightedSums } from "./weighted-sums.ts";

/** @param row names the wires @returns the wires of the last layer's values */
export function addLayers(
  system: ConstraintSystem,
  network: IntegerNetwork,
  { row, bytes }: { readonly row: number; readonly bytes: readonly number[] },
): readonly number[] {
  const bounds = computeNetworkBounds(network);
  let wires = bytes;
  network.layers.forEach((layer, depth) => {
    const { inputs, values } = bounds[depth] ?? { inputs: [], values: [] };
    wires = addLayer(system, `main.layer${depth}[${row}]`, wires, { layer, bounds: inputs });
    if (!isScaledAfterwards(layer)) return;
    const { shift } = layer;
    wires = wires.map((wire, index) => {
      const bits = requantiseBits(values[index] as Bounds, shift);
      return addRequantise(system, `main.activation${depth}[${row}][${index}]`, { wire, bits, shift });
    });
  });
  return wires;
}

/** An average is scaled by its own template. */
export function isScaledAfterwards(layer: Layer): layer is Layer & { readonly shift: number } {
  return layer.shift !== undefined && layer.kind !== "averagePool";
}

/** Bits of the largest difference between two values within the bounds. */
export function differenceBits(bounds: readonly Bounds[]): number {
  const { low, high } = uniteBounds(bounds);
  return bitLength(BigInt(high - low));
}

function addLayer(
  system: ConstraintSystem,
  path: string,
  inputs: readonly number[],
  { layer, bounds }: { readonly layer: Layer; readonly bounds: readonly Bounds[] },
): number[] {
  if (layer.kind === "maxPool") return addMaxPool(system, path, inputs, { layer, bits: differenceBits(bounds) });
  if (layer.kind === "averagePool") return addAveragePool(system, path, inputs, layer);
  if (layer.kind !== "relu") return addWeightedSums(system, path, inputs, layer);
  return inputs.map((wire, index) => {
    const bits = signedBits(bounds[index] as Bounds);
    return addRelu(system, `${path}[${index}]`, { wire, bits });
  });
}
