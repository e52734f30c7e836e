/** How input bytes become field elements for the commitment: 31 to an element, the first lowest. Pure. */

/** 31 bytes are 248 bits, below the prime's 253. */
export const bytesPerElement = 31;

/** What is hashed: the salt, then the packed bytes. */
export function packInput(salt: bigint, bytes: Uint8Array): bigint[] {
  const elements = [salt];
  for (let start = 0; start < bytes.length; start += bytesPerElement) {
    const part = bytes.subarray(start, start + bytesPerElement);
    elements.push(part.reduceRight((sum, byte) => (sum << 8n) | BigInt(byte), 0n));
  }
  return elements;
}
