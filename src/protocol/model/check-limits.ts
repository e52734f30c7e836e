/** What checking a model file may take, by its size: the same for all validators, so that they find the same. Pure. */
export interface CheckLimits {
  /** Resident. */
  readonly memoryBytes: number;
  readonly timeMs: number;
}

const mebibyte = 2 ** 20;

/** A first run, the file, onnxruntime's copy of it, what optimisation makes of that, and a process around them. */
export function computeCheckLimits(fileBytes: number): CheckLimits {
  return {
    memoryBytes: 1_024 * mebibyte + 4 * fileBytes,
    timeMs: 60_000 + Math.ceil(fileBytes / mebibyte) * 100,
  };
}
