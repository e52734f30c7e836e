/**
 * Signatures over 32-byte digests with libsecp256k1 (as WebAssembly) rather than ethers' JavaScript curve: recovering is
 * what a pool with many members spends its time on (`npm run bench -- signatures` has the ratio). ethers still decides what
 * is a signature: lengths, and s in the lower half. Signing is deterministic (RFC 6979), so both give the same bytes. Pure.
 */
import { type BytesLike, getBytes, hexlify, Signature } from "ethers";
import { isPrivate, pointFromScalar, type RecoveryIdType, recover, signRecoverable } from "tiny-secp256k1";
import { keccak256 } from "../base/keccak.ts";
import { checksumAddress } from "./checksum-address.ts";

/** The checksummed address that signed the digest, or undefined where these bytes are no signature of anybody. */
export function recoverAddress(digest: string, signature: string): string | undefined {
  try {
    const { r, s, yParity } = Signature.from(signature);
    const publicKey = recover(getBytes(digest), getBytes(`${r}${s.slice(2)}`), yParity as RecoveryIdType, false);
    return publicKey === null ? undefined : addressOf(publicKey);
  } catch {
    // Both throw for bytes that are no signature at all; for the caller that is the same as a wrong signer.
    return undefined;
  }
}

/** 64 bytes (EIP-2098), 0x-hex. @param privateKey one that `computeAddress` takes */
export function signDigest(privateKey: Uint8Array, digest: BytesLike): string {
  const { signature, recoveryId } = signRecoverable(getBytes(digest), privateKey);
  const r = hexlify(signature.subarray(0, 32));
  const s = hexlify(signature.subarray(32));
  return Signature.from({ r, s, yParity: recoveryId === 1 ? 1 : 0 }).compactSerialized;
}

/** Checksummed; undefined where the bytes are no private key of secp256k1. */
export function computeAddress(privateKey: Uint8Array): string | undefined {
  if (!isPrivate(privateKey)) return undefined;
  const publicKey = pointFromScalar(privateKey, false);
  return publicKey === null ? undefined : addressOf(publicKey);
}

/** Uncompressed, 0x-hex; undefined where the bytes are no private key of secp256k1. */
export function computePublicKey(privateKey: Uint8Array): string | undefined {
  if (!isPrivate(privateKey)) return undefined;
  const publicKey = pointFromScalar(privateKey, false);
  return publicKey === null ? undefined : hexlify(publicKey);
}

/** @param publicKey 65 bytes, uncompressed */
function addressOf(publicKey: Uint8Array): string {
  return checksumAddress(`0x${keccak256(publicKey.subarray(1)).slice(-40)}`);
}
