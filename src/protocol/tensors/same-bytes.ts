/** Byte equality at native speed: outputs can be megabytes. Nothing secret is compared here. */
export function sameBytes(left: Uint8Array, right: Uint8Array): boolean {
  return Buffer.from(left.buffer, left.byteOffset, left.byteLength).equals(right);
}
