/** `inferium zk contribute`: adds this machine's secret to the newest key of a ceremony. */
import { readFile } from "node:fs/promises";
import { InferiumError } from "../../base/errors.ts";
import { contributeTo, planContribution } from "../../zk/ceremony/run-ceremony.ts";
import { type OutputOptions, printResult, type ZkSession } from "./zk-session.ts";

export interface ContributeOptions extends OutputOptions {
  readonly dir: string;
  readonly name: string;
  readonly entropyFile?: string;
}

export async function runContribute(options: ContributeOptions, session: ZkSession): Promise<number> {
  const { dir, name } = options;
  const { ceremony } = await planContribution({ dir, name });
  const entropy = await readEntropy(options.entropyFile);
  const number = ceremony.steps.length + 1;
  const { isDevelopment } = ceremony.powersOfTau;
  if (options.dryRun === true) {
    const summary = `"${name}" would be step ${number} of the ceremony in ${dir}.`;
    return printResult(session, options, { summary, fields: { dir, name, step: number }, isDevelopment });
  }
  const step = await contributeTo({ dir, name, ...entropy }, session);
  return printResult(session, options, {
    summary: `"${name}" is step ${number} of the ceremony in ${dir}. Publish the contribution's hash, and hand the folder on.`,
    details: [`Contribution: ${step.hash}`, `Key: ${step.keyDigest}`],
    fields: { dir, name, step: number, contributionHash: step.hash, keyDigest: step.keyDigest },
    isDevelopment,
  });
}

async function readEntropy(path: string | undefined): Promise<{ entropy?: string }> {
  if (path === undefined) return {};
  const bytes = await readFile(path).catch((cause: unknown) => {
    throw new InferiumError("FileUnreadable", `The file of entropy ${path} cannot be read.`, { cause });
  });
  if (bytes.length === 0) throw new InferiumError("FileUnreadable", `The file of entropy ${path} is empty.`);
  return { entropy: bytes.toString("hex") };
}
