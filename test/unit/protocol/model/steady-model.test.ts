/** Of which models a run takes as long as another one of the same shapes, whatever the values. */
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { constant, encodeOnnx, node, OnnxType, valueInfo } from "../../../../src/inference/training/onnx-parts.ts";
import { isSteadyModel } from "../../../../src/protocol/model/steady-model.ts";

const demo = (name: string) =>
  readFileSync(new URL(`../../../../src/embedded/demo/models/${name}.onnx`, import.meta.url));

type Node = ReturnType<typeof node>;

/** With an input `x`, another one `s` that could say a shape, and a constant `c` that does. */
function build(...nodes: Node[]): Uint8Array {
  const input = [valueInfo("x", OnnxType.FLOAT, ["N"]), valueInfo("s", OnnxType.INT64, [2])];
  const output = [valueInfo("y", OnnxType.FLOAT, ["N"])];
  const initializer = [constant("c", [2], BigInt64Array.of(-1n, 1n))];
  return encodeOnnx({ name: "g", node: nodes, input, output, initializer }, { opset: 13n, irVersion: 7n });
}

test.each(["mnist-int8", "mnist-lenet-int8", "mnist-linear-int8"])("%s is steady", (name) => {
  expect(isSteadyModel(demo(name))).toBe(true);
});

describe("a model", () => {
  test("that reshapes as a constant says is steady, and as its caller says is not", () => {
    expect(isSteadyModel(build(node("Reshape", ["x", "c"], "y")))).toBe(true);
    expect(isSteadyModel(build(node("Reshape", ["x", "s"], "y")))).toBe(false);
  });

  test("that sums over axes which a constant of its nodes says is steady", () => {
    const nodes = (axes: string) => [node("Constant", [], "axes"), node("ReduceSum", ["x", axes], "y")];
    expect(isSteadyModel(build(...nodes("axes")))).toBe(true);
    expect(isSteadyModel(build(...nodes("s")))).toBe(false);
    expect(isSteadyModel(build(...nodes("")))).toBe(true);
  });

  test.each([
    "Loop",
    "If",
    "Scan",
    "Expand",
    "Tile",
    "Range",
    "ConstantOfShape",
    "Resize",
    "NonZero",
    "OneHot",
    "Unheard",
  ])("with %s is not", (opType) => {
    expect(isSteadyModel(build(node("Relu", ["x"], "r"), node(opType, ["r", "c"], "y")))).toBe(false);
  });

  test("that cannot be read is not", () => {
    expect(isSteadyModel(Buffer.from("no model"))).toBe(false);
  });
});
