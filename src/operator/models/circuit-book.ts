/**
 * Circuits that the chain's ModelRegistry has for models, as its events tell: which a Model's results can be proven by. Filled anew in
 * each term; a verifying key is read once, when it is first asked for.
 */
import type { ModelStatus } from "../../api/v1alpha1/generated/models.ts";
import type { ChainEvent } from "../../chain/chain-event.ts";
import { digestVerifyingKey, verifyingKeyFromWords } from "../../zk/proving/groth16.ts";
import type { ChainLink } from "../chain-link.ts";

export type ModelCircuit = NonNullable<ModelStatus["circuits"]>[number];

/** As the custom resource takes them. */
const maxCircuits = 32;

export class CircuitBook {
  readonly #link: Pick<ChainLink, "client">;
  /** Numbers of rows by digest of the model as 0x-hex. */
  readonly #rows = new Map<string, Set<number>>();
  /** By digest and rows: what is registered is never changed. */
  readonly #read = new Map<string, ModelCircuit>();

  constructor(link: Pick<ChainLink, "client">) {
    this.#link = link;
  }

  /** @returns the model's digest where there is something new of it */
  observe(event: ChainEvent): string | undefined {
    if (event.kind !== "ModelRegistered") return undefined;
    const known = this.#rows.get(event.modelDigest) ?? new Set<number>();
    this.#rows.set(event.modelDigest, known);
    if (known.has(event.rows)) return undefined;
    known.add(event.rows);
    return `sha256:${event.modelDigest.slice(2)}`;
  }

  /** Ascending by rows. @throws InferiumError ChainUnavailable, RpcFailed */
  async of(digest: string): Promise<ModelCircuit[]> {
    const modelDigest = digest.replace("sha256:", "0x");
    const rows = [...(this.#rows.get(modelDigest) ?? [])].sort((a, b) => a - b).slice(0, maxCircuits);
    const found = await Promise.all(rows.map((count) => this.#readOne(modelDigest, count)));
    return found.filter((circuit) => circuit !== undefined);
  }

  async #readOne(modelDigest: string, rows: number): Promise<ModelCircuit | undefined> {
    const key = `${modelDigest} ${rows}`;
    const known = this.#read.get(key);
    if (known) return known;
    const circuit = await this.#link.client.circuit(modelDigest, rows);
    // Taken back by a reorganisation since.
    if (circuit === undefined) return undefined;
    const verifyingKeyDigest = digestVerifyingKey(verifyingKeyFromWords(circuit.keyWords));
    const r1csDigest = circuit.r1csDigest.replace("0x", "sha256:");
    const read = { rows, r1csDigest, verifyingKeyDigest, development: circuit.isDevelopment };
    this.#read.set(key, read);
    return read;
  }
}
