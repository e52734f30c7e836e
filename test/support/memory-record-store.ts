import type { RecordStore, StoredRecord } from "../../src/operator/record-store.ts";

/** What a RecordStore keeps, without the cluster. */
export function aRecordStore(): RecordStore {
  const records = new Map<string, { readonly fields: StoredRecord["fields"]; readonly body: unknown }>();
  return {
    list: async () => [...records].map(([name, { fields }]) => ({ name, fields })),
    save: async ({ name, fields }: StoredRecord, body: unknown) => void records.set(name, { fields, body }),
    load: async (name: string) => records.get(name)?.body,
    remove: async ({ name }: StoredRecord) => void records.delete(name),
  } as unknown as RecordStore;
}
