/**
 * Proves one inference: computes the witness from the model and the input, and has the backend make the proof. Circuits are
 * compiled once for each model and kept. Called by validators. Effects: temporary files.
 */
import { writeFile } from "node:fs/promises";
import { type Digest, parseDigest, sha256 } from "../../base/digest.ts";
import { InferiumError } from "../../base/errors.ts";
import type { NamedTensors } from "../../protocol/tensors/tensor.ts";
import { compileInference, type InferenceCircuit } from "../circuit/inference-circuit.ts";
import { readIntegerNetwork } from "../network/from-onnx.ts";
import { encodeWitness } from "../r1cs/witness-file.ts";
import { computeTaskSignal, readInputRows, type TaskBinding } from "../statement.ts";
import type { ProofArtifactStore } from "./artifact-store.ts";
import type { CircuitRecord } from "./circuit-record.ts";
import type { Groth16Proof } from "./groth16.ts";
import type { ProvingBackend } from "./proving-backend.ts";
import { withScratchFile } from "./scratch-file.ts";

export interface ProvenInference {
  /** What it was made for, as its maker says. */
  readonly taskId: string;
  readonly attempt: number;
  readonly worker: string;
  readonly modelDigest: Digest;
  readonly rows: number;
  readonly verifyingKeyDigest: Digest;
  /** Opens the input's commitment; for those alone who may see the input. */
  readonly salt: string;
  /** Decimal: inputCommitment, result, task. */
  readonly signals: readonly [string, string, string];
  readonly proof: Groth16Proof;
}

export interface ProofRequest {
  readonly onnx: Uint8Array;
  readonly input: NamedTensors;
  readonly salt: bigint;
  readonly task: TaskBinding;
}

const maxCircuits = 8;

export class InferenceProver {
  readonly #store: ProofArtifactStore;
  readonly #backend: ProvingBackend;
  readonly #circuits = new Map<string, InferenceCircuit>();

  constructor(store: ProofArtifactStore, backend: ProvingBackend) {
    this.#store = store;
    this.#backend = backend;
  }

  /** @throws InferiumError NotRegistered, InvalidInput and of the backend */
  async prove({ onnx, input, salt, task }: ProofRequest, signal?: AbortSignal): Promise<ProvenInference> {
    const modelDigest = sha256(onnx);
    const { bytes, rows } = readInputRows(readIntegerNetwork(onnx), input);
    const record = await this.requireRecord(modelDigest, rows);
    const circuit = this.#circuitOf(onnx, record);
    const witness = circuit.computeWitness({ bytes, salt, task: computeTaskSignal(task) });
    const zkeyPath = await this.#store.open(record.provingKeyDigest);
    const { proof, signals } = await withScratchFile(async (witnessPath) => {
      await writeFile(witnessPath, encodeWitness(witness));
      return this.#backend.prove({ zkeyPath, witnessPath }, signal);
    });
    const [inputCommitment = 0n, result = 0n, taskSignal = 0n] = signals;
    const { taskId, attempt, worker } = task;
    return {
      ...{ taskId, attempt, worker },
      modelDigest,
      rows,
      verifyingKeyDigest: record.verifyingKeyDigest,
      salt: String(salt),
      signals: [String(inputCommitment), String(result), String(taskSignal)],
      proof,
    };
  }

  /** What is known here of the circuit that proves so many rows. @throws InferiumError NotRegistered, InvalidDigest */
  async requireRecord(model: string, rows: number): Promise<CircuitRecord> {
    const record = await this.#store.readRecord(parseDigest(model), rows);
    if (record !== undefined) return record;
    throw new InferiumError(
      "NotRegistered",
      `The model ${model} is not registered for proofs of ${rows} rows. Register it, or use another verification policy.`,
    );
  }

  #circuitOf(onnx: Uint8Array, { modelDigest, rows }: CircuitRecord): InferenceCircuit {
    const key = `${modelDigest} ${rows}`;
    const known = this.#circuits.get(key);
    const circuit = known ?? compileInference(readIntegerNetwork(onnx), rows);
    // Last in the map is used last.
    this.#circuits.delete(key);
    this.#circuits.set(key, circuit);
    const [oldest] = this.#circuits.keys();
    if (this.#circuits.size > maxCircuits && oldest !== undefined) this.#circuits.delete(oldest);
    return circuit;
  }
}
