/**
 * Stage 2: whose turn it is. Tenants share by start-time fair queueing: each has a tag in virtual time that grows by what it
 * was given over its weight, and the smallest tag goes next, so that two tenants that both wait never drift apart by more
 * than one task of each. Quotas are hard: nobody runs beyond nominal plus borrowed, and a cohort never beyond the sum of its
 * nominals; who is within its nominal goes before who borrows. Mutable and deterministic; no clock.
 */
import { InferiumError } from "../base/errors.ts";
import { LaneList } from "./lane-list.ts";
import { TenantTree } from "./tenant-tree.ts";

export interface TenantPolicy {
  /** Share relative to others; 1 where left out. */
  readonly weight?: number;
  /** Units that may run at once; unlimited where left out. */
  readonly nominal?: number;
  /** Units beyond nominal, as far as the cohort has some left. */
  readonly borrowing?: number;
  /** Tenants that lend to each other what they do not use. */
  readonly cohort?: string;
  /** How it gets back what it lent: when that ends (Wait, where left out), or at once. */
  readonly reclaim?: "Wait" | "Preempt";
  /** Whether a task that its nominal has room for waits until others of the tenant end, or has those of lower priority give way. */
  readonly preempt?: "Never" | "LowerPriority";
}

/** Policies by `namespace/queue`, by namespace, or `*` for each namespace that is not named. */
export type SharePolicies = Readonly<Record<string, TenantPolicy>>;

/**
 * A namespace is a tenant; one of its queues is a tenant of its own only where a policy names it, because anybody can make
 * up names of queues and none of them may be worth another share.
 */
export function tenantOf(policies: SharePolicies, namespace: string, queue: string): string {
  const named = `${namespace}/${queue}`;
  return Object.hasOwn(policies, named) ? named : namespace;
}

/** Most credit, in units over weight, that a tenant keeps for time in which no worker fitted its tasks. */
export const maxLag = 64;

export interface Cohort {
  readonly name: string;
  /** Among the cohorts. */
  readonly place: number;
  readonly tree: TenantTree;
  readonly tenants: Tenant[];
  running: number;
  nominal: number;
  /** Sum over its tenants: nobody borrows what these need. */
  reserved: number;
}

export interface Tenant {
  readonly name: string;
  /** Breaks ties. */
  readonly order: number;
  readonly weight: number;
  readonly nominal: number;
  readonly borrowing: number;
  readonly cohort: Cohort | undefined;
  /** It does not wait for what it lent. */
  readonly preempts: boolean;
  /** Its tasks of lower priority give way to the next one of it. */
  readonly outranks: boolean;
  /** Somebody may have its running tasks give way. */
  readonly givesWay: boolean;
  /** Of its cohort, or of all who are in none. */
  readonly tree: TenantTree;
  place: number;
  /** One for each combination of demands of which a task waits. */
  readonly lanes: LaneList;
  tag: number;
  running: number;
  /** Row of the task that began to run last, where it may have to give way. */
  lastStart: number;
  waiting: number;
  /** Units of its oldest task that is within its nominal. */
  reserved: number;
}

export class FairShare {
  readonly #policies: SharePolicies;
  readonly #tenants = new Map<string, Tenant>();
  readonly #cohorts = new Map<string, Cohort>();
  /** Of those who are in no cohort. */
  readonly tree = new TenantTree();
  #virtualTime = 0;
  #order = 0;
  #sweepAt = 1_024;

  constructor(policies: SharePolicies = {}) {
    this.#policies = policies;
    // Who has a nominal lends it from the beginning, also before its first task.
    for (const [name, policy] of Object.entries(policies)) if (name !== "*" && policy.cohort) this.tenant(name);
  }

