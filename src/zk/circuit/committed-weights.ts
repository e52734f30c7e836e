/**
 * Weights as private inputs behind a commitment: 31 of them to an element, each plus 128 in eight bits, then the biases, each in as
 * many bits as the largest sum of its layer. The commitment stands for the model where one verifier serves every model of an
 * architecture. In constraints: addCommittedWeights; the templates: circuits/commit_weights.circom. Pure.
 */
import { InferiumError } from "../../base/errors.ts";
import { bitLength, safeBits } from "../field.ts";
import type { DenseLayer, IntegerNetwork } from "../network/integer-network.ts";
import type { Bounds } from "../network/layer-bounds.ts";
import { hashElements } from "../poseidon/sponge.ts";

export const weightBits = 8;
export const weightsPerElement = 31;

/** Of each bias of a layer, sign included. The bound makes its sums fit, whatever the weights. */
export function biasBits({ inputs }: DenseLayer): number {
  return 1 + bitLength(BigInt(inputs * 255 * 128));
}

/** Biases in one element. */
export function biasesPerElement(layer: DenseLayer): number {
  return Math.floor(safeBits / biasBits(layer));
}

/** What a sum can be under any weights that the circuit takes. */
export function boundCommittedSums(layer: DenseLayer): Bounds {
  const bias = 2 ** (biasBits(layer) - 1);
  return { low: -layer.inputs * 255 * 128 - bias, high: layer.inputs * 255 * 127 + bias - 1 };
}

/** @throws InferiumError UnsupportedModel: layers that are not dense, weights or biases that the circuit does not take */
export function requireDenseLayers(network: IntegerNetwork): readonly DenseLayer[] {
  return network.layers.map((layer, index) => {
    if (layer.kind !== "dense") throw unsupported(`layer ${index + 1} is ${layer.kind}`, "dense layers");
    const largest = 2 ** (biasBits(layer) - 1);
    const isWithin = (values: Int32Array, bound: number) => values.every((value) => value >= -bound && value < bound);
    if (!isWithin(layer.weights, 128)) throw unsupported(`layer ${index + 1} has wide weights`, "weights of int8");
    if (!isWithin(layer.bias, largest)) {
      throw unsupported(`layer ${index + 1} has wide biases`, `biases in [${-largest}, ${largest})`);
    }
    return layer;
  });
}

function unsupported(what: string, expected: string): InferiumError {
  return new InferiumError(
    "UnsupportedModel",
    `Of the model, ${what}; committed weights need ${expected}. Use the circuit with constant weights.`,
  );
}

/** The model's commitment. @param salt the model's own, kept with it */
export function commitWeights(network: IntegerNetwork, salt: bigint): bigint {
  const layers = requireDenseLayers(network);
  const elements = layers.flatMap((layer) => [
    ...pack(layer.weights, weightsPerElement, weightBits),
    ...pack(layer.bias, biasesPerElement(layer), biasBits(layer)),
  ]);
  return hashElements([salt, ...elements]);
}

function pack(values: Int32Array, perElement: number, bits: number): bigint[] {
  const offset = 1n << BigInt(bits - 1);
  const elements: bigint[] = [];
  for (let start = 0; start < values.length; start += perElement) {
    const part = values.subarray(start, start + perElement);
    elements.push(Array.from(part).reduceRight((sum, value) => (sum << BigInt(bits)) + BigInt(value) + offset, 0n));
  }
  return elements;
}
