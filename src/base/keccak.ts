/**
 * Keccak-256, as the chain hashes. Receipts, leaves and trees are hashed several times for each task by each who checks them, so
 * this is WebAssembly (hash-wasm), which takes a tenth of the time that ethers does. Pure.
 */
import { createKeccak } from "hash-wasm";

const hasher = await createKeccak(256);

/** @param length of what is hashed, from the beginning. @returns 0x-hex of 32 bytes */
export function keccak256(data: Uint8Array, length = data.length): string {
  return digestOf(length === data.length ? data : data.subarray(0, length));
}

/** Of its UTF-8. */
export function keccakText(text: string): string {
  return digestOf(text);
}

function digestOf(data: Uint8Array | string): string {
  return `0x${hasher.init().update(data).digest("hex")}`;
}
