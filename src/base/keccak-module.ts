/**
 * Keccak-f[1600] as a WebAssembly module of about a kilobyte, put
 * together from FIPS 202's own description: a processor with 64-bit lanes does in a twentieth of the time what JavaScript does
 * with 32-bit halves. Pure; instantiated by keccak.ts.
 */

/** Bytes of input in one block. */
export const blockBytes = 136;
/** Where the first block of the input begins; the digest is found at 0. */
export const inputAt = 256;
/** Of memory, which the module has one of and whoever uses it adds to. */
export const pageBytes = 65_536;

const constantsAt = 32;
const roundCount = 24;
const blockLanes = blockBytes / 8;
const digestLanes = 4;

const op = {
  loop: [0x03, 0x40],
  end: 0x0b,
  repeatIf: [0x0d, 0],
  i32: { add: 0x6a, sub: 0x6b, isBelow: 0x49 },
  i64: { and: 0x83, xor: 0x85, rotl: 0x89 },
  type: { i32: 0x7f, i64: 0x7e, none: 0x40, func: 0x60 },
} as const;

/** Local variables: the parameter, two addresses, then lanes. */
const blocksLeft = 0;
const blockAt = 1;
const constantAt = 2;
const lane = (x: number, y: number) => 3 + x + 5 * y;
const moved = (x: number, y: number) => 28 + x + 5 * y;
const column = (x: number) => 53 + (x % 5);
const effect = (x: number) => 58 + x;
const laneCount = 60;

const five = [0, 1, 2, 3, 4] as const;

/** Exports memory `m` and function `f(blocks)`, which hashes that many padded blocks. */
export function buildKeccakModule(): Uint8Array<ArrayBuffer> {
  const body = [...vector([locals(2, op.type.i32), locals(laneCount, op.type.i64)]), ...hashBlocks(), op.end];
  const constants = computeRoundConstants().flatMap(littleEndian);
  return Uint8Array.from([
    ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, [[op.type.func, ...vector([[op.type.i32]]), 0]]),
    ...section(3, [[0]]),
    ...section(5, [[0, 1]]),
    ...section(7, [
      [...name("m"), 2, 0],
      [...name("f"), 0, 0],
    ]),
    ...section(10, [[...unsigned(body.length), ...body]]),
    ...section(11, [[0, ...i32(constantsAt), op.end, ...unsigned(constants.length), ...constants]]),
  ]);
}

function hashBlocks(): number[] {
  const absorb = Array.from({ length: blockLanes }, (_, i) => [
    ...[...get(3 + i), ...get(blockAt), ...load(8 * i), op.i64.xor, ...set(3 + i)],
  ]);
  const squeeze = Array.from({ length: digestLanes }, (_, i) => [...i32(0), ...get(3 + i), ...store(8 * i)]);
  return [
    ...[...i32(inputAt), ...set(blockAt), ...op.loop, ...absorb.flat(), ...permute()],
    ...[...get(blockAt), ...i32(blockBytes), op.i32.add, ...set(blockAt)],
    ...[...get(blocksLeft), ...i32(1), op.i32.sub, ...tee(blocksLeft), ...op.repeatIf, op.end],
    ...squeeze.flat(),
  ];
}

function permute(): number[] {
  const end = constantsAt + 8 * roundCount;
  return [
    ...[...i32(constantsAt), ...set(constantAt), ...op.loop, ...theta(), ...rhoAndPi(), ...chiAndIota()],
    ...[...get(constantAt), ...i32(8), op.i32.add, ...tee(constantAt), ...i32(end), op.i32.isBelow],
    ...[...op.repeatIf, op.end],
  ];
}

function theta(): number[] {
  const parities = five.map((x) => {
    const others = five.slice(1).flatMap((y) => [...get(lane(x, y)), op.i64.xor]);
    return [...get(lane(x, 0)), ...others, ...set(column(x))];
  });
  const effects = five.map((x) => [
    ...[...get(column(x + 4)), ...get(column(x + 1)), ...rotate(1), op.i64.xor, ...set(effect(x))],
  ]);
  return [...parities, ...effects].flat();
}

function rhoAndPi(): number[] {
  const offsets = computeOffsets();
  return five.flatMap((x) =>
    five.flatMap((y) => [
      ...[...get(lane(x, y)), ...get(effect(x)), op.i64.xor, ...rotate(offsets.get(lane(x, y)) ?? 0)],
      ...set(moved(y, (2 * x + 3 * y) % 5)),
    ]),
  );
}

function chiAndIota(): number[] {
  return five.flatMap((y) =>
    five.flatMap((x) => [
      ...[...get(moved(x, y)), ...get(moved((x + 1) % 5, y)), ...i64(-1n), op.i64.xor],
      ...[...get(moved((x + 2) % 5, y)), op.i64.and, op.i64.xor],
      ...(x + y === 0 ? [...get(constantAt), ...load(0), op.i64.xor] : []),
      ...set(lane(x, y)),
    ]),
  );
}

function computeOffsets(): Map<number, number> {
  const offsets = new Map<number, number>();
  let [x, y] = [1, 0];
  for (let t = 0; t < 24; t++) {
    offsets.set(lane(x, y), (((t + 1) * (t + 2)) / 2) % 64);
    [x, y] = [y, (2 * x + 3 * y) % 5];
  }
  return offsets;
}

function computeRoundConstants(): bigint[] {
  let register = 1n;
  return Array.from({ length: roundCount }, () => {
    let constant = 0n;
    for (let bit = 0n; bit < 7n; bit++) {
      register = ((register << 1n) ^ ((register >> 7n) * 0x71n)) & 0xffn;
      if (register & 2n) constant ^= 1n << ((1n << bit) - 1n);
    }
    return constant;
  });
}

const get = (local: number) => [0x20, ...unsigned(local)];
const set = (local: number) => [0x21, ...unsigned(local)];
const tee = (local: number) => [0x22, ...unsigned(local)];
const load = (offset: number) => [0x29, 3, ...unsigned(offset)];
const store = (offset: number) => [0x37, 3, ...unsigned(offset)];
const i32 = (value: number) => [0x41, ...signed(BigInt(value))];
const i64 = (value: bigint) => [0x42, ...signed(value)];
const rotate = (bits: number) => (bits === 0 ? [] : [...i64(BigInt(bits)), op.i64.rotl]);
const locals = (count: number, type: number) => [...unsigned(count), type];
const name = (text: string) => [...unsigned(text.length), ...Buffer.from(text)];
const vector = (parts: readonly (readonly number[])[]) => [...unsigned(parts.length), ...parts.flat()];
const section = (id: number, parts: readonly (readonly number[])[]) => {
  const body = vector(parts);
  return [id, ...unsigned(body.length), ...body];
};

/** LEB128. */
function unsigned(value: number): number[] {
  return value < 128 ? [value] : [(value & 127) | 128, ...unsigned(value >>> 7)];
}

function signed(value: bigint): number[] {
  const low = Number(value & 127n);
  const rest = value >> 7n;
  const isLast = (low & 64) === 0 ? rest === 0n : rest === -1n;
  return isLast ? [low] : [low | 128, ...signed(rest)];
}

function littleEndian(value: bigint): number[] {
  return Array.from({ length: 8 }, (_, i) => Number((value >> BigInt(8 * i)) & 255n));
}
