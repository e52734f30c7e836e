/** What a scan finds in honest models, and in files made to do harm. */
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { constant, encodeOnnx, node, OnnxType, valueInfo } from "../../../../src/inference/training/onnx-parts.ts";
import { hashFindings, policiesOf, summariseFindings } from "../../../../src/protocol/model/findings.ts";
import { scanModel } from "../../../../src/protocol/model/scan-model.ts";
import { aProduct, hostileModels, sevenBits } from "../../../support/hostile-models.ts";

const demo = (name: string) =>
  readFileSync(new URL(`../../../../src/embedded/demo/models/${name}.onnx`, import.meta.url));

const reasonsOf = (bytes: Uint8Array) => scanModel(bytes).problems.map(({ reason }) => reason);

describe("an honest model", () => {
  test("of integers is told with its parts, and is fit for Exact", () => {
    const findings = scanModel(demo("mnist-int8"));
    expect(findings).toMatchObject({
      ...{ bytes: 51_972, nodes: 9, parameters: 50_893, irVersion: 7, integerOnly: true, weights: "SevenBits" },
      opsets: [{ domain: "ai.onnx", version: 13 }],
      inputs: [{ name: "pixels", type: "uint8[N,784]" }],
      outputs: [
        { name: "label", type: "int64[N]" },
        { name: "score", type: "int32[N]" },
      ],
      problems: [],
    });
    expect(findings.operators).toContainEqual({ name: "MatMulInteger", count: 2 });
    expect(policiesOf(findings)).toEqual(["Exact", "Tolerance"]);
    expect(summariseFindings(findings)).toBe("opset 13, 50,893 parameters, 9 nodes, integers only");
  });

  test("whose weights are unsigned needs no bound on them: they are widened before they are multiplied", () => {
    expect(scanModel(demo("mnist-lenet-int8"))).toMatchObject({ integerOnly: true, weights: "SevenBits" });
  });

  test.each([
    ["a cast to floats", [node("Cast", ["m"], "y")], OnnxType.FLOAT],
    ["an operator that is not known to keep integers", [node("Sqrt", ["m"], "y")], OnnxType.INT32],
  ])("with %s is not fit for Exact", (_, rest, type) => {
    const output = [valueInfo("y", type, ["N", 2])];
    const graph = { name: "g", node: [node("MatMulInteger", ["x", "w"], "m"), ...rest], initializer: [sevenBits] };
    const bytes = encodeOnnx(
      { ...graph, input: [valueInfo("x", OnnxType.UINT8, [4])], output },
      { opset: 13n, irVersion: 7n },
    );
    expect(policiesOf(scanModel(bytes))).toEqual(["Tolerance"]);
  });
});

describe("the weights of 8-bit products", () => {
  test.each([
    ["within -64 and 63", Int8Array.of(-64, 63, 0, 0, 0, 0, 0, 0), "SevenBits", ["Exact", "Tolerance"]],
    ["with a 64", Int8Array.of(64, 0, 0, 0, 0, 0, 0, 0), "EightBits", ["Tolerance"]],
    ["with a -65", Int8Array.of(0, 0, 0, 0, 0, 0, 0, -65), "EightBits", ["Tolerance"]],
    ["that are unsigned", Uint8Array.of(255, 0, 0, 0, 0, 0, 0, 0), "SevenBits", ["Exact", "Tolerance"]],
  ])("%s", (_, weights, want, policies) => {
    const findings = scanModel(aProduct(constant("w", [4, 2], weights)));
    expect(findings.weights).toBe(want);
    expect(policiesOf(findings)).toEqual(policies);
  });

  test("that are computed are not known, so nobody can count on equal bits", () => {
    const nodes = [node("Neg", ["w"], "v"), node("MatMulInteger", ["x", "v"], "y")];
    const findings = scanModel(aProduct(sevenBits, nodes));
    expect(findings).toMatchObject({ weights: "NotConstant", integerOnly: true });
    expect(policiesOf(findings)).toEqual(["Tolerance"]);
  });
});

describe("a hostile file", () => {
  test.each(hostileModels())("$name is refused: $want", ({ bytes, want }) => {
    expect(reasonsOf(bytes)).toContain(want);
    expect(policiesOf(scanModel(bytes))).toEqual([]);
  });

  test("whose constant is hidden behind one of the same name in another graph is judged by the wider", () => {
    const wide = constant("w", [1], Int8Array.of(-127));
    const graph = { name: "g", node: [node("MatMulInteger", ["x", "w"], "y")], initializer: [wide, sevenBits] };
    const values = { input: [valueInfo("x", OnnxType.UINT8, [4])], output: [valueInfo("y", OnnxType.INT32, [2])] };
    expect(scanModel(encodeOnnx({ ...graph, ...values }, { opset: 13n, irVersion: 7n })).weights).toBe("EightBits");
  });

  test("cut anywhere is read to an end or refused, and never throws", () => {
    const bytes = demo("mnist-lenet-int8");
    for (let length = 0; length < bytes.length; length += 97) scanModel(bytes.subarray(0, length));
  });
});

describe("the hash that is signed", () => {
  const findings = scanModel(demo("mnist-int8"));

  test("does not depend on the order of fields, nor on the words of a problem", () => {
    const shuffled = Object.fromEntries(Object.entries(findings).reverse()) as typeof findings;
    expect(hashFindings(shuffled)).toBe(hashFindings(findings));
    const with_ = (message: string) => hashFindings({ ...findings, problems: [{ reason: "LoadFailed", message }] });
    expect(with_("one machine's words")).toBe(with_("another's"));
  });

  test("depends on everything else", () => {
    const seen = new Set([hashFindings(findings)]);
    for (const change of [
      { nodes: 10 },
      { integerOnly: false },
      { outputs: [] },
      { problems: [{ reason: "A", message: "" }] },
    ])
      seen.add(hashFindings({ ...findings, ...change }));
    expect(seen.size).toBe(5);
  });
});
