/**
 * In which order the images of each epoch are learned from: the order of the epoch before, shuffled by the numbers that follow
 * in the seed's sequence. Any epoch can be asked for by itself, so that a run can be taken up in the middle. Deterministic.
 */
import { createRandom, shuffle } from "../exact-math.ts";

export type ImageOrder = (epoch: number) => Uint32Array;

/** @param skipped numbers of the sequence that were drawn before the first epoch */
export function createImageOrder(count: number, seed: number, skipped: number): ImageOrder {
  let order = Uint32Array.from({ length: count }, (_, i) => i);
  let shuffled = 0;
  return (epoch) => {
    if (shuffled > epoch + 1) {
      order = Uint32Array.from({ length: count }, (_, i) => i);
      shuffled = 0;
    }
    // A shuffle draws one number less than it has images.
    for (; shuffled <= epoch; shuffled++) shuffle(order, createRandom(seed, skipped + shuffled * (count - 1)));
    return order;
  };
}
