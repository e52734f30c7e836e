/**
 * Whole circuits of random small networks: the integer reference gives what onnxruntime gives, the emitted circuit gives what the
 * reference gives, and circom's circuit is the emitted one, bit for bit. A network that fails is named by its seed.
 */
import * as ort from "onnxruntime-node";
import { wtns } from "snarkjs";
import { describe, expect, test } from "vitest";
import { sha256 } from "../../src/base/digest.ts";
import { type CommittedCircuit, compileCommitted } from "../../src/zk/circuit/committed-circuit.ts";
import { commitWeights } from "../../src/zk/circuit/committed-weights.ts";
import { emitCircom } from "../../src/zk/circuit/emit-circom.ts";
import { emitCommittedCircom } from "../../src/zk/circuit/emit-committed.ts";
import { compileInference, type InferenceCircuit } from "../../src/zk/circuit/inference-circuit.ts";
import { packInput } from "../../src/zk/circuit/input-layout.ts";
import { packResult } from "../../src/zk/circuit/result-layout.ts";
import { mod } from "../../src/zk/field.ts";
import { readIntegerNetwork } from "../../src/zk/network/from-onnx.ts";
import { computeLogits, firstLargest, type IntegerNetwork } from "../../src/zk/network/integer-network.ts";
import { hashElements } from "../../src/zk/poseidon/sponge.ts";
import { decodeR1cs, findBrokenConstraint, type R1cs } from "../../src/zk/r1cs/r1cs-file.ts";
import { decodeWitness } from "../../src/zk/r1cs/witness-file.ts";
import { compileCircom } from "../support/compile-circom.ts";
import { buildImageModel, buildIntegerModel, drawBytes } from "../support/integer-model.ts";
import { describeAll, mapWires, translate } from "./support/comparable.ts";
import { findUndetermined, wiresOf } from "./support/determinism.ts";
import { drawModel, type ModelKind } from "./support/draw-model.ts";
import { isLong } from "./support/profile.ts";

const [salt, task, weightsSalt] = [99n, 1234n, 5n];
const kinds: readonly ModelKind[] = ["dense", "convolutional"];
const seedsOf = (count: number) => Array.from({ length: count }, (_, index) => index + 1);

/** Rows of random bytes, one of which is all 255. */
function drawRows(network: IntegerNetwork, rows: number, seed: number): Uint8Array {
  const bytes = drawBytes(network.inputs * rows, seed);
  if (rows > 1) bytes.fill(255, 0, network.inputs);
  return bytes;
}

function computeRows(network: IntegerNetwork, bytes: Uint8Array): Int32Array[] {
  return Array.from({ length: bytes.length / network.inputs }, (_, row) =>
    computeLogits(network, bytes.subarray(row * network.inputs, (row + 1) * network.inputs)),
  );
}

function expectedSignals(circuit: Pick<InferenceCircuit, "result">, bytes: Uint8Array, rows: readonly Int32Array[]) {
  const result = packResult(circuit.result, ({ row, kind, index }) => {
    const values = rows[row]!;
    if (kind === "logits") return BigInt(values[index]!);
    return BigInt(kind === "label" ? firstLargest(values) : Math.max(...values));
  });
  return [hashElements(packInput(salt, bytes)), result, task];
}

describe.each(kinds)("random %s networks", (kind) => {
  test("give the same integers in onnxruntime and here", async () => {
    for (const seed of seedsOf(isLong ? 300 : 40)) {
      const onnx = drawModel(kind, seed);
      const network = readIntegerNetwork(onnx);
      const bytes = drawRows(network, 4, seed);
      const session = await ort.InferenceSession.create(onnx, { logSeverityLevel: 3 });
      const results = await session.run({ bytes: new ort.Tensor("uint8", bytes, [4, network.inputs]) });
      await session.release();
      const rows = computeRows(network, bytes);
      const want = {
        label: rows.map(firstLargest),
        logits: rows.flatMap((logits) => [...logits]),
        score: rows.map((logits) => Math.max(...logits)),
      };
      for (const { name, kind: output } of network.outputs) {
        const got = [...(results[name]!.data as Int32Array | BigInt64Array)].map(Number);
        expect([seed, output, got]).toEqual([seed, output, want[output]]);
      }
    }
  });

  test("give the same integers in the circuit, which leaves no choice", () => {
    for (const seed of seedsOf(isLong ? 100 : 4)) {
      const network = readIntegerNetwork(drawModel(kind, seed));
      const rows = 1 + (seed % 2);
      const names = new Map<string, number>();
      const circuit = compileInference(network, rows, { names });
      const bytes = drawRows(network, rows, seed);
      const witness = circuit.computeWitness({ bytes, salt, task });
      expect([seed, witness.slice(1, 4)]).toEqual([seed, expectedSignals(circuit, bytes, computeRows(network, bytes))]);
      const r1cs = decodeR1cs(circuit.encodeR1cs());
      expect([seed, findBrokenConstraint(r1cs, witness)]).toEqual([seed, undefined]);
      expect([seed, findFree(r1cs, names)]).toEqual([seed, []]);
    }
  });

  test.each(seedsOf(isLong ? 10 : 1))(
    "have the same constraints and witness in circom (seed %i)",
    async (seed) => {
      const network = readIntegerNetwork(drawModel(kind, 100 + seed));
      const names = new Map<string, number>();
      const circuit = compileInference(network, 1, { names });
      const bytes = drawRows(network, 1, seed);
      await expectSameAsCircom(emitCircom(network, 1), circuit, {
        names,
        witness: circuit.computeWitness({ bytes, salt, task }),
        inputs: { bytes: [...bytes], salt, task },
      });
    },
    240_000,
  );
});

