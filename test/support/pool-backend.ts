/** The least that stands behind a pool server in tests; no test framework, so that simulations and fuzzers can use it too. */
import { InferiumError } from "../../src/base/errors.ts";
import type { PoolBackend } from "../../src/pool/backend.ts";

/** Knows everybody, has no work. */
export function aBackend(overrides: Partial<PoolBackend> = {}): PoolBackend {
  return {
    admit: async (account) => ({ node: `node-${account.slice(2, 8).toLowerCase()}` }),
    claim: async () => ({ assignments: [], duties: [] }),
    heartbeat: async () => ({ cancel: [] }),
    receipt: async () => ({ status: "Recorded" }),
    capability: async () => ({ status: "Late" }),
    attest: async () => ({ status: "Recorded" }),
    batch: async () => Promise.reject(new InferiumError("BatchUnknown", "There are no batches.")),
    item: async () => Promise.reject(new InferiumError("ReceiptGone", "There are no receipts.")),
    ...overrides,
  };
}
