/** The rules of the pool said as plainly as possible: every question is answered by looking at every task. For comparison. */
import type { SharePolicies, TenantPolicy } from "../../../src/protocol/fair-share.ts";
import { maxLag } from "../../../src/protocol/fair-share.ts";
import { localityMs } from "../../../src/protocol/lane.ts";
import { maxPassMs, type ShareLevel } from "../../../src/protocol/quota.ts";
import type { TakeRequest } from "../../../src/protocol/take-request.ts";
import type { WaitingTask } from "../../../src/protocol/waiting-task.ts";

interface Member {
  readonly order: number;
  tag: number;
}

export class NaivePool {
  readonly #policies: SharePolicies;
  readonly #members = new Map<string, Member>();
  readonly #running = new Map<string, { tenant: string; units: number; task: WaitingTask; isEnding: boolean }>();
  #waiting: WaitingTask[] = [];
  /** Combinations of demands that a worker has asked for. */
  #served = new Set<string>();
  #virtualTime = 0;
  #order = 0;

  constructor(policies: SharePolicies) {
    this.#policies = policies;
    for (const [name, { cohort }] of Object.entries(policies)) if (cohort !== undefined) this.#member(name);
  }

  add(task: WaitingTask): void {
    this.remove(task.id);
    this.finish(task.id);
    const member = this.#member(task.tenant);
    if (!this.#waiting.some(({ tenant }) => tenant === task.tenant))
      member.tag = Math.max(member.tag, this.#virtualTime);
    this.#waiting.push(task);
  }

  remove(id: string): void {
    const task = this.#waiting.find((waiting) => waiting.id === id);
    if (!task) return;
    this.#drop(task);
    this.#forget(task.tenant);
  }

  finish(id: string): void {
    const tenant = this.#running.get(id)?.tenant;
    this.#running.delete(id);
    if (tenant !== undefined) this.#forget(tenant);
  }

  relax(id: string): void {
    const task = this.#waiting.find((waiting) => waiting.id === id);
    if (task) this.#served.delete(demandOf(task));
  }

  take({ count, models, fits, isExcluded }: TakeRequest): string[] {
    if (count < 1) return [];
    const isAble = (task: WaitingTask) =>
      fits(task.requirements) && !(task.failedWorkers.length > 0 && isExcluded?.(task));
    for (const task of this.#waiting) if (isAble(task)) this.#served.add(demandOf(task));
    const taken: string[] = [];
    while (taken.length < count) {
      const rank = (task: WaitingTask) => {
        const { tag, order } = this.#member(task.tenant);
        const isBorrowing = this.#levelOf(task) === "Borrowing";
        return [Number(isBorrowing), tag, order, task.key - (models.has(task.model) ? localityMs : 0), task.key];
      };
      const [best] = this.#waiting
        .filter((task) => isAble(task) && ["Within", "Borrowing"].includes(this.#levelOf(task)))
        .map((task) => ({ task, rank: rank(task) }))
        .sort((a, b) => compare(a.rank, b.rank) || (a.task.id < b.task.id ? -1 : 1));
      if (!best) break;
      taken.push(best.task.id);
      this.#start(best.task);
    }
    return taken;
  }

  /** Of each tenant that asks for it: the fewest units of lower priority that make room for its next task, the lowest and latest first. */
  preempt(): string[] {
    return [...this.#members.keys()].flatMap((tenant) => {
      const { nominal = 0, preempt, cohort } = this.#policy(tenant);
      const most = this.#mostOf(tenant);
      const next = this.#oldestOf(tenant, (task) => unitsOf(task) <= most);
      if (preempt !== "LowerPriority" || !next || unitsOf(next) > nominal) return [];
      const left = cohort === undefined ? Number.POSITIVE_INFINITY : this.#leftOf(cohort);
      const missing = this.usage(tenant) + unitsOf(next) - nominal;
      if (missing <= 0) return [];
      const own = [...this.#running.values()].filter((one) => one.tenant === tenant);
      const isVictim = ({ task, isEnding }: (typeof own)[number]) =>
        !isEnding && (task.priority ?? 0) < (next.priority ?? 0) && task.key > next.key + localityMs;
      const ordered = own.toReversed().filter(isVictim);
      const victims = ordered.sort((a, b) => (a.task.priority ?? 0) - (b.task.priority ?? 0));
      const ending = sum(own.filter(({ isEnding }) => isEnding).map(({ units }) => units));
      const upTo = victims.findIndex(
        (_, index) => ending + sum(victims.slice(0, index + 1).map(({ units }) => units)) >= missing,
      );
      if (ending >= missing || upTo < 0) return [];
      let given = victims.slice(0, upTo + 1);
      for (const one of given.toReversed()) {
        const without = given.filter((other) => other !== one);
        if (ending + sum(without.map(({ units }) => units)) >= missing) given = without;
      }
      if (left + ending + sum(given.map(({ units }) => units)) < unitsOf(next)) return [];
      for (const one of given) one.isEnding = true;
      return given.map(({ task }) => task.id);
    });
  }

  levelOf(id: string): ShareLevel | undefined {
    const task = this.#waiting.find((waiting) => waiting.id === id);
    return task && this.#levelOf(task);
  }

  usage(tenant: string): number {
    return sum([...this.#running.values()].filter((one) => one.tenant === tenant).map(({ units }) => units));
  }

  #start(task: WaitingTask): void {
    const member = this.#member(task.tenant);
    const start = Math.max(member.tag, this.#virtualTime - maxLag);
    this.#virtualTime = Math.max(this.#virtualTime, member.tag);
    member.tag = start + unitsOf(task) / (this.#policy(task.tenant).weight ?? 1);
    this.#running.set(task.id, { tenant: task.tenant, units: unitsOf(task), task, isEnding: false });
    this.#drop(task);
  }

  #levelOf(task: WaitingTask): ShareLevel {
    const { tenant } = task;
    const { nominal, cohort } = this.#policy(tenant);
    if (nominal === undefined) return "Within";
    const [units, running, most] = [unitsOf(task), this.usage(tenant), this.#mostOf(tenant)];
    if (units > most) return "TooLarge";
    const left = cohort === undefined ? Number.POSITIVE_INFINITY : this.#leftOf(cohort);
    const isWithin = running + units <= nominal;
    if (isWithin && units > left) return "Reclaiming";
    if (running + units > most) return "OverQuota";
    if (!isWithin && units > left - sum(this.#tenantsOf(cohort).map((one) => this.#needsOf(one)))) return "OverQuota";
    if (this.#isBarred(task)) return "LeavesRoom";
    return isWithin ? "Within" : "Borrowing";
  }

  /** Its head came too long after the oldest task of its tenant, and it does not leave room for that. */
  #isBarred(task: WaitingTask): boolean {
    const { nominal = 0, preempt } = this.#policy(task.tenant);
    const passMs = preempt === "LowerPriority" ? 0 : maxPassMs;
    const most = this.#mostOf(task.tenant);
    const oldest = this.#oldestOf(task.tenant, (other) => unitsOf(other) <= most);
    const [head] = this.#waiting
      .filter((other) => other.tenant === task.tenant && demandOf(other) === demandOf(task))
      .sort(byAge);
    if (!oldest || !head || head.key <= oldest.key + passMs) return false;
    const limit = unitsOf(oldest) <= nominal ? nominal : most;
    return unitsOf(task) > limit - this.usage(task.tenant) - unitsOf(oldest);
  }

  /** Units of its oldest task that its nominal has room for. */
  #needsOf(tenant: string): number {
    const own = (this.#policy(tenant).nominal ?? 0) - this.usage(tenant);
    const oldest = this.#oldestOf(tenant, (task) => unitsOf(task) <= own && !this.#isBarred(task));
    return oldest ? unitsOf(oldest) : 0;
  }

  #oldestOf(tenant: string, isMeant: (task: WaitingTask) => boolean): WaitingTask | undefined {
    return this.#waiting
      .filter((task) => task.tenant === tenant && this.#served.has(demandOf(task)) && isMeant(task))
      .sort(byAge)[0];
  }

  #leftOf(cohort: string): number {
    const tenants = this.#tenantsOf(cohort);
    return sum(tenants.map((one) => (this.#policy(one).nominal ?? 0) - this.usage(one)));
  }

  #mostOf(tenant: string): number {
    const { nominal = 0, borrowing = 0, cohort } = this.#policy(tenant);
    if (cohort === undefined) return nominal;
    return Math.min(nominal + borrowing, sum(this.#tenantsOf(cohort).map((one) => this.#policy(one).nominal ?? 0)));
  }

  #tenantsOf(cohort: string | undefined): string[] {
    return Object.keys(this.#policies).filter(
      (name) => cohort !== undefined && this.#policies[name]?.cohort === cohort,
    );
  }

  #policy(tenant: string): TenantPolicy {
    return this.#policies[tenant] ?? {};
  }

  #member(name: string): Member {
    const known = this.#members.get(name) ?? { order: this.#order++, tag: this.#virtualTime };
    this.#members.set(name, known);
    return known;
  }

  #drop(task: WaitingTask): void {
    this.#waiting = this.#waiting.filter((waiting) => waiting !== task);
    this.#served = new Set([...this.#served].filter((demand) => this.#waiting.some((one) => demandOf(one) === demand)));
  }

  /** Who is gone without having been given more than its share is somebody new when it comes again. */
  #forget(tenant: string): void {
    const isThere = this.#waiting.some((task) => task.tenant === tenant) || this.usage(tenant) > 0;
    if (isThere || this.#policy(tenant).cohort !== undefined) return;
    if (this.#member(tenant).tag <= this.#virtualTime) this.#members.delete(tenant);
  }
}

const unitsOf = ({ requirements }: WaitingTask) => Math.max(1, requirements.gpus ?? 0);
/** Equal for tasks that the same workers can take: in which order they have failed it makes no difference. */
const demandOf = ({ requirements, failedWorkers }: WaitingTask) =>
  JSON.stringify([requirements, failedWorkers.map((failed) => JSON.stringify(failed)).sort()]);
const byAge = (a: WaitingTask, b: WaitingTask) => a.key - b.key || (a.id < b.id ? -1 : 1);
const sum = (numbers: readonly number[]) => numbers.reduce((total, number) => total + number, 0);

function compare(a: readonly number[], b: readonly number[]): number {
  for (const [index, value] of a.entries()) if (value !== b[index]) return value - (b[index] ?? 0);
  return 0;
}
