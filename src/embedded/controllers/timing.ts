/** Times that Kubernetes takes from its flags; tests shorten them. No code here. */
export interface ControllerTiming {
  /** Pause before a failed pod of a job is replaced; doubles with each failure up to `jobBackoffMaxMs`. */
  readonly jobBackoffMs: number;
  readonly jobBackoffMaxMs: number;
  /** A node that gives no sign for so long is not ready. */
  readonly nodeGraceMs: number;
  /** Pods of a node that is gone are kept for so long, as it may come back. */
  readonly podQuarantineMs: number;
}

export const defaultTiming: ControllerTiming = {
  jobBackoffMs: 10_000,
  jobBackoffMaxMs: 600_000,
  nodeGraceMs: 50_000,
  podQuarantineMs: 40_000,
};
