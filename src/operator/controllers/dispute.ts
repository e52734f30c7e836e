/**
 * After the settlement: what disputes over its result mean for a task. The chain is asked for where each stands, since events may
 * come late or again; Disputed says that one is open, Overturned that a jury found the result wrong. The batch stays: the penalty
 * comes out of the stakes of the worker and of those who approved, not out of what was credited.
 */
import { isConditionTrue } from "../../api/v1alpha1/conditions.ts";
import type { InferenceTaskStatus } from "../../api/v1alpha1/generated/inferencetasks.ts";
import type { Clock } from "../../base/clock.ts";
import type { Logger } from "../../base/log.ts";
import type { DisputeReader } from "../../chain/dispute-reader.ts";
import type { Reconcile } from "../../kube/controller.ts";
import type { DisputeView } from "../../protocol/dispute.ts";
import { disputeTask, overturnTask, type TaskDispute } from "../../protocol/lifecycle.ts";
import type { ChangeContext } from "../../protocol/status-change.ts";
import type { DisputeBook, KnownDispute } from "../dispute-book.ts";
import type { TaskEntry, TaskLedger } from "../ledger.ts";
import { describeOverturned, type ReputationBook } from "../reputation-book.ts";
import type { TellTask } from "../task-events.ts";
import type { TaskFinder } from "../task-finder.ts";

export interface DisputeOptions {
  readonly book: DisputeBook;
  readonly finder: TaskFinder;
  readonly ledger: TaskLedger;
  readonly reader: () => Pick<DisputeReader, "dispute" | "accused">;
  /** Of a member with this address. */
  readonly nameOf: (address: string) => string | undefined;
  readonly reputations: Pick<ReputationBook, "record">;
  readonly clock: Clock;
  readonly tell: TellTask;
  readonly logger: Logger;
}

/** The task's own status may come a moment after the chain's. */
const lookAgainMs = 2_000;

interface Standing {
  readonly known: KnownDispute;
  readonly view: DisputeView;
  readonly accused: readonly string[];
}

/** Keys are ids of tasks on the chain. */
export function createDisputeStage(options: DisputeOptions): Reconcile {
  return async (taskId) => {
    const entry = options.finder.find(taskId);
    const attempt = entry?.status.receipt?.message.attempt;
    // An approval of an attempt that did not count may be disputed as well; it says nothing of this result.
    const disputes = options.book.of(taskId).filter((known) => known.attempt === attempt);
    if (!entry || disputes.length === 0) return undefined;
    if (!isConditionTrue(entry.status.conditions, "Settled")) return { requeueAfterMs: lookAgainMs };
    const reader = options.reader();
    const standings: Standing[] = [];
    for (const known of disputes)
      standings.push({ known, view: await reader.dispute(known.id), accused: await reader.accused(known.id) });
    await apply(options, entry, standings);
    return undefined;
  };
}

async function apply(options: DisputeOptions, entry: TaskEntry, standings: readonly Standing[]): Promise<void> {
  let news: (() => void) | undefined;
  const after = await options.ledger.change(entry.key, {
    uid: entry.uid,
    stage: "dispute",
    durable: true,
    decide: (status, context) => {
      const decided = decide(options, status, { standings, context });
      news = decided && (() => options.tell(entry.task, decided.news, decided.message));
      return decided?.next;
    },
  });
  news?.();
  const { assignment, conditions } = after.status;
  if (assignment && isConditionTrue(conditions, "Overturned"))
    options.reputations.record(describeOverturned(entry.uid, assignment, options.clock.now()));
}

interface Decided {
  readonly next: InferenceTaskStatus;
  readonly news: "Disputed" | "Overturned";
  readonly message: string;
}

function decide(
  options: DisputeOptions,
  status: InferenceTaskStatus,
  { standings, context }: { readonly standings: readonly Standing[]; readonly context: ChangeContext },
): Decided | undefined {
  if (isConditionTrue(status.conditions, "Overturned")) return undefined;
  const overturned = standings.find(({ view }) => view.state === "Closed" && view.ruling === "Overturned");
  if (overturned) {
    const message = explainOverturned(options, overturned);
    options.logger.warn("a settled result was overturned", {
      task: status.receipt?.message.taskId,
      dispute: overturned.known.id,
    });
    return { next: overturnTask(status, { message }, context), news: "Overturned", message };
  }
  const latest = standings.find(({ view }) => view.state !== "Closed") ?? standings.at(-1);
  if (!latest) return undefined;
  const dispute = describe(options, latest);
  const known = status.conditions?.find(({ type }) => type === "Disputed");
  if (known?.reason === dispute.reason && known.message === dispute.message) return undefined;
  return { next: disputeTask(status, dispute, context), news: "Disputed", message: dispute.message };
}

function describe({ nameOf }: DisputeOptions, { known, view, accused }: Standing): TaskDispute {
  const names = accused.map((address) => nameOf(address) ?? address).join(", ");
  const challenger = nameOf(known.challenger) ?? known.challenger;
  const what = `Dispute ${known.id} of ${challenger} against ${names}`;
  if (view.state === "Closed")
    return { isOpen: false, reason: `Dispute${view.ruling}`, message: `${what} ended: ${view.ruling}.` };
  if (view.state === "Ruled")
    return {
      isOpen: true,
      reason: `Ruled${view.ruling}`,
      message: `${what} is ruled: ${view.ruling}, not executed yet.`,
    };
  return { isOpen: true, reason: "DisputeOpened", message: `${what} is before the jury.` };
}

function explainOverturned({ nameOf }: DisputeOptions, { known, view, accused }: Standing): string {
  const names = accused.map((address) => nameOf(address) ?? address).join(", ");
  const worker = nameOf(view.worker) ?? view.worker;
  return `A jury found the result wrong (dispute ${known.id}, ${view.overturn} votes): ${names}, who approved it, lost stake and seat; ${worker}, who signed it, was slashed.`;
}
