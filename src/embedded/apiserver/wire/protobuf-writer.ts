/** Writes protobuf messages of strings and messages, which is all that the OpenAPI document needs. Pure. */
export type WireField = readonly [number: number, content: string | Buffer];

const bytesType = 2;

/** The fields in order; a repeated field is given once per value. */
export function protobufMessage(...fields: readonly WireField[]): Buffer {
  return Buffer.concat(fields.flatMap(([number, content]) => encodeField(number, content)));
}

function encodeField(number: number, content: string | Buffer): Buffer[] {
  const bytes = typeof content === "string" ? Buffer.from(content) : content;
  return [varint(number * 8 + bytesType), varint(bytes.length), bytes];
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  while (rest >= 0x80) {
    bytes.push((rest % 0x80) + 0x80);
    rest = Math.floor(rest / 0x80);
  }
  return Buffer.from([...bytes, rest]);
}
