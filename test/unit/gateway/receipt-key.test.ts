import { expect, it } from "vitest";
import { sha256 } from "../../../src/base/digest.ts";
import { createReceiptKey } from "../../../src/gateway/meter/receipt-key.ts";
import { verifyReceiptSignature } from "../../../src/pool/receipt-signature.ts";
import { type CallLeaf, hashCallLeaf, noOutput } from "../../../src/protocol/calls.ts";

const aLeaf = (index: number): CallLeaf => ({
  windowId: `0x${"1".repeat(64)}`,
  index,
  outcome: "Ok",
  inputDigest: sha256("in"),
  outputDigest: noOutput,
  priceWei: "1",
  startedAtMs: 1,
  endedAtMs: 2,
});

it.each([1, 2, 7, 64, 65, 150])("%i calls that end together are signed together, each for itself", async (count) => {
  const key = createReceiptKey();
  const leaves = Array.from({ length: count }, (_, index) => aLeaf(index));
  const receipts = await Promise.all(
    leaves.map(async (leaf) => ({ leaf, hash: hashCallLeaf(leaf), ...(await key.sign(hashCallLeaf(leaf))) })),
  );
  expect(receipts.every((receipt) => verifyReceiptSignature(key.publicKey, receipt))).toBe(true);
  expect(new Set(receipts.map(({ signature }) => signature)).size).toBe(Math.ceil(count / 64));
  const [first] = receipts;
  expect(first!.batch.proof.length).toBeLessThanOrEqual(6);
  // Not for another call, not at another place, not by another key.
  const hash = hashCallLeaf(aLeaf(1_000));
  expect(verifyReceiptSignature(key.publicKey, { ...first!, hash })).toBe(false);
  expect(verifyReceiptSignature(key.publicKey, { ...first!, batch: { ...first!.batch, count: 1_000 } })).toBe(false);
  expect(verifyReceiptSignature(createReceiptKey().publicKey, first!)).toBe(false);
  expect(verifyReceiptSignature("no key", first!)).toBe(false);
});
