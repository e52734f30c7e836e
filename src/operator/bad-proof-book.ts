/**
 * Stage 8: proofs that a validator endorsed and others of its panel found not to hold. Written down before the panel votes in the
 * proof's place, since after that nobody holds the evidence; off the books once the chain has judged.
 */
import type { BadProofEvidence } from "../chain/proofs.ts";
import { hashProofWords } from "../protocol/proof.ts";
import type { RecordStore } from "./record-store.ts";

export class BadProofBook {
  readonly #store: RecordStore;
  readonly #evidence = new Map<string, BadProofEvidence>();

  constructor(store: RecordStore) {
    this.#store = store;
  }

  async load(): Promise<void> {
    for (const { name } of await this.#store.list()) {
      const evidence = (await this.#store.load(name)) as BadProofEvidence | undefined;
      if (evidence) this.#evidence.set(name, evidence);
    }
  }

  get(name: string): BadProofEvidence | undefined {
    return this.#evidence.get(name);
  }

  names(): string[] {
    return [...this.#evidence.keys()];
  }

  /** @returns its name, once it would survive a crash */
  async add(evidence: BadProofEvidence): Promise<string> {
    const { proof, validator } = evidence;
    const name = `${hashProofWords(proof.words).slice(2, 26)}-${validator.slice(2, 14).toLowerCase()}`;
    if (!this.#evidence.has(name)) {
      await this.#store.save({ name, fields: { validator, task: proof.taskId } }, evidence);
      this.#evidence.set(name, evidence);
    }
    return name;
  }

  async remove(name: string): Promise<void> {
    await this.#store.remove({ name, fields: {} });
    this.#evidence.delete(name);
  }
}
