/**
 * What a proof of inference costs: constraints, registering a model (compiling its circuit and making its keys), witness, proof and
 * verification, here and on the chain; best of a few. Beside it, on the smallest model, circuits whose weights are committed inputs:
 * packed, and naive, which takes one hash input and one product for each weight. The naive one is compiled and its witness is computed,
 * but it has no keys: it needs powers of tau that go beyond those for development (.ci/powers-of-tau). Weights are random but for the
 * demo's convolutional classifier; costs depend on their number and size alone.
 */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { sha256 } from "../../src/base/digest.ts";
import { lenetPath } from "../../src/embedded/demo/models/train-lenet.ts";
import { compileCommitted } from "../../src/zk/circuit/committed-circuit.ts";
import { compileInference } from "../../src/zk/circuit/inference-circuit.ts";
import { readIntegerNetwork } from "../../src/zk/network/from-onnx.ts";
import { countParameters } from "../../src/zk/network/integer-network.ts";
import type { ProvingBackend } from "../../src/zk/proving/proving-backend.ts";
import { createSnarkjsBackend } from "../../src/zk/proving/snarkjs-backend.ts";
import { encodeWitness } from "../../src/zk/r1cs/witness-file.ts";
import { buildIntegerModel, drawBytes } from "../support/integer-model.ts";
import { measureEzkl } from "./ezkl/measure.ts";
import { roundTo3 } from "./take-turns.ts";
import { openVerifierChain, type VerifierChain } from "./zk-chain.ts";

const repeats = 3;
const salt = 1n;
const weightsSalt = 3n;

interface Subject {
  readonly name: string;
  readonly onnx: Uint8Array;
  readonly rows: number;
}

interface Place {
  readonly dir: string;
  readonly powersOfTauPath: string;
  readonly backend: ProvingBackend;
  readonly chain: VerifierChain;
}

const smallest: Subject = { name: "64-32-10", onnx: random([64, 32, 10]), rows: 1 };
const subjects: readonly Subject[] = [
  smallest,
  { name: "64-32-10 in batches of 16", onnx: smallest.onnx, rows: 16 },
  { name: "784-32-10", onnx: random([784, 32, 10]), rows: 1 },
  { name: "784-128-64-10", onnx: random([784, 128, 64, 10]), rows: 1 },
  { name: "784-512-10", onnx: random([784, 512, 10]), rows: 1 },
  { name: "mnist-lenet-int8", onnx: readFileSync(lenetPath), rows: 1 },
];

export async function benchZk() {
  const script = fileURLToPath(new URL("../../.ci/powers-of-tau", import.meta.url));
  const powersOfTauPath = execFileSync(script, { encoding: "utf8" }).trim();
  const dir = await mkdtemp(join(tmpdir(), "inferium-bench-"));
  const backend = createSnarkjsBackend({ timeoutMs: 1_200_000, maxMemoryBytes: 8 * 2 ** 30 });
  const chain = await openVerifierChain();
  const place = { dir, powersOfTauPath, backend, chain };
  try {
    const models = [];
    for (const subject of subjects) models.push(report(await measure(subject, place)));
    const committed = report(await measureCommitted(place));
    const naive = report(await measureNaive(models[0]?.constraints ?? 0));
    const peer = await measurePeer(powersOfTauPath, models);
    return { backend: backend.name, setup: "development", models, committed, naive, peer };
  } finally {
    await chain.close();
    await backend.close();
    await rm(dir, { recursive: true, force: true });
  }
}

function report<T>(figures: T): T {
  console.error(JSON.stringify(figures));
  return figures;
}

async function measure({ name, onnx, rows }: Subject, place: Place) {
  const network = readIntegerNetwork(onnx);
  const bytes = drawBytes(network.inputs * rows, 1);
  const task = place.chain.taskSignal;
  const { key, proof, signals, ...figures } = await measureCircuit(place, {
    compile: () => compileInference(readIntegerNetwork(onnx), rows),
    computeWitness: (circuit) => circuit.computeWitness({ bytes, salt, task }),
  });
  const gas = await place.chain.measureGas({ modelDigest: sha256(Buffer.from(name)), rows, key, proof, signals });
  const proveSecondsPerInference = roundTo3(figures.proveSeconds / rows);
  return { name, parameters: countParameters(network), rows, ...figures, proveSecondsPerInference, gas };
}

