/**
 * Proves one tile and gathers all that the contract wants to see with it. Called by the defender, once in a game. Effects: a temporary
 * file.
 */
import { writeFile } from "node:fs/promises";
import type { Digest } from "../../base/digest.ts";
import type { TileEvidence } from "../../protocol/inference-game.ts";
import { compileTile, type TileCircuit } from "../circuit/tile-circuit.ts";
import type { ProofArtifactStore } from "../proving/artifact-store.ts";
import { proofWords } from "../proving/groth16.ts";
import type { ProvingBackend } from "../proving/proving-backend.ts";
import { withScratchFile } from "../proving/scratch-file.ts";
import { encodeWitness } from "../r1cs/witness-file.ts";
import type { TileTask } from "./decide-move.ts";
import type { InferenceTrace } from "./inference-trace.ts";
import { computeTileSums, packBlock, packTileSums, packTileWeights } from "./tile.ts";

export interface TileProverOptions {
  readonly store: ProofArtifactStore;
  readonly backend: ProvingBackend;
  /** Of the tile circuit, in the store. */
  readonly provingKeyDigest: Digest;
}

export type ProveTile = (task: TileTask, trace: InferenceTrace, signal?: AbortSignal) => Promise<TileEvidence>;

export function createTileProver({ store, backend, provingKeyDigest }: TileProverOptions): ProveTile {
  let circuit: TileCircuit | undefined;
  return async (task, trace, signal) => {
    circuit ??= compileTile();
    const { weights, block } = operandsOf(task, trace);
    const witness = circuit.computeWitness({ block: packBlock(block), weights: packTileWeights(weights) });
    const zkeyPath = await store.open(provingKeyDigest);
    const { proof } = await withScratchFile(async (witnessPath) => {
      await writeFile(witnessPath, encodeWitness(witness));
      return backend.prove({ zkeyPath, witnessPath }, signal);
    });
    return { ...buildEvidence(task, trace), proof: proofWords(proof) };
  };
}

/** Everything but the proof. */
export function buildEvidence(task: TileTask, trace: InferenceTrace): Omit<TileEvidence, "proof"> {
  const { layer: number, block: index, tile } = task;
  const layer = trace.layer(number);
  const { weights, block } = operandsOf(task, trace);
  const place = index * layer.tiles + tile;
  return {
    sumsBefore: [...trace.sumsAfter(number, index, tile)],
    biasProof: tile === 0 ? layer.biasTree.proof(index) : [],
    block31: packBlock(block),
    blockProof: trace.tree(number - 1).proof(tile),
    weights: layer.commitments[place] ?? 0n,
    weightsProof: layer.weightsTree.proof(place),
    sums: packTileSums(computeTileSums(weights, block)),
  };
}

function operandsOf({ layer, block, tile }: TileTask, trace: InferenceTrace) {
  const weights = trace.layer(layer).weightsOf(block, tile);
  return { weights, block: trace.activations(layer - 1)[tile] ?? new Uint8Array() };
}
