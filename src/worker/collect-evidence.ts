/**
 * Asks the machine for evidence of its GPUs: a command of the operator's choice is run with the nonce, such as a wrapper of NVIDIA's
 * attestation tools, and prints JSON: `[{"kind":"NvidiaGpu","report":BASE64,"certificates":[PEM, ...]}]`. What it prints is the
 * pool's to judge. Effects: runs the command.
 */
import { execFile } from "node:child_process";
import { InferiumError } from "../base/errors.ts";
import type { GpuEvidence } from "../pool/wire.ts";

const timeoutMs = 10_000;
const maxOutputBytes = 2 * 1024 * 1024;

/** @throws InferiumError EvidenceUnavailable */
export function collectEvidence(command: string, nonce: string): Promise<readonly GpuEvidence[]> {
  const options = { timeout: timeoutMs, maxBuffer: maxOutputBytes, killSignal: "SIGKILL", encoding: "utf8" } as const;
  return new Promise((resolve, reject) => {
    execFile(command, [nonce.slice(2)], options, (error, stdout, stderr) => {
      const problem = error ? `${error.message.slice(0, 200)} ${stderr.slice(0, 200)}`.trim() : undefined;
      try {
        if (problem !== undefined) throw new Error(problem);
        const printed: unknown = JSON.parse(stdout);
        if (!Array.isArray(printed) || !printed.every(isEvidence)) throw new Error("it printed no list of evidence");
        resolve(printed);
      } catch (cause) {
        const why = cause instanceof Error ? cause.message : String(cause);
        reject(new InferiumError("EvidenceUnavailable", `${command} gave no evidence: ${why}.`, { cause }));
      }
    });
  });
}

/** The pool refuses an answer as a whole whose parts have another shape. */
function isEvidence(value: unknown): value is GpuEvidence {
  const { kind, report, certificates } = (value ?? {}) as Partial<Record<keyof GpuEvidence, unknown>>;
  if (kind !== "NvidiaGpu" || typeof report !== "string" || !Array.isArray(certificates)) return false;
  return certificates.every((certificate) => typeof certificate === "string");
}
