/**
 * Which inputs and weights make up a sum of a convolution layer, groups and padding included. Called by the integer reference and
 * by the circuit, so that both walk the same way. Pure.
 */
import type { ConvolutionLayer } from "./integer-network.ts";
import { countPixels, countPositions, countTaps, listTaps } from "./window.ts";

/** One factor of a sum: the input by its index, the weight by its own. */
export interface WeightedTap {
  readonly input: number;
  readonly weight: number;
}

export function countFilters(layer: ConvolutionLayer): number {
  return layer.bias.length;
}

/** The filter whose sum this output is. Its bias has the same index. */
export function filterOf(layer: ConvolutionLayer, output: number): number {
  return Math.floor(output / countPositions(layer.window));
}

/** Weights of one filter. */
export function weightsPerFilter({ image, window, groups }: ConvolutionLayer): number {
  return (image.channels / groups) * countTaps(window);
}

export function listWeightedTaps(layer: ConvolutionLayer, output: number): WeightedTap[] {
  const { image, window, groups } = layer;
  const filter = filterOf(layer, output);
  const channels = image.channels / groups;
  const firstChannel = Math.floor(filter / (countFilters(layer) / groups)) * channels;
  const taps = listTaps(image, window, output % countPositions(window));
  return Array.from({ length: channels }, (_, channel) =>
    taps.map(({ offset, pixel }) => ({
      input: (firstChannel + channel) * countPixels(image) + pixel,
      weight: (filter * channels + channel) * countTaps(window) + offset,
    })),
  ).flat();
}
