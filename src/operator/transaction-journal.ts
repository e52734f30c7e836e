/**
 * The outbox's journal in ConfigMaps: what was signed is there before it is broadcast, for whichever process leads next.
 * Finished transactions are kept for a while, for people.
 */

import { sha256 } from "../base/digest.ts";
import type { JournalEntry, JournalStore } from "../chain/journal.ts";
import type { RecordStore, StoredRecord } from "./record-store.ts";

/** Finished transactions that are kept. */
const keptEntries = 256;

export function createTransactionJournal(store: RecordStore): JournalStore {
  const finished: StoredRecord[] = [];
  return {
    async load() {
      const heads = (await store.list()).sort((a, b) => Number(a.fields.nonce) - Number(b.fields.nonce));
      const entries = await Promise.all(heads.map(({ name }) => store.load(name)));
      return entries.filter((entry) => entry !== undefined) as JournalEntry[];
    },
    async save(entry) {
      const { id, subject, nonce, txHash, status, from, rawTransaction } = entry;
      const fields = { id, subject, nonce: String(nonce), txHash, status, from, rawTransaction };
      const record = { name: nameOf(id), fields };
      await store.save(record, entry);
      if (status === "signed") return;
      finished.push(record);
      // Last: a failure here must not make the outbox think that the entry was not saved.
      if (finished.length > keptEntries) await store.remove(finished.shift() ?? record).catch(() => undefined);
    },
  };
}

/** Ids hold slashes; names may not. */
function nameOf(id: string): string {
  return sha256(id).slice("sha256:".length, "sha256:".length + 40);
}
