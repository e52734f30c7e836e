/** What the verbs of a ceremony share: the backend, the circuit and first phase that options name, and how results are told. */
import { readFile } from "node:fs/promises";
import { parseDigest } from "../../base/digest.ts";
import { InferiumError } from "../../base/errors.ts";
import { type CeremonyCircuit, compileModelCircuit, compileTileCircuit } from "../../zk/ceremony/ceremony-circuit.ts";
import type { CeremonyTools } from "../../zk/ceremony/run-ceremony.ts";
import { identifyPowersOfTau, type PowersOfTau } from "../../zk/proving/powers-of-tau.ts";
import { createSnarkjsBackend } from "../../zk/proving/snarkjs-backend.ts";
import type { CliIo, Environment } from "../context.ts";

export interface ZkSession extends CeremonyTools {
  readonly io: CliIo;
  readonly env: Environment;
}

/** The largest circuits take minutes for a step; nobody waits for it but who asked. */
const stepMs = 60 * 60_000;
const maxMemoryBytes = 16 * 2 ** 30;

export async function withZk(
  context: { readonly io: CliIo; readonly env: Environment; readonly signal: AbortSignal },
  verb: (session: ZkSession) => Promise<number>,
): Promise<number> {
  const { io, env, signal } = context;
  const backend = createSnarkjsBackend({ timeoutMs: stepMs, maxMemoryBytes });
  try {
    return await verb({ io, env, signal, backend });
  } finally {
    await backend.close();
  }
}

export interface OutputOptions {
  readonly output?: "text" | "json";
  readonly dryRun?: boolean;
}

export interface CircuitOptions {
  /** Or the tile. */
  readonly model?: string;
  readonly tile?: boolean;
  readonly rows: number;
  readonly powersOfTau: string;
  readonly powersOfTauDigest?: string;
  readonly powersOfTauName: string;
}

/** @throws InferiumError InvalidOption, FileUnreadable, those of the compiler and of identifyPowersOfTau */
export async function readCircuit(
  options: CircuitOptions,
): Promise<{ circuit: CeremonyCircuit; powersOfTau: PowersOfTau & { readonly path: string } }> {
  const { model, tile, rows } = options;
  if ((model === undefined) === (tile !== true)) {
    throw new InferiumError("InvalidOption", "Give either --model or --tile: what the keys are for.");
  }
  const onnx = model === undefined ? undefined : await readModel(model);
  const { powersOfTau: path, powersOfTauDigest, powersOfTauName: name } = options;
  const vouched = powersOfTauDigest === undefined ? undefined : { digest: parseDigest(powersOfTauDigest), name };
  const powersOfTau = await identifyPowersOfTau(path, vouched);
  const circuit = onnx === undefined ? compileTileCircuit() : compileModelCircuit(onnx, rows);
  return { circuit, powersOfTau: { ...powersOfTau, path } };
}

function readModel(path: string): Promise<Uint8Array> {
  return readFile(path).catch((cause: unknown) => {
    throw new InferiumError("FileUnreadable", `The model ${path} cannot be read.`, { cause });
  });
}

/** Wherever a key of such a setup shows, this stands beside it. */
export const developmentLabel = "development, not secure";

export interface ZkResult {
  readonly summary: string;
  /** Further lines of the text. */
  readonly details?: readonly string[];
  /** Fields of the JSON. */
  readonly fields: Readonly<Record<string, unknown>>;
  readonly isDevelopment: boolean;
}

export function printResult({ io }: ZkSession, options: OutputOptions, result: ZkResult): number {
  const { summary, details = [], fields, isDevelopment } = result;
  const security = isDevelopment ? { security: developmentLabel } : {};
  if (options.output === "json") {
    io.out(JSON.stringify({ dryRun: options.dryRun === true, summary, isDevelopment, ...security, ...fields }));
    return 0;
  }
  for (const line of details) io.out(line);
  if (isDevelopment) io.out(`Setup: ${developmentLabel}. Whoever made it may be able to forge proofs.`);
  io.out(options.dryRun === true ? `Dry run, nothing was written or sent. ${summary}` : summary);
  return 0;
}