  tenant(name: string): Tenant {
    const known = this.#tenants.get(name);
    if (known) return known;
    if (this.#tenants.size >= this.#sweepAt) this.#sweep();
    const policy = checkPolicy(name, policyOf(this.#policies, name));
    const cohort = policy.cohort === undefined ? undefined : this.#cohort(policy.cohort);
    const made: Tenant = {
      name,
      order: this.#order++,
      weight: policy.weight ?? 1,
      nominal: policy.nominal ?? Number.POSITIVE_INFINITY,
      borrowing: policy.borrowing ?? 0,
      cohort,
      preempts: policy.reclaim === "Preempt",
      outranks: policy.preempt === "LowerPriority",
      givesWay: cohort !== undefined || policy.preempt === "LowerPriority",
      tree: cohort?.tree ?? this.tree,
      place: 0,
      lanes: new LaneList(),
      tag: this.#virtualTime,
      running: 0,
      lastStart: 0,
      waiting: 0,
      reserved: 0,
    };
    made.place = made.tree.add(made);
    if (cohort) {
      cohort.nominal += made.nominal;
      cohort.tenants.push(made);
    }
    this.#tenants.set(name, made);
    return made;
  }

  tenants(): IterableIterator<Tenant> {
    return this.#tenants.values();
  }

  cohorts(): IterableIterator<Cohort> {
    return this.#cohorts.values();
  }

  /** Absence earns nothing: who comes (back) begins where the others are. */
  startWaiting(tenant: Tenant): void {
    if (tenant.waiting === 0) tenant.tag = Math.max(tenant.tag, this.#virtualTime);
    tenant.waiting++;
  }

  charge(tenant: Tenant, units: number): void {
    const start = Math.max(tenant.tag, this.#virtualTime - maxLag);
    this.#virtualTime = Math.max(this.#virtualTime, tenant.tag);
    tenant.tag = start + units / tenant.weight;
    this.occupy(tenant, units);
  }

  /** Counts what runs already, such as after a restart. */
  occupy(tenant: Tenant, units: number): void {
    tenant.running += units;
    if (tenant.cohort) tenant.cohort.running += units;
  }

  release(tenant: Tenant, units: number): void {
    tenant.running -= units;
    if (tenant.cohort) tenant.cohort.running -= units;
  }

  /** A tenant of which nothing waits or runs is forgotten, unless it lends or has a tag ahead of time. */
  forget(tenant: Tenant): void {
    if (tenant.waiting > 0 || tenant.running > 0 || tenant.cohort || tenant.tag > this.#virtualTime) return;
    this.#tenants.delete(tenant.name);
    tenant.tree.remove(tenant);
  }

  /** Tenants whose tag was ahead of time when they left. */
  #sweep(): void {
    for (const tenant of [...this.#tenants.values()]) this.forget(tenant);
    this.#sweepAt = 2 * this.#tenants.size + 1_024;
  }

  #cohort(name: string): Cohort {
    const known = this.#cohorts.get(name);
    if (known) return known;
    const place = this.#cohorts.size;
    const made: Cohort = { name, place, tree: new TenantTree(), tenants: [], running: 0, nominal: 0, reserved: 0 };
    this.#cohorts.set(name, made);
    return made;
  }
}

function policyOf(policies: SharePolicies, name: string): TenantPolicy {
  if (Object.hasOwn(policies, name)) return policies[name] ?? {};
  // A cohort is made of tenants that are named: those that nobody knows lend nothing to each other.
  const { cohort: _, borrowing: __, ...rest } = policies["*"] ?? {};
  return rest;
}

function checkPolicy(name: string, policy: TenantPolicy): TenantPolicy {
  const { weight = 1, nominal = 0, borrowing = 0, cohort, reclaim = "Wait", preempt = "Never" } = policy;
  const numbers = [weight, nominal, borrowing].every((value) => Number.isFinite(value) && value >= 0);
  const isKnown = ["Wait", "Preempt"].includes(reclaim) && ["Never", "LowerPriority"].includes(preempt);
  const needsNominal = cohort !== undefined || preempt === "LowerPriority";
  if (numbers && isKnown && weight > 0 && (!needsNominal || policy.nominal !== undefined)) return policy;
  const message = `The policy of tenant ${name} is ${JSON.stringify(policy)}; expected a weight above 0, whole units, a nominal where there is a cohort or preempt is LowerPriority, reclaim Wait or Preempt, and preempt Never or LowerPriority.`;
  throw new InferiumError("InvalidSharePolicy", message, { disposition: "fatal" });
}
