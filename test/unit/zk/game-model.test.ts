import { describe, expect, test } from "vitest";
import { BlockTree, hashBlock } from "../../../src/zk/game/block-tree.ts";
import { readGameModel, registrationOf } from "../../../src/zk/game/game-model.ts";
import { InferenceTrace } from "../../../src/zk/game/inference-trace.ts";
import { packBlock } from "../../../src/zk/game/tile.ts";
import { readIntegerNetwork } from "../../../src/zk/network/from-onnx.ts";
import { computeLogits } from "../../../src/zk/network/integer-network.ts";
import { buildIntegerModel, drawBytes } from "../../support/integer-model.ts";
import { LyingTrace } from "../../support/lying-trace.ts";

const sizes = [70, 64, 40, 3];
const onnx = buildIntegerModel({ sizes, seed: 4, outputs: ["label", "logits", "score"] });
const model = readGameModel(onnx);
const input = drawBytes(70, 5);

describe("a model of a dispute game", () => {
  test("traces what the integers give", () => {
    const trace = new InferenceTrace(model, input);
    expect(trace.logits()).toEqual([...computeLogits(readIntegerNetwork(onnx), input)]);
    expect(trace.tree(0).node(0, 2)).toBe(hashBlock(packBlock(input.subarray(62))));
    expect(model.layers.map(({ tiles, blocks }) => [tiles, blocks])).toEqual([
      [3, 3],
      [3, 2],
      [2, 1],
    ]);
  });

  test("commits to each weight and each bias of each layer", () => {
    const other = readGameModel(buildIntegerModel({ sizes, seed: 5, outputs: ["label", "logits", "score"] }));
    const roots = (each: typeof model) =>
      registrationOf(each).layers.flatMap(({ weightsRoot, biasRoot }) => [weightsRoot, biasRoot]);
    expect(new Set([...roots(model), ...roots(other)]).size).toBe(12);
  });

  test("says of each layer but the last that it scales, and names its outputs in order", () => {
    const { layers, outputs } = registrationOf(model);
    expect(layers.map(({ scales }) => scales)).toEqual([true, true, false]);
    expect(outputs.map(({ name, kind }) => [name, kind])).toEqual([
      ["label", 1],
      ["logits", 0],
      ["score", 2],
    ]);
  });

  test("refuses what is no integer product by the operator's name", () => {
    const activation = buildIntegerModel({ sizes, seed: 1, outputs: ["label"], activation: "Sigmoid" });
    expect(() => readGameModel(activation)).toThrow(
      expect.objectContaining({ code: "UnsupportedOperator", message: expect.stringContaining("Sigmoid") }),
    );
  });

  test("refuses more classes than one transaction shows", () => {
    const wide = buildIntegerModel({ sizes: [2, 2049], seed: 1, outputs: ["label"] });
    expect(() => readGameModel(wide)).toThrow(expect.objectContaining({ code: "ModelTooLarge" }));
  });

  test("traces no row of another length", () => {
    expect(() => new InferenceTrace(model, drawBytes(71, 1))).toThrow(
      expect.objectContaining({ code: "InvalidInput" }),
    );
  });

  test("agrees to nothing about a block beyond a layer's edge", () => {
    const trace = new InferenceTrace(model, input);
    expect(BigInt(trace.hashSumsAfter(1, 3, 1))).toBe(0n);
    expect(BigInt(trace.tree(1).node(0, 3))).toBe(0n);
  });

  test("a liar says what is true of its lie: activations, logits and trees follow from it", () => {
    const liar = new LyingTrace(model, input, { layer: 1, block: 2, tile: 1 });
    const honest = new InferenceTrace(model, input);
    expect(liar.logits()).not.toEqual(honest.logits());
    expect(liar.tree(0).root).toBe(honest.tree(0).root);
    expect(liar.tree(1).node(0, 0)).toBe(honest.tree(1).node(0, 0));
    expect(liar.tree(1).node(0, 2)).not.toBe(honest.tree(1).node(0, 2));
    expect(liar.hashSumsAfter(1, 2, 1)).toBe(honest.hashSumsAfter(1, 2, 1));
    expect(liar.hashSumsAfter(1, 2, 2)).not.toBe(honest.hashSumsAfter(1, 2, 2));
  });
});

describe("a tree of blocks", () => {
  test("has the depth of its number of leaves, and proofs that end at its root", () => {
    const leaves = Array.from({ length: 5 }, (_, index) => hashBlock(BigInt(index)));
    const tree = new BlockTree(leaves);
    expect(tree.depth).toBe(3);
    expect(tree.proof(4)).toEqual([tree.node(0, 5), tree.node(1, 3), tree.node(2, 0)]);
    expect(new BlockTree([leaves[0]!]).root).toBe(leaves[0]);
  });

  test("has no leaf beyond its last place, and is never empty", () => {
    expect(() => new BlockTree([])).toThrow(expect.objectContaining({ code: "EmptyTree" }));
    expect(() => new BlockTree([hashBlock(1n)]).node(0, 1)).toThrow(
      expect.objectContaining({ code: "LeafOutOfRange" }),
    );
  });
});
