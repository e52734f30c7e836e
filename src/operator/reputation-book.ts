/**
 * Stage 9: the record of every worker, kept up by outcomes and written down a moment later. After a restart the outcomes
 * that came after the last save are found again in the tasks; each counts once, told apart by task and attempt.
 */
import type { Clock } from "../base/clock.ts";
import { describeError } from "../base/errors.ts";
import type { Logger } from "../base/log.ts";
import { computeScore, newcomer, type Outcome, type Reputation, recordOutcome } from "../protocol/reputation.ts";
import type { TaskEntry } from "./ledger.ts";
import type { RecordStore } from "./record-store.ts";

export interface WorkerOutcome {
  /** Name of the WorkerNode. */
  readonly worker: string;
  /** uid/attempt */
  readonly id: string;
  readonly outcome: Outcome;
  readonly atMs: number;
}

export interface ReputationBookOptions {
  readonly store: RecordStore;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly onChange: (worker: string) => void;
}

interface Snapshot {
  readonly workers: Readonly<Record<string, Reputation>>;
  readonly recent: readonly string[];
  readonly savedAtMs: number;
}

const recordName = "workers";
const saveEveryMs = 5_000;
/** Outcomes remembered by id: more than can happen between two saves. */
const maxRecent = 8_192;
/** Times in statuses have whole seconds. */
const replayMarginMs = 60_000;

export class ReputationBook {
  readonly #options: ReputationBookOptions;
  readonly #workers = new Map<string, Reputation>();
  readonly #recent = new Set<string>();
  #savedAtMs = 0;
  #dirty = false;

  constructor(options: ReputationBookOptions) {
    this.#options = options;
  }

  of(worker: string): Reputation {
    return this.#workers.get(worker) ?? newcomer;
  }

  scoreOf(worker: string): number {
    return computeScore(this.of(worker), this.#options.clock.now());
  }

  record(outcome: WorkerOutcome): void {
    if (this.#recent.has(outcome.id)) return;
    this.#recent.add(outcome.id);
    const [oldest] = this.#recent;
    if (this.#recent.size > maxRecent && oldest !== undefined) this.#recent.delete(oldest);
    this.#workers.set(outcome.worker, recordOutcome(this.of(outcome.worker), outcome));
    this.#dirty = true;
    this.#options.onChange(outcome.worker);
  }

  async load(): Promise<void> {
    const snapshot = (await this.#options.store.load(recordName)) as Snapshot | undefined;
    if (!snapshot) return;
    for (const [worker, state] of Object.entries(snapshot.workers)) this.#workers.set(worker, state);
    for (const id of snapshot.recent) this.#recent.add(id);
    this.#savedAtMs = snapshot.savedAtMs;
  }

  /** What the tasks say happened since the last save, in order of time. */
  replay(entries: Iterable<TaskEntry>): void {
    const since = this.#savedAtMs - replayMarginMs;
    const outcomes = [...entries].flatMap(listOutcomes).filter(({ atMs }) => atMs >= since);
    for (const outcome of outcomes.sort((a, b) => a.atMs - b.atMs)) this.record(outcome);
  }

  /** Saves what changed, every few seconds and at the end. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.#options.clock.sleep(saveEveryMs, signal).catch(() => undefined);
      await this.#save().catch((error: unknown) => {
        this.#options.logger.warn("reputation is not saved yet", { error: describeError(error) });
      });
    }
  }

  async #save(): Promise<void> {
    if (!this.#dirty) return;
    this.#dirty = false;
    const savedAtMs = this.#options.clock.now();
    const snapshot: Snapshot = { workers: Object.fromEntries(this.#workers), recent: [...this.#recent], savedAtMs };
    try {
      await this.#options.store.save({ name: recordName, fields: { workers: String(this.#workers.size) } }, snapshot);
      this.#savedAtMs = savedAtMs;
    } catch (error) {
      this.#dirty = true;
      throw error;
    }
  }
}

/** A result that was accepted and that a jury overturned later counts as a rejected one besides. */
export function describeOverturned(
  uid: string,
  { worker, attempt }: { readonly worker: string; readonly attempt: number },
  atMs: number,
): WorkerOutcome {
  return { worker, outcome: "Rejected", id: `${uid}/${attempt}/overturned`, atMs };
}

function listOutcomes({ uid, status }: TaskEntry): WorkerOutcome[] {
  const outcomes: WorkerOutcome[] = [];
  for (const { attempt, worker, outcome, endedAt } of status.attempts ?? []) {
    // These say nothing about the worker.
    if (outcome === "Inconclusive" || outcome === "Preempted" || endedAt === undefined) continue;
    outcomes.push({ worker, outcome, id: `${uid}/${attempt}`, atMs: Date.parse(endedAt) });
  }
  const validated = status.conditions?.find(({ type, status }) => type === "Validated" && status === "True");
  if (validated && status.assignment) {
    const { worker, attempt } = status.assignment;
    outcomes.push({
      worker,
      outcome: "Completed",
      id: `${uid}/${attempt}`,
      atMs: Date.parse(validated.lastTransitionTime),
    });
  }
  const overturned = status.conditions?.find(({ type, status }) => type === "Overturned" && status === "True");
  if (overturned && status.assignment)
    outcomes.push(describeOverturned(uid, status.assignment, Date.parse(overturned.lastTransitionTime)));
  return outcomes;
}
