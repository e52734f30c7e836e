/**
 * Bodies of the Open Inference Protocol v2 with the binary tensor data extension: a JSON header, then the binary tensors in
 * the order in which the header names them. Without binary tensors the whole body is the header. Pure.
 */
import { InferiumError } from "../../base/errors.ts";

export interface SplitBody {
  readonly header: Readonly<Record<string, unknown>>;
  readonly binary: Uint8Array;
}

/** @param headerLength of the header Inference-Header-Content-Length @throws InferiumError InvalidInput */
export function splitBody(body: Buffer, headerLength: string | undefined): SplitBody {
  const length = headerLength === undefined ? body.length : parseLength(headerLength, body.length);
  const header = parseJson(body.toString("utf8", 0, length));
  if (typeof header !== "object" || header === null || Array.isArray(header)) {
    throw invalid("The body is not a JSON object; see the Open Inference Protocol v2.");
  }
  return { header: header as Record<string, unknown>, binary: body.subarray(length) };
}

function parseLength(text: string, bodyLength: number): number {
  const length = /^[0-9]{1,10}$/.test(text) ? Number(text) : Number.NaN;
  // Zero would mean a body of nothing but one tensor, which names neither its type nor its shape.
  if (length >= 2 && length <= bodyLength) return length;
  const got = text.slice(0, 20);
  throw invalid(
    `Inference-Header-Content-Length is "${got}"; expected the length of the JSON part, 2 to ${bodyLength}.`,
  );
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new InferiumError("InvalidInput", "The body is not JSON; see the Open Inference Protocol v2.", { cause });
  }
}

export interface JoinedBody {
  readonly body: Buffer;
  /** For Inference-Header-Content-Length; undefined where all is JSON. */
  readonly headerLength: number | undefined;
}

export function joinBody(header: object, binary: readonly Uint8Array[]): JoinedBody {
  const json = Buffer.from(JSON.stringify(header), "utf8");
  if (binary.length === 0) return { body: json, headerLength: undefined };
  return { body: Buffer.concat([json, ...binary]), headerLength: json.length };
}

function invalid(message: string): InferiumError {
  return new InferiumError("InvalidInput", message);
}
