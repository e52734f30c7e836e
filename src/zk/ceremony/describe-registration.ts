/** What ModelRegistry is told of a circuit with its keys. Called by whoever registers one. Pure. */
import { digestToBytes32 } from "../../base/digest.ts";
import type { CircuitRecord } from "../proving/circuit-record.ts";
import { verifyingKeyWords } from "../proving/groth16.ts";
import { digestCeremonyRecord } from "./verify-ceremony.ts";

/** Digests as 0x-hex of 32 bytes; the shape is CircuitRegistration's of src/chain/registered-circuit.ts. */
export function describeRegistration(record: CircuitRecord) {
  const { modelDigest, rows, r1csDigest, verifyingKey, ceremony } = record;
  return {
    modelDigest: digestToBytes32(modelDigest),
    rows,
    r1csDigest: digestToBytes32(r1csDigest),
    powersOfTau: digestToBytes32(ceremony.powersOfTau),
    ceremonyDigest: digestToBytes32(digestCeremonyRecord(ceremony)),
    isDevelopment: ceremony.isDevelopment,
    keyWords: verifyingKeyWords(verifyingKey),
  };
}
