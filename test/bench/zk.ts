/**
 * What a proof of inference costs: constraints, registering a model (compiling its circuit and making its keys), witness, proof
 * and verification, best of a few. Beside it the constraints of the naive circuit, whose weights are inputs that are hashed one to
 * an element and multiplied one by one: computed, since it cannot be proven here in reasonable time. Weights are random but for the
 * demo's classifier; costs depend on their number alone. Keys come from the development powers of tau (.ci/powers-of-tau).
 */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { modelPath } from "../../src/embedded/demo/models/train-mnist.ts";
import { compileInference } from "../../src/zk/circuit/inference-circuit.ts";
import { readIntegerNetwork } from "../../src/zk/network/from-onnx.ts";
import { countParameters, type IntegerNetwork } from "../../src/zk/network/integer-network.ts";
import { poseidonParameters } from "../../src/zk/poseidon/constants.ts";
import { spongeRate, spongeWidth } from "../../src/zk/poseidon/sponge.ts";
import type { ProvingBackend } from "../../src/zk/proving/proving-backend.ts";
import { createSnarkjsBackend } from "../../src/zk/proving/snarkjs-backend.ts";
import { encodeWitness } from "../../src/zk/r1cs/witness-file.ts";
import { buildIntegerModel, drawBytes } from "../support/integer-model.ts";
import { roundTo3 } from "./take-turns.ts";

const repeats = 3;

interface Subject {
  readonly name: string;
  readonly onnx: Uint8Array;
  readonly rows: number;
}

interface Place {
  readonly dir: string;
  readonly powersOfTauPath: string;
  readonly backend: ProvingBackend;
}

const subjects: readonly Subject[] = [
  { name: "64-32-10", onnx: random([64, 32, 10]), rows: 1 },
  { name: "64-32-10 in batches of 16", onnx: random([64, 32, 10]), rows: 16 },
  { name: "mnist-int8 (784-64-10)", onnx: readFileSync(modelPath), rows: 1 },
  { name: "784-512-10", onnx: random([784, 512, 10]), rows: 1 },
];

export async function benchZk() {
  const script = fileURLToPath(new URL("../../.ci/powers-of-tau", import.meta.url));
  const powersOfTauPath = execFileSync(script, { encoding: "utf8" }).trim();
  const dir = await mkdtemp(join(tmpdir(), "inferium-bench-"));
  const backend = createSnarkjsBackend({ timeoutMs: 1_200_000, maxMemoryBytes: 8 * 2 ** 30 });
  try {
    const models = [];
    for (const subject of subjects) {
      const figures = await measure(subject, { dir, powersOfTauPath, backend });
      console.error(JSON.stringify(figures));
      models.push(figures);
    }
    return { backend: backend.name, setup: "development", models };
  } finally {
    await backend.close();
    await rm(dir, { recursive: true, force: true });
  }
}

async function measure({ name, onnx, rows }: Subject, { dir, powersOfTauPath, backend }: Place) {
  const files = ["r1cs", "zkey", "wtns"].map((extension) => join(dir, `circuit.${extension}`));
  const [r1csPath = "", zkeyPath = "", witnessPath = ""] = files;
  const network = readIntegerNetwork(onnx);
  const [circuit, compileSeconds] = await time(async () => {
    const compiled = compileInference(readIntegerNetwork(onnx), rows);
    await writeFile(r1csPath, compiled.encodeR1cs());
    return compiled;
  });
  const [key, setupSeconds] = await time(() =>
    backend.setUp({ r1csPath, powersOfTauPath, zkeyPath, contributor: "bench" }),
  );
  const bytes = drawBytes(network.inputs * rows, 1);
  const [, witnessSeconds] = await best(async () =>
    writeFile(witnessPath, encodeWitness(circuit.computeWitness({ bytes, salt: 1n, task: 2n }))),
  );
  const [{ proof, signals }, proveSeconds] = await best(() => backend.prove({ zkeyPath, witnessPath }));
  const [isValid, verifySeconds] = await best(() => backend.verify({ key, signals, proof }));
  if (!isValid) throw new Error(`The proof of ${name} does not verify.`);
  const naive = countNaiveConstraints(network, rows, circuit.constraintCount);
  return {
    name,
    parameters: countParameters(network),
    rows,
    constraints: circuit.constraintCount,
    naiveConstraints: naive,
    fewerConstraints: roundTo3(naive / circuit.constraintCount),
    compileSeconds: roundTo3(compileSeconds),
    setupSeconds: roundTo3(setupSeconds),
    registrationSeconds: roundTo3(compileSeconds + setupSeconds),
    witnessSeconds: roundTo3(witnessSeconds),
    proveSeconds: roundTo3(proveSeconds),
    proveSecondsPerInference: roundTo3(proveSeconds / rows),
    verifyMs: roundTo3(verifySeconds * 1000),
  };
}

/** Each weight is a factor of one product for each row, and one input of the sponge; everything else is as it is here. */
function countNaiveConstraints(network: IntegerNetwork, rows: number, constraints: number): number {
  const { fullRounds, partialRounds } = poseidonParameters(spongeWidth);
  const permutation = 3 * (fullRounds * spongeWidth + partialRounds);
  const weights = network.layers.reduce((sum, layer) => sum + layer.weights.length, 0);
  return constraints + rows * weights + Math.ceil(countParameters(network) / spongeRate) * permutation;
}

function random(sizes: readonly number[]): Uint8Array {
  return buildIntegerModel({ sizes, seed: 1, outputs: ["label"] });
}

async function time<T>(work: () => Promise<T>): Promise<[T, number]> {
  const started = performance.now();
  const result = await work();
  return [result, (performance.now() - started) / 1000];
}

async function best<T>(work: () => Promise<T>): Promise<[T, number]> {
  let [result, seconds] = await time(work);
  for (let i = 1; i < repeats; i++) {
    const [again, taken] = await time(work);
    if (taken < seconds) [result, seconds] = [again, taken];
  }
  return [result, seconds];
}
