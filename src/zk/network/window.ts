/**
 * Windows that slide over an image: which inputs an output of a convolution or a pooling layer sees. Images lie in memory channel
 * after channel, row after row, as ONNX has them (NCHW without the N). Pure.
 */

export interface ImageShape {
  readonly channels: number;
  readonly height: number;
  readonly width: number;
}

/** Pairs are [vertical, horizontal]. */
export interface Window {
  readonly size: readonly [number, number];
  readonly strides: readonly [number, number];
  /** Rows of zeros above and columns of zeros on the left; those below and on the right follow from `output`. */
  readonly pads: readonly [number, number];
  /** Positions of the window. */
  readonly output: readonly [number, number];
}

/** An element of the window that lies within the image. */
export interface Tap {
  /** Row-major within the window. */
  readonly offset: number;
  /** Within one channel of the image. */
  readonly pixel: number;
}

export function countPixels({ height, width }: ImageShape): number {
  return height * width;
}

export function countPositions({ output: [rows, columns] }: Window): number {
  return rows * columns;
}

export function countTaps({ size: [rows, columns] }: Window): number {
  return rows * columns;
}

/** @param position of the window, row-major */
export function listTaps({ height, width }: ImageShape, window: Window, position: number): Tap[] {
  const { size, strides, pads, output } = window;
  const top = Math.floor(position / output[1]) * strides[0] - pads[0];
  const left = (position % output[1]) * strides[1] - pads[1];
  const taps: Tap[] = [];
  for (let row = 0; row < size[0]; row++) {
    for (let column = 0; column < size[1]; column++) {
      const [y, x] = [top + row, left + column];
      if (y < 0 || y >= height || x < 0 || x >= width) continue;
      taps.push({ offset: row * size[1] + column, pixel: y * width + x });
    }
  }
  return taps;
}
