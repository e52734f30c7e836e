/**
 * The first phase of the setup, which all circuits share, as a file that is known by its digest. A file that is not known is not
 * used: whoever knows its secret can forge proofs for every circuit made with it. Effects: reads the file.
 */
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { pipeline } from "node:stream/promises";
import type { Digest } from "../../base/digest.ts";
import { InferiumError } from "../../base/errors.ts";

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
  const hash = createHash("sha256");
  await pipeline(createReadStream(path), hash);
  const got = `sha256:${hash.digest("hex")}`;
  if (got === expected.digest) return;
  throw new InferiumError(
    "UnknownPowersOfTau",
    `The powers of tau at ${path} are ${got}, expected ${expected.digest} (${expected.name}). Fetch them again: .ci/powers-of-tau.`,
  );
}
