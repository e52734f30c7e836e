/**
 * Sends what happens on the chain to whoever must look at it: slashes and payments to the earnings, bonds to the bond book,
 * disputes to their stage; drains who is banned and lets go of validators that were removed. Runs for one term.
 */
import type { Clock } from "../base/clock.ts";
import type { Logger } from "../base/log.ts";
import type { ChainEvent } from "../chain/chain-event.ts";
import { watchEvents } from "../chain/events.ts";
import { objectKey } from "../kube/object.ts";
import type { EndAttempt } from "./attempt-end.ts";
import type { Books } from "./books.ts";
import type { ChainLink } from "./chain-link.ts";
import type { OperatorConfig } from "./config.ts";
import type { Earnings } from "./earnings.ts";
import type { Lanes } from "./lanes.ts";

export interface FollowChainParts {
  readonly books: Books;
  readonly lanes: Lanes;
  readonly earnings: Earnings;
  readonly endAttempt: EndAttempt;
  readonly link: ChainLink;
  readonly config: OperatorConfig;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly onEvent: (event: ChainEvent) => void;
}

const pollMs = 1_000;

/** Resolves when the signal is aborted. */
export async function followChain(parts: FollowChainParts, signal: AbortSignal): Promise<void> {
  const { link, config, clock, logger } = parts;
  const { fromBlock, confirmations } = config.chain;
  const changed = new Set<string>();
  const onEvent = async (event: ChainEvent) => {
    if ("node" in event) changed.add(event.node);
    await handle(parts, event);
  };
  // A term begins with all that ever happened: who bonded is asked for once, not for each of its events.
  const onRange = async () => {
    if (changed.size > 0) await parts.books.bonds.refresh([...changed]);
    changed.clear();
  };
  const watched = { client: link.client, fromBlock, pollMs, confirmations };
  await watchEvents({ ...watched, onEvent, onRange, logger, signal, clock });
}

/** Events may come more than once. */
async function handle(parts: FollowChainParts, event: ChainEvent): Promise<void> {
  const { books, lanes, earnings } = parts;
  earnings.observe(event);
  parts.onEvent(event);
  if (event.kind === "Disqualified") await drain(parts, event.node);
  const taskId = books.disputes.observe(event);
  if (taskId !== undefined) lanes.add("dispute", taskId);
  const registered = books.circuits.observe(event);
  for (const model of registered === undefined ? [] : books.catalog.listByDigest(registered))
    lanes.add("model", objectKey(model));
  if (event.kind !== "Rotated") return;
  // Who was removed is not drawn any more, and what it signs counts for nothing.
  await books.bonds.refresh([]);
  mirrorAll(parts);
}

/** A banned worker gets nothing more to do, and what it is doing is given to others at once. */
async function drain(parts: FollowChainParts, address: string): Promise<void> {
  const { books, endAttempt } = parts;
  const worker = books.directory.findByAddress(address);
  if (!worker) return;
  await books.bans.ban(worker);
  const message = "The registry banned the worker for ever.";
  for (const key of books.workload.of(worker.metadata.name)) {
    const entry = books.ledger.get(key);
    const attempt = entry?.status.assignment?.attempt;
    if (entry && attempt !== undefined)
      await endAttempt(entry, { attempt, outcome: "Failed", reason: "WorkerBanned", message, durable: true });
  }
  mirrorAll(parts);
}

function mirrorAll({ books, lanes }: FollowChainParts): void {
  for (const worker of books.directory.list()) lanes.add("mirror", worker.metadata.name);
}
