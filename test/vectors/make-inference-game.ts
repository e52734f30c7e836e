/**
 * Makes inference-game.json: a registered model, an honest inference with what a defender shows on its way to a tile, and real proofs
 * of two tiles under the tile circuit's key. For the tests of the contracts. Run by hand where the circuit or the trees change,
 * with the path of the development powers of tau (.ci/powers-of-tau).
 */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { hexlify } from "ethers";
import { digestToBytes32 } from "../../src/base/digest.ts";
import type { TileEvidence } from "../../src/protocol/inference-game.ts";
import { digestTensors } from "../../src/protocol/tensors/canonical.ts";
import { compileTile } from "../../src/zk/circuit/tile-circuit.ts";
import { hashSums, toWord } from "../../src/zk/game/block-tree.ts";
import { outputData, readRows } from "../../src/zk/game/check-receipt.ts";
import type { TileTask } from "../../src/zk/game/decide-move.ts";
import { registrationOf } from "../../src/zk/game/game-model.ts";
import { buildEvidence, createTileProver } from "../../src/zk/game/prove-tile.ts";
import { ProofArtifactStore } from "../../src/zk/proving/artifact-store.ts";
import { verifyingKeyWords } from "../../src/zk/proving/groth16.ts";
import { createSnarkjsBackend } from "../../src/zk/proving/snarkjs-backend.ts";
import { aGameCase } from "../support/game-case.ts";

const path = process.argv[2];
if (path === undefined) throw new Error("Give the path of the powers of tau, as .ci/powers-of-tau prints it.");
const dir = await mkdtemp(join(tmpdir(), "inferium-game-"));
const store = new ProofArtifactStore(dir);
const backend = createSnarkjsBackend({ timeoutMs: 600_000 });
const row = 1;

try {
  const { model, input, output, bytes, rows } = aGameCase();
  const trace = readRows(model, input).traceOf(row);
  const { verifyingKey, provingKeyDigest } = await setUpTile(path);
  const prove = createTileProver({ store, backend, provingKeyDigest });
  const tasks: TileTask[] = [
    { kind: "proveTile", layer: 1, block: 1, tile: 1 },
    { kind: "proveTile", layer: 1, block: 1, tile: 0 },
  ];
  const proven: TileEvidence[] = [];
  for (const task of tasks) proven.push(await prove(task, trace));
  const last: TileTask = { kind: "proveTile", layer: 2, block: 0, tile: 1 };
  const registration = registrationOf(model);
  const words = (values: readonly (number | bigint)[]) =>
    values.map((value) => toWord(BigInt.asUintN(256, BigInt(value))));
  const spell = (evidence: Omit<(typeof proven)[number], "proof">, proof: readonly bigint[] = []) => ({
    sumsBefore: words(evidence.sumsBefore),
    biasProof: evidence.biasProof,
    block31: toWord(evidence.block31),
    blockProof: evidence.blockProof,
    weights: toWord(evidence.weights),
    weightsProof: evidence.weightsProof,
    sums: words(evidence.sums),
    proof: words(proof),
  });
  const vector = {
    modelDigest: digestToBytes32(model.modelDigest),
    layerInputs: words(registration.layers.map(({ inputs }) => inputs)),
    layerOutputs: words(registration.layers.map(({ outputs }) => outputs)),
    layerShifts: words(registration.layers.map(({ shift }) => shift)),
    weightsRoots: registration.layers.map(({ weightsRoot }) => weightsRoot),
    biasRoots: registration.layers.map(({ biasRoot }) => biasRoot),
    row,
    rows,
    input: hexlify(bytes),
    inputDigest: digestToBytes32(digestTensors(input)),
    outputDigest: digestToBytes32(digestTensors(output)),
    label: hexlify(outputData(output)[0]!),
    logits: hexlify(outputData(output)[1]!),
    score: hexlify(outputData(output)[2]!),
    rowLogits: words(trace.logits()),
    roots: Array.from({ length: trace.depth + 1 }, (_, layer) => trace.tree(layer).root),
    blocks: [trace.tree(1).node(0, 0), trace.tree(1).node(0, 1)],
    blockSums: words([...trace.sumsAfter(1, 1, 3)]),
    partialSums: [0, 1, 2, 3].map((tiles) => hashSums(trace.sumsAfter(1, 1, tiles))),
    lastSums: words([...trace.sumsAfter(2, 0, 2)]),
    lastPartialSums: [0, 1, 2].map((tiles) => hashSums(trace.sumsAfter(2, 0, tiles))),
    middleTile: spell(proven[0]!, proven[0]?.proof),
    firstTile: spell(proven[1]!, proven[1]?.proof),
    lastTile: spell(buildEvidence(last, trace)),
    key: words(verifyingKeyWords(verifyingKey)),
  };
  await writeFile(new URL("./inference-game.json", import.meta.url), `${JSON.stringify(vector, undefined, 2)}\n`);
} finally {
  await backend.close();
  await rm(dir, { recursive: true, force: true });
}

async function setUpTile(powersOfTauPath: string) {
  return store.withTemporary(async (r1csPath) => {
    await writeFile(r1csPath, compileTile().encodeR1cs());
    return store.withTemporary(async (zkeyPath) => {
      const verifyingKey = await backend.setUp({ r1csPath, powersOfTauPath, zkeyPath, contributor: "test" });
      return { verifyingKey, provingKeyDigest: await store.keep(zkeyPath) };
    });
  });
}
