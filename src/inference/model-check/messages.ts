/** What check-model-file.ts and model-check-process.ts say to each other. */
import type { ModelFindings } from "../../protocol/model/findings.ts";

export interface ModelCheckRequest {
  readonly path: string;
  readonly digest: string;
  /** Left out: the model is only loaded, to see whether the process lives. */
  readonly scan: boolean;
  /** The process ends itself then, also where nobody is left to end it. */
  readonly limitMs: number;
}

/** In this order; whatever ends the process before the last is an answer too. */
export type ModelCheckAnswer =
  | { readonly kind: "scanned"; readonly findings: ModelFindings }
  | { readonly kind: "loaded"; readonly runtime: string }
  | { readonly kind: "refused"; readonly message: string }
  /** The file is another one than it was: nothing is said of the model. */
  | { readonly kind: "unreadable"; readonly message: string };
