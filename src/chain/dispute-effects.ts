/**
 * Finds on the chain what a party to a dispute wanted to achieve, whoever did it: a draw, a ruling and its execution are
 * anybody's, and a commitment or a reveal may have gone out before a crash. Called by the outbox.
 */
import type { Log } from "ethers";
import { loadArtifact } from "./artifacts.ts";
import type { ChainClient } from "./client.ts";
import type { JournalEntry, JournalOutcome } from "./journal.ts";
import { findNewestLog } from "./logs.ts";
import { toChainError } from "./revert.ts";

/** What a journalled transaction is for. */
export interface DisputeIntent {
  readonly kind: "approve" | "open" | "draw" | "commit" | "reveal" | "rule" | "execute" | "collect" | "fill";
  readonly dispute: string;
  /** Of the opening, or before it: where searches of the logs begin. */
  readonly fromBlock: number;
  /** Who sends it. */
  readonly account: string;
}

const events: Partial<Record<DisputeIntent["kind"], readonly string[]>> = {
  open: ["Opened"],
  // Too few independent validators: the draw ends the dispute.
  draw: ["Drawn", "Executed"],
  commit: ["Committed"],
  reveal: ["Revealed"],
  rule: ["Ruled"],
  execute: ["Executed"],
};
const ofJuror: readonly string[] = ["Committed", "Revealed"];

export function createDisputeEffectFinder(client: ChainClient) {
  return async ({ payload }: Pick<JournalEntry, "payload">): Promise<JournalOutcome | undefined> => {
    const intent = payload as unknown as DisputeIntent;
    for (const event of events[intent.kind] ?? []) {
      const log = await findLog(client, event, intent);
      if (log !== undefined) return toOutcome(client, log);
    }
    return undefined;
  };
}

function findLog(client: ChainClient, event: string, intent: DisputeIntent): Promise<Log | undefined> {
  const { abi } = loadArtifact("Disputes");
  const values = ofJuror.includes(event) ? [intent.dispute, intent.account] : [intent.dispute];
  const filter = { address: client.addresses.disputes, topics: abi.encodeFilterTopics(event, values) };
  return findNewestLog(client, filter, intent.fromBlock);
}

async function toOutcome(client: ChainClient, log: Log): Promise<JournalOutcome> {
  try {
    const receipt = await client.provider.getTransactionReceipt(log.transactionHash);
    const gasUsed = (receipt?.gasUsed ?? 0n).toString();
    return { txHash: log.transactionHash, blockNumber: log.blockNumber, gasUsed };
  } catch (error) {
    throw toChainError("Reading a receipt", error);
  }
}
