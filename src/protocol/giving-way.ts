/** Stage 2: which running tasks of the pool were told to give way, to other tenants and to higher priorities of their own. Mutable. */
import type { Columns } from "./columns.ts";
import type { FairShare, Tenant } from "./fair-share.ts";
import type { Lane } from "./lane.ts";
import { findOutranked } from "./outrank.ts";
import { decideReclaim } from "./reclaim.ts";
import type { TaskTable } from "./task-table.ts";

export class GivingWay {
  readonly #share: FairShare;
  readonly #columns: Columns;
  readonly #table: TaskTable<Lane>;
  /** Within which priority preempts, and of which something has changed. */
  readonly #changed = new Set<Tenant>();

  constructor(share: FairShare, columns: Columns, table: TaskTable<Lane>) {
    this.#share = share;
    this.#columns = columns;
    this.#table = table;
  }

  /** Something about the tenant changed. */
  note(tenant: Tenant): void {
    if (tenant.outranks) this.#changed.add(tenant);
  }

  reclaim(): string[] {
    const ids: string[] = [];
    for (const cohort of this.#share.cohorts()) {
      if (!cohort.tenants.some(({ preempts, reserved }) => preempts && reserved > cohort.nominal - cohort.running))
        continue;
      ids.push(...this.#end(decideReclaim(cohort, this.#table.runningOf(cohort.tenants))));
    }
    return ids;
  }

  preempt(): string[] {
    const ids: string[] = [];
    for (const tenant of this.#changed) {
      const found = findOutranked(tenant, this.#columns, this.#table);
      // Looked at again when those who borrow have given back.
      if (found === "NoRoom") continue;
      this.#changed.delete(tenant);
      ids.push(...this.#end(found));
    }
    return ids;
  }

  /** @returns whether the task was ending */
  spare(row: number): boolean {
    if (row === 0 || !this.#table.isEnding(row)) return false;
    this.#table.setEnding(row, false);
    this.note(this.#table.holdingOf(row).tenant);
    return true;
  }

  #end(tasks: readonly { readonly id: string }[]): string[] {
    for (const { id } of tasks) this.#table.setEnding(this.#table.runningRow(id), true);
    return tasks.map(({ id }) => id);
  }
}
