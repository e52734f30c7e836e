/**
 * Why there is no reading. Callers branch on `kind`: `NotFound` and `NoDevices` mean that no GPU is usable from here, which
 * is normal on a CPU-only node; every other kind means that the hardware could not be read. Pure.
 */
import { InferiumError } from "../../base/errors.ts";

export type NvidiaSmiFailureKind =
  /** There is no such command. */
  | "NotFound"
  /** The command ran and found no GPU. */
  | "NoDevices"
  /** It did not answer in time, and was killed. */
  | "TimedOut"
  /** It answered something that is no document of its schema, or one that contradicts itself. */
  | "Garbled"
  /** Its library does not fit the kernel's driver, or cannot reach it: "Failed to initialize NVML". */
  | "DriverMismatch"
  /** It failed in another way; the message has its exit code and what it said. */
  | "Failed";

export class NvidiaSmiFailure extends InferiumError {
  readonly kind: NvidiaSmiFailureKind;

  constructor(kind: NvidiaSmiFailureKind, message: string, cause?: unknown) {
    super(`NvidiaSmi${kind}`, message, { disposition: "retry", ...(cause === undefined ? {} : { cause }) });
    this.kind = kind;
  }

  /** No GPU here, as opposed to a GPU that cannot be read. */
  get meansNoGpu(): boolean {
    return this.kind === "NotFound" || this.kind === "NoDevices";
  }
}
