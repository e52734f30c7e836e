/** What is hashed by words is what ethers hashes, whatever form a value has; and what ethers refuses is refused. */
import { AbiCoder, concat, hexlify, keccak256, TypedDataEncoder, Wallet } from "ethers";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { hashTaskLeaf } from "../../../src/protocol/merkle.ts";
import { buildDomain, callWindowTypes, hashMessage, receiptTypes } from "../../../src/protocol/typed-data.ts";
import { chooseWord, createWordHasher, hashTwo } from "../../../src/protocol/words.ts";

const domain = { chainId: 31337, settlement: `0x${"5".repeat(40)}` };
const { address } = new Wallet(`0x${"5a".repeat(32)}`);
const wrongChecksum = address.replace(/[a-f]/, (digit) => digit.toUpperCase()).replace(/^0X/, "0x");
const hex = (size: number) => fc.uint8Array({ minLength: size, maxLength: size }).map((bytes) => hexlify(bytes));

const bitsOf = [8, 32, 64, 256];

const usual: Readonly<Record<string, fc.Arbitrary<unknown>>> = {
  bytes32: hex(32),
  bytes16: hex(16),
  address: fc.oneof(hex(20), fc.constant(address)),
  string: fc.string({ unit: "binary" }),
  ...Object.fromEntries(
    bitsOf.map((bits) => [
      `uint${bits}`,
      fc.oneof(fc.bigInt({ min: 0n, max: (1n << BigInt(bits)) - 1n }), fc.nat(Math.min(2 ** bits, 2 ** 53) - 1)),
    ]),
  ),
};

const odd: Readonly<Record<string, readonly unknown[]>> = {
  bytes32: ["", "0x", `0x${"g".repeat(64)}`, `00${"1".repeat(64)}`, `0x${"AB".repeat(32)}`, undefined, 7],
  address: [wrongChecksum, `0x${address.slice(2).toUpperCase()}`, address.slice(2), null],
  string: ["\ud800", 5, undefined],
  ...Object.fromEntries(
    bitsOf.map((bits) => [
      `uint${bits}`,
      [0, -1, -1n, 1n << BigInt(bits), 1.5, 255, 256, 2 ** 32 - 1, 2 ** 32, 2 ** 53, "12", "0x0c", "twelve", undefined],
    ]),
  ),
};

/** @param oddly how often of a hundred */
const anyOf = (type: string, oddly: number) =>
  fc.oneof(
    { weight: 100 - oddly, arbitrary: usual[type] ?? fc.nat() },
    { weight: oddly, arbitrary: fc.constantFrom(...(odd[type] ?? [undefined])) },
  );

function attempt(work: () => string): string {
  try {
    return work();
  } catch {
    return "refused";
  }
}

describe("hashMessage", () => {
  for (const types of [receiptTypes, callWindowTypes])
    test(`${Object.keys(types)[0]}: is ethers' hash, or both refuse`, () => {
      const fields = Object.values(types)[0] ?? [];
      const message = fc.record(Object.fromEntries(fields.map(({ name, type }) => [name, anyOf(type, 5)])));
      fc.assert(
        fc.property(message, (one) => {
          const expected = attempt(() => TypedDataEncoder.hash(buildDomain(domain), types, one));
          expect(attempt(() => hashMessage(domain, types, one))).toBe(expected);
        }),
        { numRuns: 100 },
      );
    });
});

describe("a word", () => {
  for (const type of Object.keys(odd).filter((one) => one !== "string"))
    test(`of ${type} is abi.encode's, or left to ethers`, () => {
      const hashValue = createWordHasher([type]);
      fc.assert(
        fc.property(anyOf(type, 50), (value) => {
          const found = hashValue([value]);
          const expected = attempt(() => keccak256(AbiCoder.defaultAbiCoder().encode([type], [value])));
          if (found !== undefined) expect(found).toBe(expected);
        }),
        { numRuns: 200 },
      );
    });

  for (const [type, value] of [
    ["bytes32", `0x${"ab".repeat(32)}`],
    ["address", address],
    ["address", address.toLowerCase()],
    ["uint8", 255],
    ["uint32", 7],
    ["uint64", 1_764_000_000_000],
    ["uint256", 10n ** 30n],
  ] as const)
    test(`${type} ${value} is written without ethers`, () => {
      expect(createWordHasher([type])([value])).toBe(keccak256(AbiCoder.defaultAbiCoder().encode([type], [value])));
    });

  test("of a type that has none is left to ethers", () => {
    expect(chooseWord("bytes16")).toBeUndefined();
    expect(createWordHasher(["bytes16"])([`0x${"1".repeat(32)}`])).toBeUndefined();
  });
});

test("two words are hashed as they stand, or left to ethers", () => {
  const [first, second] = [`0x${"01".repeat(32)}`, `0x${"02".repeat(32)}`];
  expect(hashTwo(first, second)).toBe(keccak256(concat([first, second])));
  expect(hashTwo(first, "0x02")).toBeUndefined();
});

test("a task's leaf is ethers' double hash, of an amount as text too", () => {
  const leaf = { taskId: `0x${"01".repeat(32)}`, attempt: 2, receiptDigest: `0x${"02".repeat(32)}`, worker: address };
  const types = ["bytes32", "uint32", "bytes32", "address", "address", "uint256", "bytes32"];
  const values = [...Object.values(leaf), address, 10n ** 20n, `0x${"0".repeat(64)}`];
  const expected = keccak256(keccak256(AbiCoder.defaultAbiCoder().encode(types, values)));
  for (const rewardWei of [10n ** 20n, String(10n ** 20n) as unknown as bigint])
    expect(hashTaskLeaf({ ...leaf, requester: address, rewardWei })).toBe(expected);
});
