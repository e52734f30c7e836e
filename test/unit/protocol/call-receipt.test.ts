import { describe, expect, it } from "vitest";
import { sha256 } from "../../../src/base/digest.ts";
import { formatReceipt, parseReceipt } from "../../../src/protocol/call-receipt.ts";
import { hashCallLeaf } from "../../../src/protocol/calls.ts";

const leaf = {
  windowId: `0x${"a".repeat(64)}`,
  index: 12,
  outcome: "Ok" as const,
  inputDigest: sha256("in"),
  outputDigest: sha256("out"),
  priceWei: "123",
  startedAtMs: 1_790_000_000_000,
  endedAtMs: 1_790_000_000_003,
};
const receipt = {
  leaf,
  hash: hashCallLeaf(leaf),
  signature: Buffer.from("signature").toString("base64"),
  batch: { index: 1, count: 2, proof: [sha256("other")] },
};

describe("a receipt", () => {
  it("reads back as it was written, also with a name before it as in a stream", () => {
    const text = formatReceipt(receipt);
    expect(parseReceipt(text)).toEqual(receipt);
    expect(parseReceipt(`: inferium-receipt ${text}\n\n`)).toEqual(receipt);
  });

  it.each([
    ["a changed price", (text: string) => text.replace('price="123"', 'price="122"'), "do not hash to its leaf"],
    ["a field left out", (text: string) => text.replace(/outcome=Ok, /, ""), 'no field "outcome"'],
    ["another outcome", (text: string) => text.replace("outcome=Ok", "outcome=Fine"), 'outcome "Fine"'],
    ["nothing in it", () => "", 'no field "outcome"'],
    ["a batch that is none", (text: string) => text.replace('batch="1/2', 'batch="half'), 'batch "half"'],
    ["an index that is no number", (text: string) => text.replace("index=12", "index=x"), "index"],
  ])("with %s is refused", (_, change, message) => {
    expect(() => parseReceipt(change(formatReceipt(receipt)))).toThrow(message);
  });
});
