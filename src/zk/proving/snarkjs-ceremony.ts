/**
 * The second phase of a circuit's setup, step by step, in the process that runs snarkjs. Each step writes a new key file.
 * Secrets are drawn here, used once and gone with the call. Effects: key files.
 */
import { randomBytes } from "node:crypto";
import { rm } from "node:fs/promises";
import { type SnarkjsLogger, zKey } from "snarkjs";
import type { VerifyingKey } from "./groth16.ts";
import type { BeaconFiles, ContributionFiles, KeyFiles, SetupFiles, StepFiles } from "./proving-backend.ts";
import { fromSnarkjsKey } from "./snarkjs-format.ts";

export async function setUp({ contributor, zkeyPath, ...files }: SetupFiles): Promise<VerifyingKey> {
  const initialPath = `${zkeyPath}.initial`;
  try {
    await startKey({ ...files, zkeyPath: initialPath });
    // The first key's delta is 1, which everybody knows: only a contribution makes it one that nobody can forge with.
    await contribute({ fromPath: initialPath, zkeyPath, contributor });
    return await exportKey(zkeyPath);
  } finally {
    await rm(initialPath, { force: true });
  }
}

export async function startKey({ r1csPath, powersOfTauPath, zkeyPath }: KeyFiles): Promise<true> {
  const made = await zKey.newZKey(r1csPath, powersOfTauPath, zkeyPath);
  if (made === -1) throw new Error("the circuit is larger than the powers of tau, or their file is not prepared");
  return true;
}

/** @returns the contribution's hash, which its maker publishes */
export async function contribute({ fromPath, zkeyPath, contributor, entropy }: ContributionFiles): Promise<string> {
  const secret = randomBytes(64).toString("hex") + (entropy ?? "");
  return Buffer.from(await zKey.contribute(fromPath, zkeyPath, contributor, secret)).toString("hex");
}

export async function applyBeacon({
  fromPath,
  zkeyPath,
  name,
  value,
  iterationsExponent,
}: BeaconFiles): Promise<string> {
  const hash = await zKey.beacon(fromPath, zkeyPath, name, value, iterationsExponent);
  if (hash === false) throw new Error("snarkjs took no beacon of this value and number of iterations");
  return Buffer.from(hash).toString("hex");
}

/** @returns what is wrong; nothing where all is well */
export async function checkSteps({ initialKeyPath, powersOfTauPath, zkeyPath }: StepFiles): Promise<readonly string[]> {
  const faults: string[] = [];
  const error = (line: string) => void faults.push(line.trim());
  const ignore = () => undefined;
  const logger: SnarkjsLogger = { info: ignore, debug: ignore, warn: ignore, error };
  // Faults of single steps are written to the console and nowhere else.
  const { log } = console;
  console.log = (...parts: unknown[]) => error(parts.join(" "));
  try {
    const isGood = await zKey.verifyFromInit(initialKeyPath, powersOfTauPath, zkeyPath, logger);
    return isGood ? [] : faults.length > 0 ? faults : ["a section does not follow from the first key's"];
  } finally {
    console.log = log;
  }
}

export async function exportKey(zkeyPath: string): Promise<VerifyingKey> {
  return fromSnarkjsKey(await zKey.exportVerificationKey(zkeyPath));
}
