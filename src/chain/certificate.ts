/** Certificates as ValidatorSets checks them: a bitmap over the ascending set, and EIP-2098 signatures in that order. */
import { concat, getAddress, Signature } from "ethers";
import { InferiumError } from "../base/errors.ts";

export interface Certificate {
  /** Bit i: the i-th validator of the epoch, in ascending order, signed. */
  readonly bitmap: bigint;
  /** 64 bytes for each set bit, 0x-hex. */
  readonly signatures: string;
}

/** Checksummed, ascending by value: the order of every validator set on the chain. */
export function sortAddresses(addresses: readonly string[]): string[] {
  return addresses.map((address) => getAddress(address)).sort(compareAddresses);
}

export function compareAddresses(a: string, b: string): number {
  return a.toLowerCase() < b.toLowerCase() ? -1 : 1;
}

/** floor(2n/3) + 1. */
export function computeQuorum(validatorCount: number): number {
  return Math.floor((2 * validatorCount) / 3) + 1;
}

/** Any common form of an ECDSA signature, as the 64 bytes that the contracts take. */
export function compactSignature(signature: string): string {
  return Signature.from(signature).compactSerialized;
}

/**
 * @param validators the epoch's set
 * @param signatures by checksummed address of the signer
 * @throws InferiumError UnknownSigner, QuorumNotReached
 */
export function buildCertificate(validators: readonly string[], signatures: ReadonlyMap<string, string>): Certificate {
  const set = sortAddresses(validators);
  const unknown = [...signatures.keys()].find((address) => !set.includes(address));
  if (unknown !== undefined) {
    throw new InferiumError(
      "UnknownSigner",
      `${unknown} signed the batch but is not among the epoch's ${set.length} validators.`,
    );
  }
  const quorum = computeQuorum(set.length);
  if (signatures.size < quorum) {
    throw new InferiumError(
      "QuorumNotReached",
      `${signatures.size} of ${set.length} validators signed the batch; ${quorum} are needed.`,
      {
        disposition: "retry",
      },
    );
  }
  return collectSignatures(set, signatures);
}

function collectSignatures(set: readonly string[], signatures: ReadonlyMap<string, string>): Certificate {
  let bitmap = 0n;
  const parts: string[] = [];
  for (const [index, validator] of set.entries()) {
    const signature = signatures.get(validator);
    if (signature === undefined) continue;
    bitmap |= 1n << BigInt(index);
    parts.push(compactSignature(signature));
  }
  return { bitmap, signatures: concat(parts) };
}
