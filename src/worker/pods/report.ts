/**
 * What a pod tells its launcher: lines of JSON on its standard output, `{"inferium.io/report":{...}}`. They come to the launcher
 * through the API server, so that nobody but who runs the pod can say them. Any other line is the program's own log. Pure.
 */
import { type Digest, isDigest } from "../../base/digest.ts";
import type { InlineTensors } from "../../pool/work-assignment.ts";

export type PodReport =
  /** A checkpoint is in the store. `index` from 1. */
  | { readonly kind: "checkpoint"; readonly index: number; readonly digest: Digest }
  /** All checkpoints, that of the initial weights included, and the model. */
  | { readonly kind: "trained"; readonly checkpoints: readonly Digest[]; readonly model: Digest }
  /** Outputs of a container that trains nothing. */
  | { readonly kind: "outputs"; readonly outputs: InlineTensors }
  /** Why there is no result; `code` as the worker's own errors have them. */
  | { readonly kind: "failed"; readonly code: string; readonly message: string };

const key = "inferium.io/report";

export function writeReport(report: PodReport): string {
  return JSON.stringify({ [key]: report });
}

/** Undefined for any other line, and for one that is malformed. */
export function readReport(line: string): PodReport | undefined {
  if (!line.startsWith(`{"${key}"`)) return undefined;
  try {
    const report = (JSON.parse(line) as Record<string, unknown>)[key];
    return isReport(report) ? report : undefined;
  } catch {
    return undefined;
  }
}

function isReport(value: unknown): value is PodReport {
  if (typeof value !== "object" || value === null) return false;
  const { kind, index, digest, checkpoints, model, outputs, code, message } = value as Record<string, unknown>;
  if (kind === "checkpoint") return Number.isSafeInteger(index) && Number(index) > 0 && isDigestText(digest);
  if (kind === "trained") return Array.isArray(checkpoints) && checkpoints.every(isDigestText) && isDigestText(model);
  if (kind === "outputs") return typeof outputs === "object" && outputs !== null && !Array.isArray(outputs);
  return kind === "failed" && typeof code === "string" && typeof message === "string";
}

function isDigestText(value: unknown): value is Digest {
  return typeof value === "string" && isDigest(value);
}
