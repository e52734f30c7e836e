/**
 * The attestation report of an NVIDIA GPU in confidential-computing mode: an SPDM GET_MEASUREMENTS request (37 bytes) and the
 * response to it, as NVIDIA's tools hand them out. Layout from DMTF's DSP0274 (SPDM 1.1) and NVIDIA's description of the opaque
 * fields. Reads bytes only, and trusts none of them. Pure.
 */
import { InferiumError } from "../../base/errors.ts";

export interface GpuReport {
  /** 32 bytes that whoever asked for the report has chosen. */
  readonly nonce: Uint8Array;
  readonly driverVersion: string | undefined;
  readonly vbiosVersion: string | undefined;
  /** Measured values by index. */
  readonly measurements: ReadonlyMap<number, Uint8Array>;
  /** What the signature is over. */
  readonly signed: Uint8Array;
  /** ECDSA P-384, r and s. */
  readonly signature: Uint8Array;
}

const requestLength = 37;
const nonceLength = 32;
const signatureLength = 96;
const getMeasurements = 0xe0;
const measurements = 0x60;
const driverVersionField = 3;
const vbiosVersionField = 6;

/** @throws InferiumError InvalidEvidence */
export function parseGpuReport(bytes: Uint8Array): GpuReport {
  const reader = new Reader(bytes);
  reader.skip(1);
  if (reader.whole(1) !== getMeasurements) throw invalid("it does not begin with a GET_MEASUREMENTS request");
  reader.skip(2);
  const nonce = reader.take(nonceLength);
  reader.skip(requestLength - 4 - nonceLength + 1);
  if (reader.whole(1) !== measurements) throw invalid("its response is not MEASUREMENTS");
  reader.skip(2);
  const blocks = reader.whole(1);
  const record = new Reader(reader.take(reader.whole(3)));
  reader.skip(nonceLength);
  const opaque = readOpaque(new Reader(reader.take(reader.whole(2))));
  const signature = reader.take(signatureLength);
  if (!reader.isAtEnd) throw invalid("bytes follow its signature");
  return {
    nonce,
    driverVersion: readText(opaque.get(driverVersionField)),
    vbiosVersion: opaque.get(vbiosVersionField) && Buffer.from(opaque.get(vbiosVersionField) ?? []).toString("hex"),
    measurements: readMeasurements(record, blocks),
    signed: bytes.subarray(0, bytes.length - signatureLength),
    signature,
  };
}

function readMeasurements(record: Reader, blocks: number): Map<number, Uint8Array> {
  const values = new Map<number, Uint8Array>();
  for (let block = 0; block < blocks; block++) {
    const index = record.whole(1);
    record.skip(1);
    const value = new Reader(record.take(record.whole(2)));
    value.skip(1);
    values.set(index, value.take(value.whole(2)));
  }
  return values;
}

function readOpaque(opaque: Reader): Map<number, Uint8Array> {
  const fields = new Map<number, Uint8Array>();
  while (!opaque.isAtEnd) {
    const type = opaque.whole(2);
    fields.set(type, opaque.take(opaque.whole(2)));
  }
  return fields;
}

function readText(bytes: Uint8Array | undefined): string | undefined {
  const text = bytes && Buffer.from(bytes).toString("latin1").replaceAll("\0", "");
  return text !== undefined && /^[\x20-\x7e]{1,64}$/.test(text) ? text : undefined;
}

/** Little-endian numbers and runs of bytes, never beyond the end. */
class Reader {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get isAtEnd(): boolean {
    return this.#at === this.#bytes.length;
  }

  take(length: number): Uint8Array {
    if (this.#at + length > this.#bytes.length) throw invalid(`it ends after ${this.#bytes.length} bytes`);
    this.#at += length;
    return this.#bytes.subarray(this.#at - length, this.#at);
  }

  skip(length: number): void {
    this.take(length);
  }

  whole(length: number): number {
    return this.take(length).reduceRight((value, byte) => value * 256 + byte, 0);
  }
}

function invalid(problem: string): InferiumError {
  return new InferiumError("InvalidEvidence", `The report of a GPU cannot be read: ${problem}.`);
}
