/**
 * A line of a watch, framed once as a chunk of a chunked HTTP body (RFC 9112, section 7.1) for all who get it: framing is
 * otherwise done for each answer, and costs more there than the line. Pure.
 */
export interface EventLine {
  /** Length in hexadecimal, line and the ends of both, as they go over a connection. */
  readonly framed: Buffer;
  /** Newline included. */
  readonly line: Buffer;
}

export function eventLine(text: string): EventLine {
  const bytes = Buffer.byteLength(text);
  const size = `${bytes.toString(16)}\r\n`;
  const framed = Buffer.from(`${size}${text}\r\n`);
  return { framed, line: framed.subarray(size.length, size.length + bytes) };
}
