/**
 * What each value of a network can be, given that every input is a byte. Taken from the weights themselves; range proofs are as
 * wide as this says and no wider. Pure.
 */
import { listWeightedTaps } from "./convolution.ts";
import {
  type ConvolutionLayer,
  type DenseLayer,
  type IntegerNetwork,
  type Layer,
  listPooled,
} from "./integer-network.ts";
import { countPositions } from "./window.ts";

export interface Bounds {
  readonly low: number;
  readonly high: number;
}

const byte: Bounds = { low: 0, high: 255 };

export interface LayerBounds {
  readonly inputs: readonly Bounds[];
  /** Of the layer's values before they are scaled. */
  readonly values: readonly Bounds[];
}

export function computeNetworkBounds(network: IntegerNetwork): LayerBounds[] {
  let inputs = new Array<Bounds>(network.inputs).fill(byte);
  return network.layers.map((layer) => {
    const bounds = { inputs, values: computeBounds(layer, inputs) };
    inputs = layer.shift === undefined ? bounds.values : bounds.values.map(() => byte);
    return bounds;
  });
}

/** The interval that holds all of them. */
export function uniteBounds(bounds: readonly Bounds[]): Bounds {
  return bounds.reduce((all, { low, high }) => ({ low: Math.min(all.low, low), high: Math.max(all.high, high) }));
}

/**
 * Bounds of a layer's values before scaling. For sums without padding some input reaches each end.
 * @param before bounds of the layer's inputs, which dense and convolution layers know to be bytes
 */
export function computeBounds(layer: Layer, before: readonly Bounds[] = []): Bounds[] {
  if (layer.kind === "dense") return computeDenseBounds(layer);
  if (layer.kind === "convolution") return computeConvolutionBounds(layer);
  if (layer.kind === "relu") return before.map(({ low, high }) => ({ low: Math.max(0, low), high: Math.max(0, high) }));
  return Array.from({ length: layer.outputs }, (_, output) => {
    const pooled = listPooled(layer, output);
    if (layer.kind === "averagePool") return { low: 0, high: byte.high * pooled.length };
    const bounds = pooled.map((index) => before[index] ?? byte);
    return { low: Math.max(...bounds.map(({ low }) => low)), high: Math.max(...bounds.map(({ high }) => high)) };
  });
}

function computeDenseBounds(layer: DenseLayer): Bounds[] {
  const low = Float64Array.from(layer.bias);
  const high = Float64Array.from(layer.bias);
  for (let i = 0; i < layer.inputs; i++) {
    for (let j = 0; j < layer.outputs; j++) {
      const weight = layer.weights[i * layer.outputs + j] as number;
      if (weight > 0) (high[j] as number) += byte.high * weight;
      else (low[j] as number) += byte.high * weight;
    }
  }
  return Array.from(low, (value, j) => ({ low: value, high: high[j] as number }));
}

function computeConvolutionBounds(layer: ConvolutionLayer): Bounds[] {
  return Array.from({ length: layer.outputs }, (_, output) => {
    const bias = layer.bias[Math.floor(output / countPositions(layer.window))] as number;
    let [low, high] = [bias, bias];
    for (const tap of listWeightedTaps(layer, output)) {
      const weight = layer.weights[tap.weight] as number;
      if (weight > 0) high += byte.high * weight;
      else low += byte.high * weight;
    }
    return { low, high };
  });
}
