/**
 * Stage 2: whose turn it is. Tenants share by start-time fair queueing: each has a tag in virtual time that grows by what it
 * was given over its weight, and the smallest tag goes next, so that two tenants that both wait never drift apart by more
 * than one task of each. Quotas are hard: nobody runs beyond nominal plus borrowed, and a cohort never beyond the sum of its
 * nominals; who is within its nominal goes before who borrows. Mutable and deterministic; no clock.
 */
import { InferiumError } from "../base/errors.ts";
import type { Lane } from "./lane.ts";
import type { Parking } from "./parking.ts";

export interface TenantPolicy {
  /** Share relative to others; 1 where left out. */
  readonly weight?: number;
  /** Units that may run at once; unlimited where left out. */
  readonly nominal?: number;
  /** Units beyond nominal, as far as the cohort has some left. */
  readonly borrowing?: number;
  /** Tenants that lend to each other what they do not use. */
  readonly cohort?: string;
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

/** Who shares one quota, a cohort or a tenant alone, and where lanes of theirs wait for it. */
export interface QuotaGroup {
  readonly parkings: Set<Parking>;
}

export interface Cohort extends QuotaGroup {
  readonly name: string;
  running: number;
  nominal: number;
  /** Lanes within their nominal that wait for what others borrowed, and their units: nobody borrows what they need. */
  readonly reclaimers: Map<object, number>;
}

export interface Tenant extends QuotaGroup {
  readonly name: string;
  /** Breaks ties. */
  readonly order: number;
  readonly weight: number;
  readonly nominal: number;
  readonly borrowing: number;
  readonly cohort: Cohort | undefined;
  /** One for each shape of which a task waits. */
  readonly lanes: Set<Lane>;
  /** The lane with the earliest head that a worker would have taken, had there been quota: later ones leave room for it. */
  hold: Lane | undefined;
  tag: number;
  running: number;
  waiting: number;
}

export type ShareLevel = "Within" | "Borrowing" | "Reclaiming" | "OverQuota" | "TooLarge";

export class FairShare {
  readonly #policies: SharePolicies;
  readonly #tenants = new Map<string, Tenant>();
  readonly #cohorts = new Map<string, Cohort>();
  #virtualTime = 0;
  #order = 0;

  constructor(policies: SharePolicies = {}) {
    this.#policies = policies;
    // Who has a nominal lends it from the beginning, also before its first task.
    for (const [name, policy] of Object.entries(policies)) if (name !== "*" && policy.cohort) this.tenant(name);
  }

  tenant(name: string): Tenant {
    const known = this.#tenants.get(name);
    if (known) return known;
    const policy = checkPolicy(name, policyOf(this.#policies, name));
    const cohort = policy.cohort === undefined ? undefined : this.#cohort(policy.cohort);
    const made: Tenant = {
      name,
      order: this.#order++,
      weight: policy.weight ?? 1,
      nominal: policy.nominal ?? Number.POSITIVE_INFINITY,
      borrowing: policy.borrowing ?? 0,
      cohort,
      parkings: new Set(),
      lanes: new Set(),
      hold: undefined,
      tag: this.#virtualTime,
      running: 0,
      waiting: 0,
    };
    if (cohort) cohort.nominal += made.nominal;
    this.#tenants.set(name, made);
    return made;
  }

  tenants(): IterableIterator<Tenant> {
    return this.#tenants.values();
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
  }

  #cohort(name: string): Cohort {
    const known = this.#cohorts.get(name);
    if (known) return known;
    const made: Cohort = { name, parkings: new Set(), running: 0, nominal: 0, reclaimers: new Map() };
    this.#cohorts.set(name, made);
    return made;
  }
}

/** Whether the tenant may run so many units more, and at whose expense. @param claimant stands among the reclaimers */
export function decideLevel(tenant: Tenant, units: number, claimant: object): ShareLevel {
  const { cohort, nominal, borrowing, running } = tenant;
  if (nominal === Number.POSITIVE_INFINITY && !cohort) return "Within";
  const most = cohort ? Math.min(nominal + borrowing, cohort.nominal) : nominal;
  if (units > most) return "TooLarge";
  const cohortFits = !cohort || cohort.running + units <= cohort.nominal;
  if (running + units <= nominal) return cohortFits ? "Within" : "Reclaiming";
  if (running + units > most || !cohortFits) return "OverQuota";
  return cohort && cohort.running + units + sumReclaimed(cohort, claimant) > cohort.nominal ? "OverQuota" : "Borrowing";
}

function sumReclaimed({ reclaimers }: Cohort, claimant: object): number {
  let units = 0;
  for (const [lane, wants] of reclaimers) if (lane !== claimant) units += wants;
  return units;
}

function policyOf(policies: SharePolicies, name: string): TenantPolicy {
  if (Object.hasOwn(policies, name)) return policies[name] ?? {};
  // A cohort is made of tenants that are named: those that nobody knows lend nothing to each other.
  const { cohort: _, borrowing: __, ...rest } = policies["*"] ?? {};
  return rest;
}

function checkPolicy(name: string, policy: TenantPolicy): TenantPolicy {
  const { weight = 1, nominal = 0, borrowing = 0, cohort } = policy;
  const numbers = [weight, nominal, borrowing].every((value) => Number.isFinite(value) && value >= 0);
  if (numbers && weight > 0 && (cohort === undefined || policy.nominal !== undefined)) return policy;
  const message = `The policy of tenant ${name} is ${JSON.stringify(policy)}; expected a weight above 0, whole units, and a nominal where there is a cohort.`;
  throw new InferiumError("InvalidSharePolicy", message, { disposition: "fatal" });
}
