import { expect, test } from "vitest";
import { sha256 } from "../../../src/base/digest.ts";
import { digestContents, tensorOfDigest } from "../../../src/protocol/call-contents.ts";
import { digestTensors } from "../../../src/protocol/tensors/canonical.ts";
import { createTensor } from "../../../src/protocol/tensors/tensor.ts";

const digest = sha256("a prompt");

test("a body stands in a window's task by its digest, and tensors by themselves", () => {
  const tensors = tensorOfDigest(digest);
  expect(digestContents("Digests", tensors)).toBe(digest);
  expect(digestContents("Tensors", tensors)).toBe(digestTensors(tensors));
});

test("what is no digest has none", () => {
  const [tensor] = tensorOfDigest(digest).values();
  if (!tensor) throw new Error("a digest is one tensor");
  const long = createTensor("uint8", [33], new Uint8Array(33));
  for (const hostile of [
    new Map(),
    new Map([["body", tensor]]),
    new Map([["sha256", long]]),
    new Map([["sha256", createTensor("int8", [32], tensor.data)]]),
    new Map([...tensorOfDigest(digest), ["more", tensor]]),
  ])
    expect(digestContents("Digests", hostile)).toBeUndefined();
  expect(() => tensorOfDigest("sha256:1")).toThrow(expect.objectContaining({ code: "WrongByteLength" }));
});
