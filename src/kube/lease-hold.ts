/**
 * One process's view of one Lease object and its attempts to hold it: a single read-check-write, no loops and no waiting
 * (those are the elector's). Safety rests on the resource version: of two writers only one can win.
 */
import type { Clock } from "../base/clock.ts";
import { isAlreadyExists, isConflict, isNotFound } from "./api-error.ts";
import { createClient, type KubeClient } from "./client.ts";
import type { Lease, LeaseSpec } from "./control-types.ts";
import { leases } from "./core-resources.ts";
import { formatMicroTime } from "./object.ts";
import type { Transport } from "./transport.ts";

export interface LeaseHoldOptions {
  readonly namespace: string;
  readonly name: string;
  readonly identity: string;
  readonly durationMs: number;
  readonly clock: Clock;
}

export class LeaseHold {
  readonly #client: KubeClient<Lease>;
  readonly #options: LeaseHoldOptions;
  #observed: Lease | undefined;
  /** Local monotonic time at which the record last changed before our eyes. */
  #observedAt = 0;

  constructor(transport: Transport, options: LeaseHoldOptions) {
    this.#client = createClient(transport, leases);
    this.#options = options;
  }

  get holder(): string | undefined {
    return this.#observed?.spec?.holderIdentity || undefined;
  }

  get isOurs(): boolean {
    return this.holder === this.#options.identity;
  }

  get isAnothers(): boolean {
    return this.holder !== undefined && !this.isOurs;
  }

  /** Until what we have seen last runs out; 0 where nobody holds the lease. */
  get remainingMs(): number {
    return this.isAnothers ? Math.max(0, this.#expiresAt() - this.#options.clock.monotonic()) : 0;
  }

  /** What a watch has shown while another holds the lease; undefined: it was deleted. */
  notice(lease: Lease | undefined): void {
    if (lease === undefined) this.forget();
    else this.#observe(lease, this.#options.clock.monotonic());
  }

  /** True: the lease is ours from the start of this call for its duration. */
  async acquireOrRenew(timeoutMs: number): Promise<boolean> {
    // A holder writes straight away: its copy is the newest unless somebody took the lease.
    if (this.#observed && this.isOurs && (await this.#write(this.#observed, timeoutMs))) return true;
    const lease = await this.#read(timeoutMs);
    if (lease === undefined) return this.#create(timeoutMs);
    this.#observe(lease, this.#options.clock.monotonic());
    if (this.isAnothers && !this.#hasExpired()) return false;
    return this.#write(lease, timeoutMs);
  }

  /** Empties the holder, so that the next contender need not wait for the expiry. */
  async release(timeoutMs: number): Promise<void> {
    if (!this.#observed || !this.isOurs) return;
    const now = this.#now();
    const spec = { ...this.#observed.spec, holderIdentity: "", leaseDurationSeconds: 1, renewTime: now };
    this.#observe(await this.#client.update({ ...this.#observed, spec }, { timeoutMs }), 0);
  }

  /** Makes the next attempt read the lease first. */
  forget(): void {
    this.#observed = undefined;
  }

  async #read(timeoutMs: number): Promise<Lease | undefined> {
    const { namespace, name } = this.#options;
    try {
      return await this.#client.get({ namespace, name }, { timeoutMs });
    } catch (error) {
      if (isNotFound(error)) return undefined;
      throw error;
    }
  }

  async #create(timeoutMs: number): Promise<boolean> {
    const { namespace, name, clock } = this.#options;
    const startedAt = clock.monotonic();
    const lease: Lease = {
      apiVersion: leases.apiVersion,
      kind: leases.kind,
      metadata: { namespace, name },
      spec: this.#nextSpec(undefined),
    };
    try {
      this.#observe(await this.#client.create(lease, { timeoutMs }), startedAt);
      return true;
    } catch (error) {
      if (isAlreadyExists(error)) return false;
      throw error;
    }
  }

  async #write(lease: Lease, timeoutMs: number): Promise<boolean> {
    const startedAt = this.#options.clock.monotonic();
    try {
      this.#observe(
        await this.#client.update({ ...lease, spec: this.#nextSpec(lease.spec) }, { timeoutMs }),
        startedAt,
      );
      return true;
    } catch (error) {
      // Somebody else wrote: whatever we knew is old. A deleted lease counts the same.
      if (!isConflict(error) && !isNotFound(error)) throw error;
      return false;
    }
  }

  #nextSpec(spec: LeaseSpec | undefined): LeaseSpec {
    const { identity, durationMs } = this.#options;
    const now = this.#now();
    const renewing = spec?.holderIdentity === identity;
    const transitions = spec?.leaseTransitions ?? 0;
    return {
      ...spec,
      holderIdentity: identity,
      leaseDurationSeconds: Math.max(1, Math.ceil(durationMs / 1000)),
      acquireTime: renewing ? (spec.acquireTime ?? now) : now,
      renewTime: now,
      leaseTransitions: renewing || spec === undefined ? transitions : transitions + 1,
    };
  }

  #observe(lease: Lease, at: number): void {
    const changed = JSON.stringify(lease.spec) !== JSON.stringify(this.#observed?.spec);
    if (changed || this.#observed === undefined) this.#observedAt = at;
    this.#observed = lease;
  }

  #hasExpired(): boolean {
    return this.#options.clock.monotonic() >= this.#expiresAt();
  }

  #expiresAt(): number {
    const seconds = this.#observed?.spec?.leaseDurationSeconds ?? this.#options.durationMs / 1000;
    return this.#observedAt + seconds * 1000;
  }

  #now(): string {
    return formatMicroTime(this.#options.clock.now());
  }
}