/** Names of wires that do not follow from the inputs. What is marked in ArgMax is shown to follow in templates.test.ts. */
function findFree({ constraints, layout, wireCount }: R1cs, names: ReadonlyMap<string, number>): string[] {
  const { publicOutputs, publicInputs, privateInputs } = layout;
  const inputs = Array.from({ length: publicInputs + privateInputs }, (_, index) => 1 + publicOutputs + index);
  const marks = [...names].filter(([name]) => name.includes(".isLabel[")).map(([, wire]) => wire);
  const all = Array.from({ length: wireCount }, (_, wire) => wire);
  const undetermined = new Set(findUndetermined(constraints, { all, given: [...inputs, ...marks] }));
  return [...names].filter(([, wire]) => undetermined.has(wire)).map(([name]) => name);
}

async function expectSameAsCircom(
  source: string,
  circuit: InferenceCircuit | CommittedCircuit,
  { names, witness, inputs }: { names: ReadonlyMap<string, number>; witness: readonly bigint[]; inputs: object },
): Promise<void> {
  const circom = await compileCircom(source);
  try {
    const [ours, theirs] = [decodeR1cs(circuit.encodeR1cs()), decodeR1cs(circom.r1cs)];
    const mapped = mapWires(circom, names);
    expect(new Set(mapped.values()).size).toBe(ours.wireCount);
    expect(theirs.layout).toEqual(ours.layout);
    expect(theirs.wireCount).toBe(ours.wireCount);
    expect(describeAll(translate(theirs.constraints, mapped))).toEqual(describeAll(ours.constraints));
    const file: { type: "mem"; data?: Uint8Array } = { type: "mem" };
    await wtns.calculate(inputs, circom.wasmPath, file);
    const own = decodeWitness(file.data ?? new Uint8Array());
    expect(findBrokenConstraint(theirs, own)).toBeUndefined();
    for (const [wire, mine] of mapped) expect(own[wire]).toBe(witness[mine]);
  } finally {
    await circom.dispose();
  }
}

