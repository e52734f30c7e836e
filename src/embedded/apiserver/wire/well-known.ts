/** Messages whose JSON form is not that of their fields: times, quantities, int-or-string, raw JSON. Pure. */
import { ProtobufError, ProtobufReader } from "./protobuf-reader.ts";

type Reader = (bytes: Buffer) => unknown;

const readers: Readonly<Record<string, Reader>> = {
  Time: (bytes) => formatTimestamp(bytes, 0),
  MicroTime: (bytes) => formatTimestamp(bytes, 6),
  Duration: (bytes) => `${readNumbers(bytes)[1] / 1e9}s`,
  Quantity: (bytes) => readText(bytes, 1),
  IntOrString: readIntOrString,
  RawJson: (bytes) => parseJson(readText(bytes, 1)),
  StringList: readStrings,
};

/** Undefined for a type that is read field by field. */
export function readWellKnown(type: string, bytes: () => Buffer): { value: unknown } | undefined {
  const read = readers[type];
  return read === undefined ? undefined : { value: read(bytes()) };
}

/** Varint fields by number; field 1 is 0 when absent. */
function readNumbers(bytes: Buffer): Record<number, number> & { 1: number } {
  const reader = new ProtobufReader(bytes);
  const result: Record<number, number> & { 1: number } = { 1: 0 };
  while (!reader.done) {
    const { number, wireType } = reader.tag();
    if (wireType === 0) result[number] = reader.varint(wireType);
    else reader.skip(wireType);
  }
  return result;
}

function readStrings(bytes: Buffer): string[] {
  const reader = new ProtobufReader(bytes);
  const result: string[] = [];
  while (!reader.done) {
    const { number, wireType } = reader.tag();
    if (number === 1) result.push(reader.bytes(wireType).toString("utf8"));
    else reader.skip(wireType);
  }
  return result;
}

function readText(bytes: Buffer, wanted: number): string {
  const reader = new ProtobufReader(bytes);
  let text = "";
  while (!reader.done) {
    const { number, wireType } = reader.tag();
    if (number === wanted && wireType === 2) text = reader.bytes(wireType).toString("utf8");
    else reader.skip(wireType);
  }
  return text;
}

const zeroTimeSeconds = -62_135_596_800;

/** An empty message is Go's zero time, which JSON has as null. */
function formatTimestamp(bytes: Buffer, digits: number): string | null {
  if (bytes.length === 0) return null;
  const numbers = readNumbers(bytes);
  if (numbers[1] === zeroTimeSeconds) return null;
  const whole = new Date(numbers[1] * 1000).toISOString().slice(0, 19);
  if (digits === 0) return `${whole}Z`;
  return `${whole}.${String(numbers[2] ?? 0)
    .padStart(9, "0")
    .slice(0, digits)}Z`;
}

function readIntOrString(bytes: Buffer): number | string {
  const numbers = readNumbers(bytes);
  return numbers[1] === 1 ? readText(bytes, 3) : (numbers[2] ?? 0);
}

function parseJson(text: string): unknown {
  if (text === "") return null;
  try {
    return JSON.parse(text);
  } catch {
    throw new ProtobufError("raw JSON inside of the message cannot be parsed");
  }
}
