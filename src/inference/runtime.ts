/**
 * What ran, as a receipt names it. Float outputs depend on all four parts, so two results may be compared bit by bit
 * only where these are the same; integer-only models do not depend on them.
 */
export interface Runtime {
  /** Version of onnxruntime. */
  readonly version: string;
  /** Execution provider, or several joined by `+` where nodes ran on more than one. */
  readonly provider: string;
  readonly isa: string;
  /** Graph optimisation level. */
  readonly level: string;
}

/** Such as "onnxruntime/1.27.0 cpu avx512_vnni all". */
export function formatRuntime(runtime: Runtime | string): string {
  if (typeof runtime === "string") return runtime.slice(0, 256);
  return `onnxruntime/${runtime.version} ${runtime.provider} ${runtime.isa} ${runtime.level}`;
}
