/** Images of 784 pixels with their labels, as a training of the run's classifier takes them. */
import { createTensor, type NamedTensors } from "../../../src/protocol/tensors/tensor.ts";

export function mnistData(images: number, pixelAt: (index: number) => number): NamedTensors {
  const pixels = Uint8Array.from({ length: images * 784 }, (_, index) => pixelAt(index));
  const labels = Uint8Array.from({ length: images }, (_, index) => index % 10);
  return new Map([
    ["pixels", createTensor("uint8", [images, 784], pixels)],
    ["labels", createTensor("uint8", [images], labels)],
  ]);
}
