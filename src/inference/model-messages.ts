/** What threaded-model.ts and model-thread.ts say to each other. Data is copied once and then handed over. */
import type { Digest } from "../base/digest.ts";
import type { Disposition } from "../base/errors.ts";
import type { DType } from "../protocol/tensors/dtype.ts";
import { createTensor, type NamedTensors } from "../protocol/tensors/tensor.ts";
import type { TensorSignature } from "./hosted-model.ts";
import type { SessionOptions } from "./session.ts";

export interface ThreadData {
  readonly bytes: Uint8Array;
  readonly digest: Digest;
  readonly session: SessionOptions;
}

export type SentTensors = readonly (readonly [
  name: string,
  dtype: DType,
  shape: readonly number[],
  data: Uint8Array,
])[];

/** Ends the thread when the calls that are on have ended: ended from outside within a run, onnxruntime takes the process with it. */
export const closeMessage = "close";

export interface InferMessage {
  readonly id: number;
  readonly inputs: SentTensors;
}

export interface SentError {
  readonly code: string;
  readonly message: string;
  readonly disposition: Disposition;
}

export type ThreadMessage =
  | {
      readonly kind: "ready";
      readonly runtime: string;
      readonly inputs: readonly TensorSignature[];
      readonly outputs: readonly TensorSignature[];
    }
  | { readonly kind: "unable"; readonly error: SentError }
  /** `ms` is what the run took of the thread, the waiting for others before it left out. */
  | { readonly kind: "done"; readonly id: number; readonly outputs: SentTensors; readonly ms: number }
  | { readonly kind: "failed"; readonly id: number; readonly error: SentError };

/** Views are of larger buffers, all of which would be copied: so the part alone is, and then given away. */
export function sendTensors(tensors: NamedTensors): { sent: SentTensors; transfer: ArrayBuffer[] } {
  const transfer: ArrayBuffer[] = [];
  const sent = [...tensors].map(([name, { dtype, shape, data }]) => {
    const copy = Uint8Array.from(data);
    transfer.push(copy.buffer);
    return [name, dtype, shape, copy] as const;
  });
  return { sent, transfer };
}

export function receiveTensors(sent: SentTensors): NamedTensors {
  return new Map(sent.map(([name, dtype, shape, data]) => [name, createTensor(dtype, shape, data)]));
}
