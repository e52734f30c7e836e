/** Bytes that were good, changed in a few places: flips, cuts, repeats, splices and numbers at their limits. */
import type { SeededRandom } from "../chaos/random.ts";

const edges = [0, 1, 0x7f, 0x80, 0xff] as const;

export function mutateBytes(bytes: Uint8Array, random: SeededRandom, most = 8): Uint8Array {
  let current = Uint8Array.from(bytes);
  for (let left = random.between(1, most); left > 0; left--) current = mutateOnce(current, random);
  return current;
}

function mutateOnce(bytes: Uint8Array<ArrayBuffer>, random: SeededRandom): Uint8Array<ArrayBuffer> {
  const at = random.between(0, Math.max(0, bytes.length - 1));
  const length = random.between(1, Math.max(1, Math.min(64, bytes.length - at)));
  return random.pick<() => Uint8Array<ArrayBuffer>>([
    () => change(bytes, at, (byte) => byte ^ (1 << random.between(0, 7))),
    () => change(bytes, at, () => random.pick(edges)),
    () => change(bytes, at, () => random.between(0, 255)),
    () => bytes.slice(0, at),
    () => splice(bytes, at, length, new Uint8Array()),
    () => splice(bytes, at, 0, bytes.slice(at, at + length)),
    () =>
      splice(
        bytes,
        at,
        0,
        Uint8Array.from({ length }, () => random.between(0, 255)),
      ),
    // A varint or a length of all ones.
    () => splice(bytes, at, Math.min(9, bytes.length - at), Uint8Array.from([...Array(9).fill(0xff), 0x7f])),
    () => {
      const other = random.between(0, Math.max(0, bytes.length - length));
      return splice(bytes, at, length, bytes.slice(other, other + length));
    },
  ])();
}

function change(bytes: Uint8Array<ArrayBuffer>, at: number, to: (byte: number) => number): Uint8Array<ArrayBuffer> {
  const changed = bytes.slice();
  if (at < changed.length) changed[at] = to(changed[at] ?? 0);
  return changed;
}

function splice(bytes: Uint8Array, at: number, remove: number, insert: Uint8Array): Uint8Array<ArrayBuffer> {
  const spliced = new Uint8Array(bytes.length - Math.min(remove, bytes.length - at) + insert.length);
  spliced.set(bytes.subarray(0, at));
  spliced.set(insert, at);
  spliced.set(bytes.subarray(at + remove), at + insert.length);
  return spliced;
}

/** Text as people write it, changed in its numbers and words as well as in its bytes. */
export function mutateText(text: string, random: SeededRandom): string {
  const numbers = [
    "-1",
    "0",
    "18446744073709551615",
    "9223372036854775808",
    "1e999",
    "NaN",
    "0x10",
    "",
    "N/A",
    "١٢",
  ] as const;
  let current = text;
  for (let left = random.between(1, 4); left > 0; left--) {
    const places = [...current.matchAll(/\d+(\.\d+)?/g)];
    const place = places[random.between(0, Math.max(0, places.length - 1))];
    if (place === undefined || random.next() < 0.3) {
      current = Buffer.from(mutateBytes(Buffer.from(current), random, 2)).toString("utf8");
      continue;
    }
    current = current.slice(0, place.index) + random.pick(numbers) + current.slice(place.index + place[0].length);
  }
  return current;
}
