/** The first half of a vote: binds a validator to its votes before it sees anyone else's. Pure. */
import { AbiCoder, keccak256 } from "ethers";

export interface CommitmentFields {
  readonly validationId: string;
  readonly votesRoot: string;
  readonly validator: string;
  /** 32 random bytes, 0x-hex. */
  readonly salt: string;
}

/** 0x-hex of 32 bytes. */
export function computeCommitment(fields: CommitmentFields): string {
  return keccak256(
    AbiCoder.defaultAbiCoder().encode(
      ["bytes32", "bytes32", "address", "bytes32"],
      [fields.validationId, fields.votesRoot, fields.validator, fields.salt],
    ),
  );
}
