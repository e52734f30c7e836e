/**
 * The first phase of the setup, which all circuits share, as a file that is known by its digest. A file that is not known is not
 * used: whoever knows its secret can forge proofs for every circuit made with it. Effects: reads the file.
 */
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { open } from "node:fs/promises";
import type { Digest } from "../../base/digest.ts";
import { InferiumError } from "../../base/errors.ts";
import { hermezDigests } from "./hermez-powers-of-tau.ts";

export interface PowersOfTau {
  readonly name: string;
  readonly digest: Digest;
  /** The largest circuit has 2^power constraints. */
  readonly power: number;
  /** One contributor, or secrets that nobody promised to forget: for development and tests alone. */
  readonly isDevelopment: boolean;
}

/** test/plonk_circuit/powersOfTau15_final.ptau of snarkjs@0.5.0 on npm, 37,750,176 bytes. */
export const developmentPowersOfTau: PowersOfTau = {
  name: "snarkjs-0.5.0-test-15",
  digest: "sha256:8dd31d43d078430b15790344e614fed1a94d91b86078c1683d0195b991a9f603",
  power: 15,
  isDevelopment: true,
};

/** @throws InferiumError UnknownPowersOfTau */
export async function checkPowersOfTau(path: string, expected: PowersOfTau): Promise<void> {
  const { sha256: got } = await digestFile(path);
  if (got === expected.digest) return;
  throw new InferiumError(
    "UnknownPowersOfTau",
    `The powers of tau at ${path} are ${got}, expected ${expected.digest} (${expected.name}). Fetch them again: .ci/powers-of-tau.`,
  );
}

/** What somebody says who has checked the file's own ceremony. */
export interface VouchedPowersOfTau {
  readonly digest: Digest;
  readonly name: string;
}

/**
 * Which first phase is this? One that is published, the one for development, or one that the caller vouches for.
 * @throws InferiumError InvalidPowersOfTau, UnknownPowersOfTau
 */
export async function identifyPowersOfTau(path: string, vouched?: VouchedPowersOfTau): Promise<PowersOfTau> {
  const power = await readPower(path);
  const { sha256: digest, blake2b } = await digestFile(path);
  if (digest === developmentPowersOfTau.digest) return developmentPowersOfTau;
  if (hermezDigests.get(power) === blake2b) {
    return { name: `perpetual-powers-of-tau-hermez-${power}`, digest, power, isDevelopment: false };
  }
  if (vouched?.digest === digest) return { name: vouched.name, digest, power, isDevelopment: false };
  throw new InferiumError(
    "UnknownPowersOfTau",
    `The powers of tau at ${path} are ${digest}, which nobody has published: whoever made them may be able to forge proofs. Use the perpetual powers of tau (powersOfTau28_hez_final_NN.ptau), or name the digest if you have checked them yourself.`,
  );
}

/** Magic, version, number of sections; section 1 holds the length of a number, the prime and the power. */
async function readPower(path: string): Promise<number> {
  const file = await open(path).catch((cause: unknown) => {
    throw invalid(path, "cannot be read", cause);
  });
  try {
    const head = Buffer.alloc(12 + 12 + 4 + 32 + 4);
    const { bytesRead } = await file.read(head, 0, head.length, 0);
    const isPowers =
      bytesRead === head.length && head.toString("latin1", 0, 4) === "ptau" && head.readUInt32LE(12) === 1;
    if (!isPowers || head.readUInt32LE(24) !== 32) throw invalid(path, "are no ptau file of BN254");
    return head.readUInt32LE(60);
  } finally {
    await file.close();
  }
}

function invalid(path: string, what: string, cause?: unknown): InferiumError {
  const message = `The powers of tau at ${path} ${what}. Fetch them again; for development: .ci/powers-of-tau.`;
  return new InferiumError("InvalidPowersOfTau", message, { cause });
}

async function digestFile(path: string): Promise<{ sha256: Digest; blake2b: string }> {
  const [sha, blake] = [createHash("sha256"), createHash("blake2b512")];
  for await (const chunk of createReadStream(path)) {
    sha.update(chunk);
    blake.update(chunk);
  }
  return { sha256: `sha256:${sha.digest("hex")}`, blake2b: blake.digest("hex") };
}