describe("a circuit with committed weights", () => {
  const network = readIntegerNetwork(buildIntegerModel({ sizes: [5, 4, 3], seed: 1, outputs: ["label", "score"] }));
  const names = new Map<string, number>();
  const circuit = compileCommitted(network, 1, { names });
  const r1cs = decodeR1cs(circuit.encodeR1cs());
  const bytes = drawBytes(5, 7);
  const witness = circuit.computeWitness({ network, weightsSalt, bytes, salt, task });

  const testInLongRun = isLong ? test : () => undefined;
  testInLongRun(
    "has the same constraints and witness in circom",
    async () => {
      const weights = Object.fromEntries(
        network.layers.flatMap((layer, depth) =>
          "weights" in layer
            ? [
                [`weights${depth}`, [...layer.weights].map((weight) => mod(BigInt(weight)))],
                [`bias${depth}`, [...layer.bias].map((bias) => mod(BigInt(bias)))],
              ]
            : [],
        ),
      );
      const inputs = { bytes: [...bytes], salt, task, weightsSalt, ...weights };
      await expectSameAsCircom(emitCommittedCircom(network, 1), circuit, { names, witness, inputs });
    },
    240_000,
  );

  test("shows the model's commitment and what the model gives, and leaves no choice", () => {
    const constant = compileInference(network, 1).computeWitness({ bytes, salt, task });
    expect(findBrokenConstraint(r1cs, witness)).toBeUndefined();
    expect([witness[1], witness[3], witness[4]]).toEqual([constant[1], commitWeights(network, weightsSalt), task]);
    expect(witness[names.get("main.argMax[0].max")!]).toBe(mod(BigInt(Math.max(...computeLogits(network, bytes)))));
    expect(findFree(r1cs, names)).toEqual([]);
  });

  test("serves any weights of the same sizes, each under its own commitment", () => {
    const other = readIntegerNetwork(buildIntegerModel({ sizes: [5, 4, 3], seed: 2, outputs: ["label", "score"] }));
    expect(sha256(compileCommitted(other, 1).encodeR1cs())).toBe(sha256(circuit.encodeR1cs()));
    const second = circuit.computeWitness({ network: other, weightsSalt, bytes, salt, task });
    expect(findBrokenConstraint(r1cs, second)).toBeUndefined();
    expect(second[3]).not.toBe(witness[3]);
    // The result of one model under the commitment of the other.
    expect(findBrokenConstraint(r1cs, second.with(3, witness[3]!))).toBeDefined();
  });

  test("refuses layers that are not dense, and biases that are too wide", () => {
    const convolutional = readIntegerNetwork(drawModel("convolutional", 1));
    expect(() => compileCommitted(convolutional, 1)).toThrow(expect.objectContaining({ code: "UnsupportedModel" }));
    const layers = network.layers.map((layer) =>
      "bias" in layer ? { ...layer, bias: layer.bias.map(() => 2 ** 30) } : layer,
    );
    expect(() => compileCommitted({ ...network, layers }, 1)).toThrow(
      expect.objectContaining({ code: "UnsupportedModel" }),
    );
  });
});

describe.each([
  ["dense", buildIntegerModel({ sizes: [6, 4, 3], seed: 1, outputs: ["label", "score"] })],
  [
    "convolutional",
    buildImageModel({
      image: [2, 8, 6],
      steps: [
        { kind: "averagePool", size: [2, 1] },
        { kind: "convolution", filters: 2, size: [3, 3] },
        { kind: "maxPool", size: [1, 2] },
      ],
      sizes: [3],
      seed: 1,
      outputs: ["label", "score"],
    }),
  ],
] as const)("a %s circuit", (_, onnx) => {
  const network = readIntegerNetwork(onnx);
  const names = new Map<string, number>();
  const circuit = compileInference(network, 1, { names });
  const { constraints } = decodeR1cs(circuit.encodeR1cs());
  const bytes = drawRows(network, 1, 3);
  const witness = circuit.computeWitness({ bytes, salt, task });
  const isRefused = (wire: number, value: bigint) => {
    const touching = constraints.filter((constraint) => wiresOf(constraint).includes(wire));
    const tampered = witness.with(wire, mod(value));
    return findBrokenConstraint({ constraints: touching, wireCount: 0, layout: emptyLayout }, tampered) !== undefined;
  };

  test.each(["inputCommitment", "result", "task", "salt"])("refuses another %s", (name) => {
    const wire = names.get(`main.${name}`)!;
    for (const value of [0n, witness[wire]! + 1n, witness[wire]! - 1n]) expect(isRefused(wire, value)).toBe(true);
  });

  test("refuses another value in every class of wires", () => {
    const classOf = (name: string) => name.replaceAll(/\d+/g, "");
    const samples = new Map([...names].map(([name, wire]) => [classOf(name), { name, wire }]));
    for (const prefix of ["main.bytes", "main.commit.range", "main.layer", "main.activation", "main.argMax"])
      expect([prefix, [...samples.keys()].some((name) => name.startsWith(prefix))]).toEqual([prefix, true]);
    const free = [...samples.values()].filter(({ name, wire }) => {
      // The inverse of a zero count may be anything: it is multiplied by that zero.
      return !name.endsWith(".inverse") && !isRefused(wire, witness[wire]! + 1n);
    });
    expect(free).toEqual([]);
  });

  test("refuses the witness of a model with one other weight", () => {
    const index = network.layers.findIndex((layer) => "weights" in layer);
    const layers = network.layers.map((layer, depth) =>
      depth === index && "weights" in layer
        ? { ...layer, weights: layer.weights.map((w, i) => (i === 0 ? w ^ 1 : w)) }
        : layer,
    );
    const other = compileInference({ ...network, layers }, 1);
    const full = new Uint8Array(network.inputs).fill(255);
    const lie = other.computeWitness({ bytes: full, salt, task });
    expect(other.wireCount).toBe(circuit.wireCount);
    expect(findBrokenConstraint({ constraints, wireCount: 0, layout: emptyLayout }, lie)).toBeDefined();
  });
});

const emptyLayout = { publicOutputs: 0, publicInputs: 0, privateInputs: 0 };
