import { expect, test } from "vitest";
import { encodeCalls, encodeWindow, readWindow } from "../../../../src/gateway/spool/spool-record.ts";
import { aCall, aFailedCall, anOpenWindow, aWindow } from "./a-call.ts";

const calls = [aCall(1), aFailedCall(), aCall(2)];
const whole = Buffer.concat([encodeWindow(aWindow), encodeCalls(calls.slice(0, 2)), encodeCalls(calls.slice(2))]);

test("a window is read as it was written, and closes with the root that it would have had", () => {
  const read = readWindow(whole);
  expect(read).toMatchObject({ window: aWindow, tornBytes: 0 });
  const closed = [calls, read?.calls ?? []].map((all) => anOpenWindow(all).close());
  const [before, after] = closed.map(({ window, open }) => ({ window, opened: [0, 1, 2].map(open) }));
  expect(after).toEqual(before);
  expect(read?.calls.map(({ sizeBytes }) => sizeBytes)).toEqual(calls.map(({ sizeBytes }) => sizeBytes));
});

test("wherever the writing stopped, the calls before it are there and no other", () => {
  const lengths = [encodeWindow(aWindow), encodeCalls(calls.slice(0, 2)), encodeCalls(calls.slice(2))].map(
    ({ length }) => length,
  );
  const ends = lengths.map((_, at) => lengths.slice(0, at + 1).reduce((sum, length) => sum + length));
  for (let length = 0; length <= whole.length; length++) {
    const read = readWindow(whole.subarray(0, length));
    const records = ends.filter((end) => end <= length).length;
    expect(read?.calls.length).toBe([undefined, 0, 2, 3][records]);
    if (read) expect(read.tornBytes).toBe(length - (ends[records - 1] ?? 0));
  }
});

test("a byte that was changed ends the window before it", () => {
  const firstCall = encodeWindow(aWindow).length;
  for (let at = firstCall; at < whole.length; at++) {
    const bytes = Buffer.from(whole);
    bytes[at] = (bytes[at] ?? 0) ^ 0x40;
    expect(readWindow(bytes)?.calls.length).toBeLessThan(calls.length);
  }
});

test("a file of another version is refused by name", () => {
  const other = encodeWindow(aWindow).toString("latin1").replace('"version":1', '"version":7');
  const bytes = Buffer.from(other, "latin1");
  // Written by another gateway, it has its own sum.
  bytes.writeUInt32LE(crcOf(bytes.subarray(8)), 4);
  expect(() => readWindow(bytes)).toThrow(/version 7 of the spool; this gateway reads version 1/);
});

function crcOf(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return (crc ^ 0xffffffff) >>> 0;
}
