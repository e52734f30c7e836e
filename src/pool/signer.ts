/** Who signs. The key stays inside; all signatures come in the one form that the contracts take. */
import { getBytes, Signature, Wallet } from "ethers";
import { InferiumError } from "../base/errors.ts";
import { buildDomain, type MessageTypes, type ProtocolDomain } from "../protocol/typed-data.ts";

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
  const wallet = parseKey(privateKey);
  return {
    address: wallet.address,
    signTypedData: async (domain, types, message) => {
      const signature = await wallet.signTypedData(buildDomain(domain), types, { ...message });
      return Signature.from(signature).compactSerialized;
    },
  };
}

/** ethers puts what it cannot parse into its message, so its error is not kept as the cause. */
function parseKey(privateKey: string): Wallet {
  try {
    const hex = privateKey.startsWith("0x") ? privateKey : `0x${privateKey}`;
    if (getBytes(hex).length === 32) return new Wallet(hex);
  } catch {
    throw invalidKey();
  }
  throw invalidKey();
}

function invalidKey(): InferiumError {
  const message = "The key is not a secp256k1 private key; expected 32 bytes in hex, not zero and below the order.";
  return new InferiumError("InvalidKey", message, { disposition: "fatal" });
}
