import { createHash } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Digest, sha256 } from "../../../src/base/digest.ts";
import {
  buildCallTree,
  type CallLeaf,
  computeWindowId,
  hashCallLeaf,
  noOutput,
  sampleCalls,
  verifyCallProof,
} from "../../../src/protocol/calls.ts";

const identity = {
  agentId: "agent",
  callerId: "caller",
  nonce: `0x${"1".repeat(32)}`,
  receiptKey: `0x${"2".repeat(64)}`,
};
const aLeaf: CallLeaf = {
  windowId: computeWindowId(identity),
  index: 3,
  outcome: "Ok",
  inputDigest: sha256("in"),
  outputDigest: sha256("out"),
  priceWei: "1000",
  startedAtMs: 1_800_000_000_000,
  endedAtMs: 1_800_000_000_004,
};
const leavesOf = (count: number) => Array.from({ length: count }, (_, i) => sha256(`leaf ${i}`));

/** RFC 9162, section 2.1.1, word by word. */
function hashAsRfc(leaves: readonly string[]): string {
  if (leaves.length === 1) return leaves[0]!;
  let split = 1;
  while (split * 2 < leaves.length) split *= 2;
  const bytes = (digest: string) => Buffer.from(digest.slice(7), "hex");
  const parts = [Buffer.from([1]), bytes(hashAsRfc(leaves.slice(0, split))), bytes(hashAsRfc(leaves.slice(split)))];
  return `sha256:${createHash("sha256").update(Buffer.concat(parts)).digest("hex")}`;
}

describe("a call's leaf", () => {
  it("differs where any field differs", () => {
    const changes: Partial<CallLeaf>[] = [
      { windowId: `0x${"3".repeat(64)}` },
      { index: 4 },
      { index: 3 + 2 ** 32 },
      { outcome: "Failed" },
      { inputDigest: sha256("out") },
      { outputDigest: noOutput },
      { priceWei: "1001" },
      { startedAtMs: 1_800_000_000_001 },
      { endedAtMs: 1_800_000_000_005 },
    ];
    const hashes = [aLeaf, ...changes.map((change) => ({ ...aLeaf, ...change }))].map(hashCallLeaf);
    expect(new Set(hashes).size).toBe(hashes.length);
  });

  it("is the hash of fixed fields after the leaf's prefix", () => {
    const u64 = (value: number) => value.toString(16).padStart(16, "0");
    const { windowId, index, inputDigest, outputDigest, startedAtMs, endedAtMs } = aLeaf;
    const hex = `00${windowId.slice(2)}${u64(index)}01${inputDigest.slice(7)}${outputDigest.slice(7)}${(1000).toString(16).padStart(64, "0")}${u64(startedAtMs)}${u64(endedAtMs)}`;
    expect(hashCallLeaf(aLeaf)).toBe(sha256(Buffer.from(hex, "hex")));
  });

  it.each<[string, Partial<CallLeaf>, string]>([
    ["a window id that is none", { windowId: "0x12" }, "windowId"],
    ["a negative index", { index: -1 }, "index"],
    ["a price below zero", { priceWei: "-1" }, "priceWei"],
    ["a price with leading zeros", { priceWei: "01" }, "priceWei"],
    ["a price beyond 256 bits", { priceWei: (2n ** 256n).toString() }, "priceWei"],
    ["a digest of another form", { inputDigest: "0x00" }, "inputDigest"],
    ["half a millisecond", { endedAtMs: 0.5 }, "endedAtMs"],
  ])("is refused with %s", (_, change, field) => {
    expect(() => hashCallLeaf({ ...aLeaf, ...change })).toThrow(`A call's ${field} is`);
  });
});

describe("a window's id", () => {
  it("differs where any part differs, also where text moves from one to the next", () => {
    const others = [
      identity,
      { ...identity, agentId: "agen", callerId: "tcaller" },
      { ...identity, callerId: "another" },
      { ...identity, nonce: `0x${"4".repeat(32)}` },
      { ...identity, receiptKey: `0x${"4".repeat(64)}` },
    ].map(computeWindowId);
    expect(new Set(others).size).toBe(others.length);
  });
});

describe("a window's tree", () => {
  it("has the root of RFC 9162 for any number of calls", () => {
    for (let count = 1; count <= 70; count++) {
      expect(buildCallTree(leavesOf(count)).root).toBe(hashAsRfc(leavesOf(count)));
    }
  });

  it("proves each call at its place, and at no other place, count, leaf or root", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 80 }), fc.nat(), fc.integer({ min: 0, max: 100 }), (count, pick, other) => {
        const leaves = leavesOf(count);
        const { root, proof } = buildCallTree(leaves);
        const index = pick % count;
        const right = { root, count, index, leaf: leaves[index]!, proof: proof(index) };
        expect(verifyCallProof(right)).toBe(true);
        if (other !== index) expect(verifyCallProof({ ...right, index: other })).toBe(false);
        expect(verifyCallProof({ ...right, leaf: sha256("another") })).toBe(false);
        expect(verifyCallProof({ ...right, root: sha256("another") })).toBe(false);
        expect(verifyCallProof({ ...right, proof: [...right.proof, root] })).toBe(false);
        if (count > 1) expect(verifyCallProof({ ...right, proof: right.proof.slice(0, -1) })).toBe(false);
      }),
    );
  });

  it("does not let the last of few calls be shown as one of twice as many", () => {
    const { root, proof } = buildCallTree(leavesOf(4));
    const shown = { root, index: 3, leaf: leavesOf(4)[3]!, proof: proof(3) };
    expect([3, 4, 5, 8, 100].map((count) => verifyCallProof({ ...shown, count }))).toEqual([
      false,
      true,
      false,
      false,
      false,
    ]);
  });

  it("has no proof of what is not in it, and no root of nothing", () => {
    expect(() => buildCallTree(leavesOf(2)).proof(2)).toThrow("Call 2 asked of a window with 2 calls");
    expect(() => buildCallTree([])).toThrow("at least one call");
    const malformed = { root: sha256(""), count: 1, index: 0, leaf: "leaf", proof: [] };
    expect(verifyCallProof(malformed)).toBe(false);
    expect(verifyCallProof({ ...malformed, leaf: sha256("") as Digest, proof: ["x"] })).toBe(false);
  });
});

describe("sampling", () => {
  const seed = sha256("seed").replace("sha256:", "0x");

  it("draws as many different places as asked, ascending, the same for everybody", () => {
    fc.assert(
      fc.property(fc.nat({ max: 2_000 }), fc.nat({ max: 40 }), (count, samples) => {
        const drawn = sampleCalls(seed, count, samples);
        expect(drawn).toHaveLength(Math.min(count, samples));
        expect(drawn).toEqual([...new Set(drawn)].sort((a, b) => a - b));
        expect(drawn.every((index) => index >= 0 && index < count)).toBe(true);
        expect(sampleCalls(seed, count, samples)).toEqual(drawn);
      }),
    );
  });

  it("draws every place about as often", () => {
    const hits = new Array<number>(20).fill(0);
    for (let i = 0; i < 2_000; i++) for (const at of sampleCalls(`0x${i}`, 20, 3)) hits[at]! += 1;
    // 300 each; five standard deviations are 80.
    expect(Math.min(...hits)).toBeGreaterThan(220);
    expect(Math.max(...hits)).toBeLessThan(380);
  });
});
