/** Cutting a tensor into steps and stacking the steps' outputs again, both along axis 0. Pure. */
import { InferiumError } from "../base/errors.ts";
import { createTensor, type Tensor } from "../protocol/tensors/tensor.ts";

/** Views, not copies: a row-major tensor's slices along axis 0 lie one after another. @throws InferiumError InvalidSteps */
export function cutTensor(name: string, tensor: Tensor, count: number): Tensor[] {
  const [length, ...rest] = tensor.shape;
  if (length === undefined || length % count !== 0 || length === 0) {
    const message = `Input "${name}" has shape [${tensor.shape.join(",")}]; axis 0 cannot be cut into ${count} equal steps.`;
    throw new InferiumError("InvalidSteps", message);
  }
  const bytes = tensor.data.byteLength / count;
  const shape = [length / count, ...rest];
  return Array.from({ length: count }, (_, step): Tensor => {
    return { dtype: tensor.dtype, shape, data: tensor.data.subarray(step * bytes, (step + 1) * bytes) };
  });
}

export interface Stack {
  push(part: Tensor): void;
  finish(): Tensor;
}

/** A scalar of each step becomes one element of a vector. @throws InferiumError TooLarge, InvalidSteps */
export function createStack(name: string, count: number, maxBytes: number): Stack {
  let first: Tensor | undefined;
  let data = new Uint8Array(0);
  let pushed = 0;
  return {
    push(part) {
      if (first === undefined) {
        first = part;
        data = allocate(name, part.data.byteLength * count, maxBytes);
      }
      if (part.dtype !== first.dtype || part.shape.join() !== first.shape.join()) {
        throw new InferiumError(
          "InvalidSteps",
          `Output "${name}" changes its shape between steps; it cannot be stacked.`,
        );
      }
      data.set(part.data, pushed * part.data.byteLength);
      pushed += 1;
    },
    finish() {
      if (first === undefined) throw new InferiumError("InvalidSteps", `Output "${name}" was never produced.`);
      const [length = 1, ...rest] = first.shape;
      return createTensor(first.dtype, [length * pushed, ...rest], data, `Output "${name}"`);
    },
  };
}

function allocate(name: string, bytes: number, maxBytes: number): Uint8Array<ArrayBuffer> {
  if (bytes <= maxBytes) return new Uint8Array(bytes);
  throw new InferiumError(
    "TooLarge",
    `Output "${name}" would have ${bytes} bytes; at most ${maxBytes} are allowed here.`,
  );
}
