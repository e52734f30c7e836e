/**
 * Stage 8: proofs that a validator endorsed and others of its panel found not to hold. Written down before the panel votes in the
 * proof's place, since after that nobody holds the evidence; off the books once the chain has judged.
 */
import type { BadProofEvidence } from "../chain/proofs.ts";
import { hashProofWords } from "../protocol/proof.ts";
import { RecordBook } from "./record-book.ts";
import type { RecordStore } from "./record-store.ts";

export type BadProofBook = RecordBook<BadProofEvidence>;

export function createBadProofBook(store: RecordStore): BadProofBook {
  return new RecordBook({
    store,
    nameOf: ({ proof, validator }) =>
      `${hashProofWords(proof.words).slice(2, 26)}-${validator.slice(2, 14).toLowerCase()}`,
    fieldsOf: ({ proof, validator }) => ({ validator, task: proof.taskId }),
  });
}
