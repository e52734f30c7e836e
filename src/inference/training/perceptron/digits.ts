/** Images of handwritten digits in the form of MNIST: what the perceptron and its integer network are made for. */
export const pixelsPerImage = 28 * 28;

export interface DigitSet {
  readonly count: number;
  /** Grey values, 784 of each image. */
  readonly images: Uint8Array;
  /** Digits 0 to 9. */
  readonly labels: Uint8Array;
}

/** The images from `first` up to `last`, a view. */
export function sliceDigits(set: DigitSet, first: number, last: number): DigitSet {
  const images = set.images.subarray(first * pixelsPerImage, last * pixelsPerImage);
  return { count: last - first, images, labels: set.labels.subarray(first, last) };
}
