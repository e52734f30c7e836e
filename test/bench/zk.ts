/**
 * What a proof of inference costs: constraints, registering a model (compiling its circuit and making its keys), witness, proof and
 * verification, here and on the chain. Beside it, on the smallest model, circuits whose weights are committed inputs: packed, and naive,
 * which takes one hash input and one product for each weight, and the time that snarkjs takes to make the same keys; and a peer, EZKL's engine, on models that it proves in reasonable time.
 * One part after another, each in its own process and within its own time; all of them within twelve minutes. A part that fails
 * says so in its place.
 */
import { roundTo3 } from "./take-turns.ts";
import { type PartResult, runPart } from "./zk/run-part.ts";
import { findSubject, peerLogRows, smallest, subjects } from "./zk/subjects.ts";

export interface ZkBenchOptions {
  /** Of `subjects`; all of them if left out. */
  readonly models?: readonly string[] | undefined;
}

const modelMs = 240_000;
const naiveMs = 120_000;
const peerMs = 240_000;
const wholeMs = 660_000;

export async function benchZk({ models: names = subjects.map(({ name }) => name) }: ZkBenchOptions = {}) {
  for (const name of names) findSubject(name);
  const deadline = performance.now() + wholeMs;
  const run = (kind: Parameters<typeof runPart>[0]["kind"], name: string, timeoutMs: number) =>
    runPart({ kind, name, timeoutMs: Math.min(timeoutMs, Math.round(deadline - performance.now())) });
  // The comparison first: it must be in the same run as the models that it is with.
  const isCompared = (name: string) => Object.hasOwn(peerLogRows, name);
  const results = new Map<string, PartResult>();
  for (const name of names.filter(isCompared)) results.set(name, await run("model", name, modelMs));
  const hasSmallest = results.has(smallest.name);
  const naive = hasSmallest ? await run("naive", smallest.name, naiveMs) : undefined;
  const peers = [];
  for (const name of names.filter(isCompared)) peers.push(await run("peer", name, peerMs));
  for (const name of names.filter((other) => !isCompared(other))) results.set(name, await run("model", name, modelMs));
  const committed = hasSmallest ? await run("committed", smallest.name, modelMs) : undefined;
  const setups = hasSmallest ? await run("setups", smallest.name, modelMs) : undefined;
  return {
    backend: "snarkjs",
    setup: "development",
    models: names.map((name) => results.get(name)),
    committed,
    setups,
    naive: naive && { ...naive, fewerConstraints: ratio(naive, results.get(smallest.name), "constraints") },
    peer: {
      name: "@ezkljs/engine 21.0.0",
      models: peers.map((peer) => ({ ...peer, slower: ratio(peer, results.get(String(peer.name)), "proveSeconds") })),
      differences: [
        "it runs as WebAssembly on one thread; its native program, which is not on npm, is faster",
        "its circuit has weights as constants too, but no commitment to the input, no step back to bytes, no arg max and no task",
        "it needs no ceremony for each circuit",
        "each of its steps is timed once, ours are the best of three but for compiling and set-up",
      ],
    },
  };
}

/** null where one of the two was not measured. */
function ratio(other: PartResult, own: PartResult | undefined, figure: string): number | null {
  const [left, right] = [other, own].map((result) => (result as Record<string, unknown> | undefined)?.[figure]);
  return typeof left === "number" && typeof right === "number" ? roundTo3(left / right) : null;
}
