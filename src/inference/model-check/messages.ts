/** What check-model-file.ts and model-check-process.ts say to each other. */
import type { ModelFindings } from "../../protocol/model/findings.ts";

export interface ModelCheckRequest {
  readonly path: string;
  readonly digest: string;
  /** False: the model is only loaded and run, to see whether the process lives. */
  readonly scan: boolean;
  /** Of the inputs that it is run on, and how many. */
  readonly seed: string;
  readonly samples: number;
  /** A safetensors file with inputs that make sense to the model. */
  readonly sample?: { readonly path: string; readonly digest: string };
  /** The process ends itself then, also where nobody is left to end it. */
  readonly limitMs: number;
}

export type SampleOutputs = Readonly<
  Record<string, { readonly dtype: string; readonly shape: readonly number[]; readonly base64: string }>
>;

/** In this order; whatever ends the process before the last is an answer too. */
export type ModelCheckAnswer =
  | { readonly kind: "scanned"; readonly findings: ModelFindings }
  | { readonly kind: "loaded"; readonly runtime: string }
  /** Outputs by sample, empty where it could not be run on it; what the first such said. */
  | { readonly kind: "ran"; readonly samples: readonly SampleOutputs[]; readonly problem: string }
  | { readonly kind: "refused"; readonly message: string }
  /** The file is another one than it was: nothing is said of the model. */
  | { readonly kind: "unreadable"; readonly message: string };
