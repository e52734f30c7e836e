/** Who signs. The key stays inside; all signatures come in the one form that the contracts take. */
import { getBytes } from "ethers";
import { InferiumError } from "../base/errors.ts";
import { computeAddress, signDigest } from "../protocol/signature.ts";
import { hashMessage, type MessageTypes, type ProtocolDomain } from "../protocol/typed-data.ts";

export interface ProtocolSigner {
  /** Checksummed. */
  readonly address: string;
  /** EIP-712 signature of 64 bytes (EIP-2098), 0x-hex. */
  signTypedData(domain: ProtocolDomain, types: MessageTypes, message: object): Promise<string>;
}

/**
 * @param privateKey 32 bytes in hex
 * @throws InferiumError InvalidKey; never with the key in it
 */
export function createSigner(privateKey: string): ProtocolSigner {
  const { key, address } = parseKey(privateKey);
  return {
    address,
    signTypedData: async (domain, types, message) => signDigest(key, hashMessage(domain, types, message)),
  };
}

/** ethers puts what it cannot parse into its message, so its error is not kept as the cause. */
function parseKey(privateKey: string): { key: Uint8Array; address: string } {
  try {
    const key = getBytes(privateKey.startsWith("0x") ? privateKey : `0x${privateKey}`);
    const address = computeAddress(key);
    if (address !== undefined) return { key, address };
  } catch {
    throw invalidKey();
  }
  throw invalidKey();
}

function invalidKey(): InferiumError {
  const message = "The key is not a secp256k1 private key; expected 32 bytes in hex, not zero and below the order.";
  return new InferiumError("InvalidKey", message, { disposition: "fatal" });
}
