/**
 * The second phase of a circuit's setup, step by step, in the process that proves. Each step writes a new key file. Secrets are drawn
 * here, used once and gone with the call. Called by snarkjs-process.ts. Effects: key files.
 */
import type { VerifyingKey } from "../proving/groth16.ts";
import type { BeaconFiles, ContributionFiles, KeyFiles, SetupFiles } from "../proving/proving-backend.ts";
import { openCurveCode } from "./curve-code.ts";
import { makeFirstKey } from "./first-key.ts";
import { type KeySections, readKeySections, writeKeySections } from "./key-sections.ts";
import { addKeyStep, type KeyStepInput } from "./key-step.ts";
import { readVerifyingKey } from "./read-verifying-key.ts";
import { drawRandomness, hashBeacon } from "./step-randomness.ts";

export async function setUp({ contributor, zkeyPath, ...files }: SetupFiles): Promise<VerifyingKey> {
  const code = await openCurveCode();
  const first = await makeFirstKey(files, code);
  // The first key's delta is 1, which everybody knows: only a contribution makes it one that nobody can forge with.
  const { sections } = await addKeyStep(first, { name: contributor, randomness: drawRandomness("") }, code);
  await writeKeySections(zkeyPath, sections);
  return readVerifyingKey(sections);
}

export async function startKey({ zkeyPath, ...files }: KeyFiles): Promise<true> {
  await writeKeySections(zkeyPath, await makeFirstKey(files, await openCurveCode()));
  return true;
}

/** @returns the contribution's hash, which its maker publishes */
export function contribute({ fromPath, zkeyPath, contributor, entropy = "" }: ContributionFiles): Promise<string> {
  return writeStep(fromPath, zkeyPath, () => ({ name: contributor, randomness: drawRandomness(entropy) }));
}

export function applyBeacon({ fromPath, zkeyPath, name, ...files }: BeaconFiles): Promise<string> {
  const { iterationsExponent } = files;
  const value = Buffer.from(files.value, "hex");
  return writeStep(fromPath, zkeyPath, () => ({
    name,
    beacon: { value, iterationsExponent },
    randomness: hashBeacon(value, iterationsExponent),
  }));
}

export async function exportKey(zkeyPath: string): Promise<VerifyingKey> {
  return readVerifyingKey(await readKeySections(zkeyPath));
}

async function writeStep(fromPath: string, zkeyPath: string, draw: () => KeyStepInput): Promise<string> {
  const key: KeySections = await readKeySections(fromPath);
  const { sections, hash } = await addKeyStep(key, draw(), await openCurveCode());
  await writeKeySections(zkeyPath, sections);
  return hash;
}
