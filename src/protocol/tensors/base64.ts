/** Base64 (RFC 4648, padded) that refuses what decoders usually forgive: one value must have one spelling. */
import { InferiumError } from "../../base/errors.ts";

export function encodeBase64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("base64");
}

/** @throws InferiumError WrongByteLength, InvalidBase64 */
export function decodeBase64(text: string, wantBytes: number, where: string): Uint8Array {
  const wantLength = Math.ceil(wantBytes / 3) * 4;
  if (text.length !== wantLength) {
    const message = `${where} has ${text.length} characters of base64; ${wantBytes} bytes need ${wantLength}.`;
    throw new InferiumError("WrongByteLength", message);
  }
  const decoded = Buffer.from(text, "base64");
  if (decoded.byteLength !== wantBytes || decoded.toString("base64") !== text) {
    throw new InferiumError(
      "InvalidBase64",
      `${where} has data that is not padded standard base64 of ${wantBytes} bytes.`,
    );
  }
  // Small Buffers share a pool at odd offsets; a fresh array is aligned for every element type.
  return new Uint8Array(decoded);
}
