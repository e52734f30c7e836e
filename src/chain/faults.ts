/** Identities of faults, as SlashingManager computes them. Pure. */
import { AbiCoder, encodeBytes32String, keccak256 } from "ethers";
import type { ReceiptMessage } from "../protocol/typed-data.ts";

export type FaultKind = "rejected" | "missed" | "contradiction";

/** 0x-hex of 32 bytes; the `fault` of the registry's Slashed event. */
export function computeFaultId(
  kind: FaultKind,
  receipt: Pick<ReceiptMessage, "taskId" | "attempt" | "worker">,
): string {
  const encoded = AbiCoder.defaultAbiCoder().encode(
    ["bytes32", "bytes32", "uint32", "address"],
    [encodeBytes32String(kind), receipt.taskId, receipt.attempt, receipt.worker],
  );
  return keccak256(encoded);
}
