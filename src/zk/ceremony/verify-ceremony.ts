/**
 * Checks a whole ceremony from nothing but the model, the powers of tau and the folder: the circuit is compiled again, the first key
 * is made again, and each step to the last key is checked. Called by the command line before anything is registered.
 * Effects: temporary files beside the keys.
 */
import { readFile, rm, writeFile } from "node:fs/promises";
import { type Digest, sha256 } from "../../base/digest.ts";
import { InferiumError } from "../../base/errors.ts";
import type { CeremonyRecord } from "../proving/circuit-record.ts";
import { checkVerifyingKey, type VerifyingKey } from "../proving/groth16.ts";
import type { PowersOfTau } from "../proving/powers-of-tau.ts";
import { type Ceremony, type CeremonySubject, digestTranscript, openCeremony } from "./ceremony.ts";
import type { CeremonyCircuit } from "./ceremony-circuit.ts";
import { type CeremonyTools, checkContributed } from "./run-ceremony.ts";

export interface VerifiedCeremony {
  readonly ceremony: Ceremony;
  readonly keyPath: string;
  readonly keyDigest: Digest;
  readonly verifyingKey: VerifyingKey;
  readonly record: CeremonyRecord;
}

export interface CeremonyCheck {
  readonly dir: string;
  /** Compiled by whoever verifies. */
  readonly circuit: CeremonyCircuit;
  /** Found and identified by whoever verifies. */
  readonly powersOfTau: PowersOfTau & { readonly path: string };
}

/**
 * @throws InferiumError ModelMismatch, CircuitMismatch, UnknownPowersOfTau, NoContribution, CeremonyInvalid,
 * InsecureVerifyingKey, those of openCeremony and of the backend
 */
export async function verifyCeremony(
  { dir, circuit, powersOfTau }: CeremonyCheck,
  tools: CeremonyTools,
): Promise<VerifiedCeremony> {
  const { ceremony, keyPath } = await openCeremony(dir);
  checkSubject(circuit.subject, ceremony.subject);
  checkSame("CircuitMismatch", "circuit that this model compiles to", circuit.r1csDigest, ceremony.r1csDigest);
  checkSame("UnknownPowersOfTau", "powers of tau", powersOfTau.digest, ceremony.powersOfTau.digest);
  checkContributed(ceremony);
  const faults = await checkKey({ ceremony, keyPath, circuit, powersOfTau }, tools);
  if (faults.length > 0) {
    const message = `The key ${keyPath} does not follow from the circuit, the powers of tau and the listed steps: ${faults.join("; ")}. Do not use it.`;
    throw new InferiumError("CeremonyInvalid", message, { evidence: { faults } });
  }
  const verifyingKey = await tools.backend.exportKey(keyPath, tools.signal);
  checkVerifyingKey(verifyingKey);
  const keyDigest = ceremony.steps.at(-1)?.keyDigest ?? ceremony.initialKeyDigest;
  return { ceremony, keyPath, keyDigest, verifyingKey, record: buildRecord(ceremony, powersOfTau) };
}

interface KeyCheck extends Omit<CeremonyCheck, "dir"> {
  readonly ceremony: Ceremony;
  readonly keyPath: string;
}

/** The first key holds no secret: everybody makes the same one. @returns what is wrong with the last one */
async function checkKey(
  { ceremony, keyPath, circuit, powersOfTau }: KeyCheck,
  { backend, signal }: CeremonyTools,
): Promise<readonly string[]> {
  const r1csPath = `${keyPath}.r1cs`;
  const initialKeyPath = `${keyPath}.initial`;
  try {
    await writeFile(r1csPath, circuit.r1cs);
    await backend.startKey({ r1csPath, powersOfTauPath: powersOfTau.path, zkeyPath: initialKeyPath }, signal);
    checkSame("CircuitMismatch", "first key", sha256(await readFile(initialKeyPath)), ceremony.initialKeyDigest);
    const files = { initialKeyPath, powersOfTauPath: powersOfTau.path, zkeyPath: keyPath };
    return await backend.checkSteps(files, signal);
  } finally {
    await Promise.all([rm(r1csPath, { force: true }), rm(initialKeyPath, { force: true })]);
  }
}

/**
 * Whether the powers of tau are for development is the verifier's own finding, never the folder's. A ceremony without a beacon
 * has not ended: its last contributor may have chosen the key, and it counts as development.
 */
function buildRecord(ceremony: Ceremony, powersOfTau: PowersOfTau): CeremonyRecord {
  const contributions = ceremony.steps.filter(({ beacon }) => beacon === undefined);
  const closing = ceremony.steps.find(({ beacon }) => beacon !== undefined);
  const beacon = closing?.beacon && { ...closing.beacon, source: closing.source ?? "" };
  return {
    powersOfTau: powersOfTau.digest,
    contributors: contributions.map(({ name }) => name),
    isDevelopment: powersOfTau.isDevelopment || beacon === undefined,
    powersOfTauName: powersOfTau.name,
    contributionHashes: contributions.map(({ hash }) => hash),
    ...(beacon === undefined ? {} : { beacon }),
    transcriptDigest: digestTranscript(ceremony),
  };
}

/** What ModelRegistry holds of a ceremony: sha256 of the record as JSON, its fields in the order of their names. */
export function digestCeremonyRecord(record: CeremonyRecord): Digest {
  return sha256(JSON.stringify(record, (_, value: unknown) => sortFields(value)));
}

function sortFields(value: unknown): unknown {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([left], [right]) => (left < right ? -1 : 1)));
}

function checkSubject(got: CeremonySubject, listed: CeremonySubject): void {
  const describe = (subject: CeremonySubject) =>
    subject.kind === "Tile" ? "the tile" : `model ${subject.modelDigest} (${subject.rows} rows)`;
  if (describe(got) === describe(listed)) return;
  throw new InferiumError(
    "ModelMismatch",
    `The ceremony is for ${describe(listed)}; given is ${describe(got)}. Give what it was made for.`,
  );
}

function checkSame(code: string, what: string, got: Digest, listed: Digest): void {
  if (got === listed) return;
  throw new InferiumError(code, `The ${what} is ${got}; the ceremony was made for ${listed}. Do not use its keys.`);
}
