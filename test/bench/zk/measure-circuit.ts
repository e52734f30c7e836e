/**
 * Times one circuit from compiling to verification, here and on the chain; best of a few where it is repeated. Each function is one part
 * of the benchmark and runs in a process of its own (measure-part.ts). Effects: a temporary folder, a chain and the prover's process,
 * all gone at the end.
 */
import { execFileSync } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { sha256 } from "../../../src/base/digest.ts";
import { compileCommitted } from "../../../src/zk/circuit/committed-circuit.ts";
import { compileInference } from "../../../src/zk/circuit/inference-circuit.ts";
import { readIntegerNetwork } from "../../../src/zk/network/from-onnx.ts";
import { countParameters } from "../../../src/zk/network/integer-network.ts";
import { createSnarkjsBackend } from "../../../src/zk/proving/snarkjs-backend.ts";
import { encodeWitness } from "../../../src/zk/r1cs/witness-file.ts";
import { drawBytes } from "../../support/integer-model.ts";
import { roundTo3 } from "../take-turns.ts";
import { measureEzkl } from "./ezkl/measure.ts";
import { findSubject, peerLogRows, smallest } from "./subjects.ts";
import { openVerifierChain } from "./verifier-chain.ts";

export type PartFigures = Readonly<Record<string, string | number | null>>;

const repeats = 3;
const salt = 1n;
const weightsSalt = 3n;
const stepMs = 600_000;
const maxMemoryBytes = 8 * 2 ** 30;

export async function measureModel(name: string): Promise<PartFigures> {
  const { rows, read } = findSubject(name);
  const onnx = read();
  const network = readIntegerNetwork(onnx);
  const bytes = drawBytes(network.inputs * rows, 1);
  const chain = await openVerifierChain();
  try {
    const task = chain.taskSignal;
    const { key, proof, signals, figures } = await measureSteps({
      compile: () => compileInference(readIntegerNetwork(onnx), rows),
      computeWitness: (circuit) => circuit.computeWitness({ bytes, salt, task }),
    });
    const gas = await chain.measureGas({ modelDigest: sha256(Buffer.from(name)), rows, key, proof, signals });
    const proveSecondsPerInference = roundTo3(figures.proveSeconds / rows);
    return { name, parameters: countParameters(network), rows, ...figures, proveSecondsPerInference, gas };
  } finally {
    await chain.close();
  }
}

/** One verifier for all weights of these sizes, which stay with the prover. It has four signals: not of the chain's verifier. */
export async function measureCommitted(): Promise<PartFigures> {
  const network = readIntegerNetwork(smallest.read());
  const bytes = drawBytes(network.inputs, 1);
  const { signals, figures } = await measureSteps({
    compile: () => compileCommitted(network, 1),
    computeWitness: (circuit) => circuit.computeWitness({ network, weightsSalt, bytes, salt, task: 2n }),
  });
  return { name: `${smallest.name} with packed committed weights`, ...figures, signals: signals.length };
}

/** It has no keys: they need powers of tau beyond those for development (.ci/powers-of-tau). */
export async function measureNaive(): Promise<PartFigures> {
  const network = readIntegerNetwork(smallest.read());
  const bytes = drawBytes(network.inputs, 1);
  const [circuit, compileSeconds] = await time(async () => compileCommitted(network, 1, { packing: "naive" }));
  const [, witnessSeconds] = await time(async () =>
    circuit.computeWitness({ network, weightsSalt, bytes, salt, task: 2n }),
  );
  return {
    name: smallest.name,
    constraints: circuit.constraintCount,
    compileSeconds: roundTo3(compileSeconds),
    witnessSeconds: roundTo3(witnessSeconds),
    proveSeconds: null,
    reason: "its keys need powers of tau for 2^17 constraints; those for development serve 2^15",
  };
}

export async function measurePeer(name: string): Promise<PartFigures> {
  const network = readIntegerNetwork(findSubject(name).read());
  const logRows = peerLogRows[name];
  if (logRows === undefined) throw new Error(`The peer is not measured on ${name}.`);
  const folder = runScript("ezkl");
  const bytes = drawBytes(network.inputs, 1);
  const figures = await measureEzkl({ folder, powersOfTauPath: runScript("powers-of-tau"), network, bytes, logRows });
  const rounded = Object.entries(figures).map(([figure, value]) => [figure, roundTo3(value)]);
  return { name, ...Object.fromEntries(rounded) };
}

interface Steps<C> {
  readonly compile: () => C;
  readonly computeWitness: (circuit: C) => bigint[];
}

async function measureSteps<C extends { readonly constraintCount: number; encodeR1cs(): Buffer }>({
  compile,
  computeWitness,
}: Steps<C>) {
  const powersOfTauPath = runScript("powers-of-tau");
  const dir = await mkdtemp(join(tmpdir(), "inferium-bench-"));
  const backend = createSnarkjsBackend({ timeoutMs: stepMs, maxMemoryBytes });
  const files = ["r1cs", "zkey", "wtns"].map((extension) => join(dir, `circuit.${extension}`));
  const [r1csPath = "", zkeyPath = "", witnessPath = ""] = files;
  try {
    const [circuit, compileSeconds] = await time(async () => {
      const compiled = compile();
      await writeFile(r1csPath, compiled.encodeR1cs());
      return compiled;
    });
    tell("compiled", compileSeconds);
    const [key, setupSeconds] = await time(() =>
      backend.setUp({ r1csPath, powersOfTauPath, zkeyPath, contributor: "bench" }),
    );
    tell("set up", setupSeconds);
    const [, witnessSeconds] = await best(async () => writeFile(witnessPath, encodeWitness(computeWitness(circuit))));
    const [{ proof, signals }, proveSeconds] = await best(() => backend.prove({ zkeyPath, witnessPath }));
    tell("proven", proveSeconds);
    const [isValid, verifySeconds] = await best(() => backend.verify({ key, signals, proof }));
    if (!isValid) throw new Error("A proof of the benchmark does not verify.");
    const figures = {
      constraints: circuit.constraintCount,
      compileSeconds: roundTo3(compileSeconds),
      setupSeconds: roundTo3(setupSeconds),
      registrationSeconds: roundTo3(compileSeconds + setupSeconds),
      witnessSeconds: roundTo3(witnessSeconds),
      proveSeconds: roundTo3(proveSeconds),
      verifyMs: roundTo3(verifySeconds * 1000),
    };
    return { figures, key, proof, signals };
  } finally {
    await backend.close();
    await rm(dir, { recursive: true, force: true });
  }
}

/** A script of .ci that fetches a file or folder where it is not there yet, and prints its path. */
export function runScript(name: string): string {
  const script = fileURLToPath(new URL(`../../../.ci/${name}`, import.meta.url));
  return execFileSync(script, { encoding: "utf8" }).trim();
}

function tell(what: string, seconds: number): void {
  console.error(`  ${what}: ${seconds.toFixed(2)} s`);
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
