import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { compileInference } from "../../../src/zk/circuit/inference-circuit.ts";
import { packInput } from "../../../src/zk/circuit/input-layout.ts";
import { packResult } from "../../../src/zk/circuit/result-layout.ts";
import { readIntegerNetwork } from "../../../src/zk/network/from-onnx.ts";
import { computeLogits, firstLargest, type OutputKind } from "../../../src/zk/network/integer-network.ts";
import { countSBoxes } from "../../../src/zk/poseidon/constants.ts";
import { hashElements, spongeWidthOf } from "../../../src/zk/poseidon/sponge.ts";
import { decodeR1cs, findBrokenConstraint } from "../../../src/zk/r1cs/r1cs-file.ts";
import { buildIntegerModel, drawBytes } from "../../support/integer-model.ts";

const salt = 99n;
const task = 1234n;

function compile(outputs: readonly OutputKind[], seed = 1, rows = 2) {
  const network = readIntegerNetwork(buildIntegerModel({ sizes: [6, 4, 3], seed, outputs }));
  const names = new Map<string, number>();
  const circuit = compileInference(network, rows, { names });
  return { network, circuit, names, r1cs: decodeR1cs(circuit.encodeR1cs()), rows };
}

describe("the circuit of a network", () => {
  test.each([[["label", "score"]], [["label"]], [["logits"]]] satisfies [OutputKind[]][])(
    "gives what the integers give, and commits to the input (%j)",
    (outputs) => {
      const { network, circuit, r1cs, rows } = compile(outputs);
      const bytes = drawBytes(12, 7);
      const witness = circuit.computeWitness({ bytes, salt, task });
      const logits = Array.from({ length: rows }, (_, row) =>
        computeLogits(network, bytes.subarray(row * 6, row * 6 + 6)),
      );
      const result = packResult(circuit.result, ({ row, kind, index }) => {
        const values = logits[row]!;
        if (kind === "logits") return BigInt(values[index]!);
        return BigInt(kind === "label" ? firstLargest(values) : Math.max(...values));
      });
      expect(witness.slice(1, 4)).toEqual([hashElements(packInput(salt, bytes)), result, task]);
      expect(findBrokenConstraint(r1cs, witness)).toBeUndefined();
    },
  );

  test("takes a sixtieth of the constraints that it takes with each weight as an input of a hash", () => {
    const network = readIntegerNetwork(buildIntegerModel({ sizes: [64, 32, 10], seed: 1, outputs: ["logits"] }));
    const { constraintCount } = compileInference(network, 1);
    const parameters = network.layers.flatMap((layer) => ("weights" in layer ? [layer.weights, layer.bias] : []));
    const elements = 1 + parameters.reduce((sum, values) => sum + values.length, 0);
    const width = spongeWidthOf(elements);
    // Three constraints for an S-box, one for each product; besides, all that the statement takes anyway.
    const hash = 3 * Math.ceil(elements / (width - 1)) * countSBoxes(width);
    expect((hash + 64 * 32 + 32 * 10 + constraintCount) / constraintCount).toBeGreaterThanOrEqual(60);
  });

  test("holds for any weights and bytes, saturated and dead units included", () => {
    const property = fc.property(
      fc.integer({ min: 0, max: 2 ** 31 }),
      fc.uint8Array({ minLength: 6, maxLength: 6 }),
      (seed, bytes) => {
        const { circuit, r1cs } = compile(["label", "score"], seed, 1);
        expect(findBrokenConstraint(r1cs, circuit.computeWitness({ bytes, salt, task }))).toBeUndefined();
      },
    );
    fc.assert(property, {
      numRuns: 5,
      examples: [
        [1, new Uint8Array(6).fill(255)],
        [2, new Uint8Array(6)],
      ],
    });
  });

  test.each([
    { what: "a byte that is none", name: "main.bytes[0]", value: 256n },
    { what: "another result", name: "main.result", value: 5n },
    { what: "another commitment", name: "main.inputCommitment", value: 5n },
    { what: "a task that is not the one of the square", name: "main.task", value: task + 1n },
    { what: "a second label", name: "main.argMax[0].isLabel[2]", value: 1n },
  ])("refuses $what", ({ name, value }) => {
    const { circuit, names, r1cs } = compile(["label", "score"]);
    const witness = circuit.computeWitness({ bytes: drawBytes(12, 7), salt, task });
    expect(witness[names.get(name)!]).not.toBe(value);
    witness[names.get(name)!] = value;
    expect(findBrokenConstraint(r1cs, witness)).toBeDefined();
  });

  test("the first of two largest logits is the label, and no other can be proven", () => {
    const onnx = buildIntegerModel({ sizes: [1, 3], seed: 1, outputs: ["label"], maxWeight: 0 });
    const network = readIntegerNetwork(onnx);
    const names = new Map<string, number>();
    const circuit = compileInference(network, 1, { names });
    const witness = circuit.computeWitness({ bytes: Uint8Array.of(3), salt, task });
    expect(witness[names.get("main.argMax[0].label")!]).toBe(0n);
  });

  test("refuses more results than one signal holds, and says how many rows fit", () => {
    const network = readIntegerNetwork(buildIntegerModel({ sizes: [6, 4, 3], seed: 1, outputs: ["logits"] }));
    expect(() => compileInference(network, 9)).toThrow(
      expect.objectContaining({ code: "ResultTooWide", message: expect.stringMatching(/at most \d rows/) }),
    );
  });

  test.each([0, 65, 1.5])("refuses %s rows", (rows) => {
    const network = readIntegerNetwork(buildIntegerModel({ sizes: [6, 4, 3], seed: 1, outputs: ["label"] }));
    expect(() => compileInference(network, rows)).toThrow(expect.objectContaining({ code: "InvalidRows" }));
  });
});
