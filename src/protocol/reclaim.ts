/**
 * Stage 2: which running tasks must give way so that a tenant gets back what it has lent to its cohort. For tenants whose
 * policy says so; the others wait until what was borrowed ends. Pure.
 *
 * Nobody preempts in a circle. Let F be the sum over the cohort's tenants of the units that run within their nominals. A task is
 * preempted only for one that its tenant's nominal has room for, only from tenants above theirs, and only where F gains more
 * by the one than it loses by those that give way; borrowing preempts nobody. F is a whole number of at most the sum of the
 * nominals, so between two changes from outside (a task comes or ends) there are no more rounds than that.
 */
import type { Cohort, Tenant } from "./fair-share.ts";

export interface RunningTask {
  readonly id: string;
  readonly tenant: Tenant;
  readonly units: number;
  /** It was told to give way and has not ended yet. */
  readonly isEnding: boolean;
}

/** @param running of the cohort; those of one tenant in the order of their starts */
export function decideReclaim(cohort: Cohort, running: readonly RunningTask[]): RunningTask[] {
  const balance = new Balance(cohort, running);
  const claimants = cohort.tenants.filter(({ preempts, reserved }) => preempts && reserved > 0);
  return claimants.sort((a, b) => a.tag - b.tag || a.order - b.order).flatMap((tenant) => balance.claim(tenant));
}

/** What the cohort's tenants run once those that are to give way have ended. */
class Balance {
  readonly #cohort: Cohort;
  readonly #running: readonly RunningTask[];
  readonly #ending: Set<RunningTask>;
  /** Units for claimants before. */
  #promised = 0;

  constructor(cohort: Cohort, running: readonly RunningTask[]) {
    this.#cohort = cohort;
    this.#running = running;
    this.#ending = new Set(running.filter(({ isEnding }) => isEnding));
  }

  /** @returns what must give way, latest starts first; nothing where that would not be enough, or not worth it */
  claim(claimant: Tenant): RunningTask[] {
    const given: RunningTask[] = [];
    let gain = claimant.reserved;
    const passed = new Set<RunningTask>();
    while (this.#free() < claimant.reserved) {
      const victim = this.#nextVictim(passed);
      if (!victim) break;
      passed.add(victim);
      const { tenant, units } = victim;
      const loss = Math.max(0, tenant.nominal - (this.#unitsOf(tenant) - units));
      if (loss >= gain) continue;
      gain -= loss;
      given.push(victim);
      this.#ending.add(victim);
    }
    if (this.#free() < claimant.reserved) {
      for (const task of given) this.#ending.delete(task);
      return [];
    }
    this.#promised += claimant.reserved;
    return given;
  }

  /** The latest start of whoever is furthest above its nominal, by weight. */
  #nextVictim(passed: ReadonlySet<RunningTask>): RunningTask | undefined {
    const isCandidate = (task: RunningTask) => !passed.has(task) && !this.#ending.has(task);
    const above = this.#cohort.tenants
      .map((tenant) => ({ tenant, excess: (this.#unitsOf(tenant) - tenant.nominal) / tenant.weight }))
      .filter(({ excess }) => excess > 0)
      .sort((a, b) => b.excess - a.excess || a.tenant.order - b.tenant.order);
    for (const { tenant } of above) {
      const victim = this.#running.findLast((task) => task.tenant === tenant && isCandidate(task));
      if (victim) return victim;
    }
    return undefined;
  }

  #unitsOf(tenant: Tenant): number {
    let ending = 0;
    for (const task of this.#ending) if (task.tenant === tenant) ending += task.units;
    return tenant.running - ending;
  }

  #free(): number {
    let ending = 0;
    for (const { units } of this.#ending) ending += units;
    return this.#cohort.nominal - this.#cohort.running + ending - this.#promised;
  }
}
