/**
 * Plays a trace again: the same pool, fed with the same events, decides anew, and each decision is held against the one that
 * was recorded. May follow one task and tell why it waited. Pure.
 */
import { signatureOf } from "./columns.ts";
import { checkRequirements, type MismatchReason, profileOf } from "./matching.ts";
import { TaskPool } from "./pool.ts";
import type { ShareLevel } from "./quota.ts";
import type { TakeEvent, TraceEvent } from "./trace.ts";
import type { WaitingTask } from "./waiting-task.ts";

export interface Decision {
  readonly atMs: number;
  readonly worker: string;
  readonly taken: readonly WaitingTask[];
  /** What the record says; the same, unless the rules have changed since. */
  readonly recorded: readonly string[];
}

/** Why a claim did not get the task that is followed. */
export type PassedReason =
  | MismatchReason
  | Exclude<ShareLevel, "Within" | "Borrowing">
  | "OtherTenantsTurn"
  | "OlderTask";

export interface Passed {
  readonly atMs: number;
  readonly worker: string;
  readonly reason: PassedReason;
  /** What the claim got instead. */
  readonly instead?: WaitingTask;
}

export class Replay {
  readonly #followed: string | undefined;
  readonly passed: Passed[] = [];
  /** When the task that is followed came, was given, and ended. */
  readonly story: { readonly atMs: number; readonly what: string }[] = [];
  #pool = new TaskPool();

  constructor(followed?: string) {
    this.#followed = followed;
  }

  /** @returns a decision, where the event was one */
  apply(event: TraceEvent): Decision | undefined {
    if (event.op === "take") return this.#take(event);
    if (event.op === "begin") this.#pool = new TaskPool(event.policies);
    else if ("ids" in event) this.#pool[event.op]();
    else if (event.op === "add" || event.op === "occupy") this.#pool[event.op](event.task as WaitingTask);
    else this.#pool[event.op](event.id);
    this.#tell(event);
    return undefined;
  }

  #take(event: TakeEvent & { readonly atMs: number }): Decision {
    const { atMs, worker, count, excluded, taken: recorded } = event;
    const followed = this.#followed === undefined ? undefined : this.#pool.get(this.#followed);
    const standing = followed && this.#pool.standingOf(followed.id);
    const taken = this.#pool.take({
      count,
      models: worker.models,
      profile: (labels) => profileOf(worker, labels),
      fits: (requirements) => checkRequirements(worker, requirements) === undefined,
      isExcluded: (task) => excluded.includes(signatureOf(task)),
    });
    const decision = { atMs, worker: worker.name, taken, recorded };
    if (!followed || !standing) return decision;
    if (taken.some(({ id }) => id === followed.id)) this.story.push({ atMs, what: `given to ${worker.name}` });
    else this.#notePassed(followed, standing.level, { event, taken });
    return decision;
  }

  #notePassed(
    followed: WaitingTask,
    level: ShareLevel,
    { event, taken }: { readonly event: TakeEvent & { readonly atMs: number }; readonly taken: readonly WaitingTask[] },
  ): void {
    const { atMs, worker } = event;
    const instead = taken.at(-1);
    const reason = this.#reasonOf(followed, level, { event, instead });
    this.passed.push({ atMs, worker: worker.name, reason, ...(instead ? { instead } : {}) });
  }

  #reasonOf(
    followed: WaitingTask,
    level: ShareLevel,
    { event, instead }: { readonly event: TakeEvent; readonly instead: WaitingTask | undefined },
  ): PassedReason {
    const misfit = checkRequirements(event.worker, followed.requirements);
    if (misfit) return misfit;
    if (event.excluded.includes(signatureOf(followed))) return "FailedBefore";
    if (level !== "Within" && level !== "Borrowing") return level;
    return instead?.tenant === followed.tenant ? "OlderTask" : "OtherTenantsTurn";
  }

  #tell(event: TraceEvent): void {
    const { atMs, op } = event;
    const words = { add: "waits", remove: "waits no more", finish: "ended", relax: "has no worker that could take it" };
    const id = op === "add" ? event.task.id : "id" in event ? event.id : undefined;
    if (id === undefined || id !== this.#followed || !(op in words)) return;
    this.story.push({ atMs, what: words[op as keyof typeof words] });
  }
}
