/** The hash of a batch header: its EIP-712 digest, which validators sign and the next header names. Pure. */
import { type BatchHeaderMessage, batchHeaderTypes, hashMessage, type ProtocolDomain } from "../protocol/typed-data.ts";

export function hashHeader(domain: ProtocolDomain, header: BatchHeaderMessage): string {
  return hashMessage(domain, batchHeaderTypes, header);
}