/** One verifier for all weights of these sizes, which stay with the prover. It has four signals: not of the chain's verifier. */
async function measureCommitted(place: Place) {
  const network = readIntegerNetwork(smallest.onnx);
  const bytes = drawBytes(network.inputs, 1);
  const { key, proof, signals, ...figures } = await measureCircuit(place, {
    compile: () => compileCommitted(network, 1),
    computeWitness: (circuit) => circuit.computeWitness({ network, weightsSalt, bytes, salt, task: 2n }),
  });
  return { name: "64-32-10 with packed committed weights", ...figures, signals: signals.length };
}

interface Steps<C> {
  readonly compile: () => C;
  readonly computeWitness: (circuit: C) => bigint[];
}

async function measureCircuit<C extends { readonly constraintCount: number; encodeR1cs(): Buffer }>(
  { dir, powersOfTauPath, backend }: Place,
  { compile, computeWitness }: Steps<C>,
) {
  const files = ["r1cs", "zkey", "wtns"].map((extension) => join(dir, `circuit.${extension}`));
  const [r1csPath = "", zkeyPath = "", witnessPath = ""] = files;
  const [circuit, compileSeconds] = await time(async () => {
    const compiled = compile();
    await writeFile(r1csPath, compiled.encodeR1cs());
    return compiled;
  });
  const setup = { r1csPath, powersOfTauPath, zkeyPath, contributor: "bench" };
  const [key, setupSeconds] = await time(() => backend.setUp(setup));
  const [, witnessSeconds] = await best(async () => writeFile(witnessPath, encodeWitness(computeWitness(circuit))));
  const [{ proof, signals }, proveSeconds] = await best(() => backend.prove({ zkeyPath, witnessPath }));
  const [isValid, verifySeconds] = await best(() => backend.verify({ key, signals, proof }));
  if (!isValid) throw new Error("A proof of the benchmark does not verify.");
  return {
    constraints: circuit.constraintCount,
    compileSeconds: roundTo3(compileSeconds),
    setupSeconds: roundTo3(setupSeconds),
    registrationSeconds: roundTo3(compileSeconds + setupSeconds),
    witnessSeconds: roundTo3(witnessSeconds),
    proveSeconds: roundTo3(proveSeconds),
    verifyMs: roundTo3(verifySeconds * 1000),
    key,
    proof,
    signals,
  };
}

/** @param constraints of the circuit with constant weights */
async function measureNaive(constraints: number) {
  const network = readIntegerNetwork(smallest.onnx);
  const bytes = drawBytes(network.inputs, 1);
  const [circuit, compileSeconds] = await time(async () => compileCommitted(network, 1, { packing: "naive" }));
  const [, witnessSeconds] = await time(async () =>
    circuit.computeWitness({ network, weightsSalt, bytes, salt, task: 2n }),
  );
  return {
    name: smallest.name,
    constraints: circuit.constraintCount,
    fewerConstraints: roundTo3(circuit.constraintCount / constraints),
    compileSeconds: roundTo3(compileSeconds),
    witnessSeconds: roundTo3(witnessSeconds),
    proveSeconds: null,
    reason: "its keys need powers of tau for 2^17 constraints; those for development serve 2^15",
  };
}

/** Models of the list above that the peer proves too, with the rows that they take there. */
const peerSubjects = [
  { name: "64-32-10", sizes: [64, 32, 10], logRows: 12 },
  { name: "784-32-10", sizes: [784, 32, 10], logRows: 15 },
] as const;

async function measurePeer(powersOfTauPath: string, ours: readonly { name: string; proveSeconds: number }[]) {
  const script = fileURLToPath(new URL("../../.ci/ezkl", import.meta.url));
  const folder = execFileSync(script, { encoding: "utf8" }).trim();
  const models = [];
  for (const { name, sizes, logRows } of peerSubjects) {
    const network = readIntegerNetwork(random(sizes));
    const bytes = drawBytes(network.inputs, 1);
    const figures = await measureEzkl({ folder, powersOfTauPath, network, bytes, logRows });
    const own = ours.find((other) => other.name === name)?.proveSeconds ?? 0;
    const rounded = Object.entries(figures).map(([figure, value]) => [figure, roundTo3(value)]);
    models.push(report({ name, ...Object.fromEntries(rounded), slower: roundTo3(figures.proveSeconds / own) }));
  }
  return {
    name: "@ezkljs/engine 21.0.0",
    models,
    differences: [
      "it runs as WebAssembly on one thread; its native program, which is not on npm, is faster",
      "its circuit has weights as constants too, but no commitment to the input, no step back to bytes, no arg max and no task",
      "it needs no ceremony for each circuit",
    ],
  };
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
