/** `inferium model scan`: the findings that validators would sign, made on this machine. Effects: one process. */
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { pipeline } from "node:stream/promises";
import type { Digest } from "../../base/digest.ts";
import { InferiumError } from "../../base/errors.ts";
import { checkModelFile, type ModelCheckResult } from "../../inference/model-check/check-model-file.ts";
import { hashFindings, type ModelFindings, policiesOf } from "../../protocol/model/findings.ts";
import type { CommandContext } from "../commands.ts";

export interface ScanOptions {
  readonly output: "text" | "json";
}

/** @returns the exit status: 0 where nothing speaks against the model @throws InferiumError NotFound, CheckFailed */
export async function runScan(
  path: string,
  { output }: ScanOptions,
  { io, signal }: Pick<CommandContext, "io" | "signal">,
): Promise<number> {
  const digest = await digestFile(path);
  const result = await checkModelFile({ path, digest }, { signal });
  const { findings, runtime } = result;
  const shown = { digest, policies: policiesOf(findings), findingsHash: hashFindings(findings), runtime, findings };
  if (output === "json") io.out(JSON.stringify(shown));
  else for (const line of render(digest, result)) io.out(line);
  return findings.problems.length === 0 ? 0 : 1;
}

async function digestFile(path: string): Promise<Digest> {
  const hash = createHash("sha256");
  await pipeline(createReadStream(path), hash).catch((cause: unknown) => {
    throw new InferiumError("NotFound", `The model ${path} cannot be read.`, { cause });
  });
  return `sha256:${hash.digest("hex")}`;
}

function render(digest: Digest, { findings, runtime }: ModelCheckResult): string[] {
  const { bytes, nodes, parameters, integerOnly, problems } = findings;
  const fit = policiesOf(findings);
  return [
    `Digest       ${digest}`,
    `Size         ${bytes} bytes, ${nodes} nodes, ${parameters.toLocaleString("en-US")} parameters`,
    `Operators    ${findings.operators.map(({ name, count }) => `${name} (${count})`).join(", ") || "none"}`,
    `Opsets       ${findings.opsets.map(({ domain, version }) => `${domain} ${version}`).join(", ") || "none"}`,
    `Inputs       ${describe(findings.inputs)}`,
    `Outputs      ${describe(findings.outputs)}`,
    `Arithmetic   ${integerOnly ? "integers only" : "floating point, or not known to be integers only"}; ${weights[findings.weights]}`,
    `Loaded in    ${runtime ?? "nothing"}`,
    fit.length > 0 ? `Fit for      ${fit.join(", ")}` : "Fit for      nothing: validators would not approve it",
    ...problems.map(({ reason, message }) => `Problem      ${reason}: ${message}`),
  ];
}

const weights: Readonly<Record<ModelFindings["weights"], string>> = {
  SevenBits: "weights of 8-bit products within 7 bits",
  EightBits: "weights of 8-bit products beyond 7 bits, where some processors saturate",
  NotConstant: "weights of 8-bit products that are not constant",
  None: "no 8-bit products",
};

function describe(values: ModelFindings["inputs"]): string {
  return values.map(({ name, type }) => `${name} ${type}`).join(", ") || "none";
}
