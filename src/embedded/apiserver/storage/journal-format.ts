/**
 * How the journal lies in its file: batches, each a header line `B SEQUENCE BYTES CRC32` and that many bytes of records,
 * one JSON array a line. A batch is what one fsync made durable, so it counts as a whole or not at all. Pure.
 */
import { crc32 } from "node:zlib";
import { InferiumError } from "../../../base/errors.ts";

export const formatVersion = 1;

/** `put` and `delete` are writes; `revision` is the highest one in a compacted file; a `note` is the server's own. */
export type JournalRecord =
  | readonly ["format", number]
  | readonly ["put", revision: number, resource: string, key: string, object: unknown]
  | readonly ["delete", revision: number, resource: string, key: string]
  | readonly ["revision", number]
  | readonly ["note", name: string, value: unknown];

export function encodeRecord(record: JournalRecord): string {
  return JSON.stringify(record);
}

/** @param lines encoded records */
export function encodeBatch(sequence: number, lines: readonly string[]): Buffer {
  const payload = Buffer.from(`${lines.join("\n")}\n`);
  return Buffer.concat([Buffer.from(`B ${sequence} ${payload.length} ${checksum(payload)}\n`), payload]);
}

export interface DecodedJournal {
  readonly records: readonly JournalRecord[];
  readonly nextSequence: number;
  /** What follows this offset is the torn end of a write that nobody was told had succeeded. */
  readonly validBytes: number;
}

/** @throws InferiumError DataDamaged when an intact batch follows a broken one: that is no torn end but lost data */
export function decodeJournal(file: Buffer, path: string): DecodedJournal {
  const records: JournalRecord[] = [];
  let offset = 0;
  let sequence = 1;
  for (;;) {
    const batch = readBatch(file, offset);
    if (batch === undefined || batch.sequence !== sequence) break;
    decodeRecords(file, batch, records);
    offset = batch.end;
    sequence += 1;
  }
  checkTail(file, offset, { sequence, path });
  checkFormat(file, records[0], path);
  return { records, nextSequence: sequence, validBytes: offset };
}

interface Batch {
  readonly sequence: number;
  readonly start: number;
  readonly end: number;
}

const maxHeaderBytes = 64;
const newline = 10;

function readBatch(file: Buffer, offset: number): Batch | undefined {
  const line = file.subarray(offset, offset + maxHeaderBytes).toString("latin1");
  const [header, sequence, length, wanted] = /^B (\d+) (\d+) ([0-9a-f]{8})\n/.exec(line) ?? [];
  if (header === undefined) return undefined;
  const start = offset + header.length;
  const end = start + Number(length);
  if (end > file.length || checksum(file.subarray(start, end)) !== wanted) return undefined;
  return { sequence: Number(sequence), start, end };
}

function decodeRecords(file: Buffer, batch: Batch, records: JournalRecord[]): void {
  let start = batch.start;
  while (start < batch.end) {
    const end = file.indexOf(newline, start);
    records.push(JSON.parse(file.toString("utf8", start, end)) as JournalRecord);
    start = end + 1;
  }
}

/** A batch is written only after the one before it is durable; so only the very last one may be broken. */
function checkTail(file: Buffer, offset: number, at: { sequence: number; path: string }): void {
  let next = file.indexOf("\nB ", offset);
  for (; next !== -1; next = file.indexOf("\nB ", next + 1)) {
    const batch = readBatch(file, next + 1);
    if (batch !== undefined && batch.sequence > at.sequence) throw damaged(offset, at);
  }
}

function damaged(offset: number, at: { sequence: number; path: string }): InferiumError {
  return new InferiumError(
    "DataDamaged",
    `${at.path} is damaged at byte ${offset}: batch ${at.sequence} cannot be read, but later ones can. Restore the file from a copy, or start with another data directory.`,
    { disposition: "fatal", evidence: { path: at.path, offset } },
  );
}

/** A journal whose very first batch is torn begins like one, or with the zeros of a file that grew before it was written. */
function checkFormat(file: Buffer, first: JournalRecord | undefined, path: string): void {
  const known = first === undefined ? /^(B|\0|$)/.test(file.toString("latin1", 0, 1)) : isKnown(first);
  if (known) return;
  const begin = JSON.stringify(first ?? file.toString("latin1", 0, 20)).slice(0, 100);
  throw new InferiumError(
    "DataFormatUnknown",
    `${path} begins with ${begin}, not with format ${formatVersion}, which this version reads. Use the version that wrote it, or another data directory.`,
    { disposition: "fatal", evidence: { path } },
  );
}

const isKnown = (first: JournalRecord) => first[0] === "format" && first[1] === formatVersion;

function checksum(bytes: Uint8Array): string {
  return crc32(bytes).toString(16).padStart(8, "0");
}
