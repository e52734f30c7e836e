/**
 * Stage 2: what the waiting tasks ask for, each combination once: a set of requirements, and of workers that have failed the
 * task. A combination has a number, so that what a worker fits is a mask, worked out once for all workers that are alike.
 * The cost of a claim then grows with neither tasks nor combinations. Mutable and deterministic.
 */
import type { Claimant, Profile } from "./claimants.ts";
import { hasBit, type Mask, setBit, widen } from "./column-mask.ts";
import type { Tenant } from "./fair-share.ts";
import type { Lane } from "./lane.ts";
import type { Requirements } from "./matching.ts";
import type { TakeRecord, TakeRequest } from "./take-request.ts";
import type { FailedWorker, WaitingTask } from "./waiting-task.ts";

export interface Column {
  /** Used again when no task of the combination waits any more. */
  readonly id: number;
  readonly signature: string;
  readonly requirements: Requirements;
  readonly failedWorkers: readonly FailedWorker[];
  /** What one task takes of a quota: GPUs, and a slot without one counts like one. */
  readonly units: number;
  readonly lanes: Map<Tenant, Lane>;
}

type Suspects = Iterable<Column>;
type Demand = Pick<WaitingTask, "requirements" | "failedWorkers">;

/** Columns whose tasks take at most so many units. */
interface Size {
  readonly units: number;
  mask: Mask;
}

/** Profiles of workers that are remembered, at most. */
const maxProfiles = 16_384;

export class Columns {
  readonly #bySignature = new Map<string, Column>();
  readonly #byId: (Column | undefined)[] = [];
  readonly #free: number[] = [];
  readonly #profiles = new Map<string, Profile>();
  /** How often the profiles were forgotten. */
  #generation = 0;
  /** Ids in the order in which they were given, since the profiles were last forgotten. */
  #record: number[] = [];
  /** Columns whose tasks it has failed, by the name of a worker, and by owner in lower case. */
  readonly #failuresOfWorker = new Map<string, Set<Column>>();
  readonly #failuresOfOwner = new Map<string, Set<Column>>();
  readonly #labelCounts = new Map<string, number>();
  /** In ascending order; each holds those before it. */
  readonly #sizes: Size[] = [];
  #served: Mask = new Int32Array(1);
  #scratch: Mask = new Int32Array(1);
  /** Names of node labels that some waiting task asks for. */
  labels: readonly string[] = [];
  words = 1;
  #isNews = false;

  of(task: Demand): Column {
    const signature = signatureOf(task);
    return this.#bySignature.get(signature) ?? this.#create(signature, task);
  }

  byId(id: number): Column | undefined {
    return this.#byId[id];
  }

  /** No task of it waits any more. */
  release(column: Column): void {
    this.#bySignature.delete(column.signature);
    this.#byId[column.id] = undefined;
    this.#free.push(column.id);
    for (const { mask } of this.#sizes) setBit(mask, column.id, false);
    for (const { worker, owner } of column.failedWorkers) {
      unblame(this.#failuresOfWorker, worker, column);
      if (owner !== undefined) unblame(this.#failuresOfOwner, owner.toLowerCase(), column);
    }
    this.#countLabels(column, -1);
  }

  /** Columns whose tasks take at most so many units; undefined where there are none. */
  upTo(units: number): Mask | undefined {
    let found: Mask | undefined;
    for (const size of this.#sizes) {
      if (size.units > units) break;
      found = size.mask;
    }
    return found;
  }

  /**
   * What the worker may be given, as far as it is concerned. Good until the next call.
   * @param claimant where the worker is known from before, so that what it fits need not be looked for
   * @param record is asked in place of the request what it is excluded from
   */
  maskFor(request: TakeRequest, claimant: Claimant | undefined, record: TakeRecord | undefined): Mask {
    const mask = claimant ? this.#fittingOf(claimant, request) : this.#fitting(request).mask;
    if (this.#failuresOfWorker.size === 0 || !request.isExcluded) return mask;
    const [left, right] = this.#suspected(request, claimant);
    if (!left && !right) return mask;
    return this.#without(mask, [...(left ?? none), ...(right ?? none)], record ?? request);
  }

  isServed(column: number): boolean {
    return hasBit(this.#served, column);
  }

  /** A worker asks for these. @returns those that no worker has asked for before */
  serve(mask: Mask): Column[] {
    if (!hasMore(mask, this.#served)) return none;
    const fresh: Column[] = [];
    for (const column of this.#byId) {
      if (!column || !hasBit(mask, column.id) || this.isServed(column.id)) continue;
      setBit(this.#served, column.id, true);
      fresh.push(column);
    }
    return fresh;
  }

  /** Whether there is a new one since the last call. */
  takeNews(): boolean {
    const isNews = this.#isNews;
    this.#isNews = false;
    return isNews;
  }

  /** No worker is there for it. */
  abandon(column: Column): void {
    setBit(this.#served, column.id, false);
  }

  #create(signature: string, { requirements, failedWorkers }: Demand): Column {
    const id = this.#free.pop() ?? this.#byId.length;
    if (id >= this.words * 32) this.#widen();
    const units = unitsOf(requirements);
    const column: Column = { id, signature, requirements, failedWorkers, units, lanes: new Map() };
    this.#isNews = true;
    this.#bySignature.set(signature, column);
    this.#byId[id] = column;
    setBit(this.#served, id, false);
    for (const size of this.#sizesFrom(units)) setBit(size.mask, id, true);
    for (const { worker, owner } of failedWorkers) {
      blame(this.#failuresOfWorker, worker, column);
      if (owner !== undefined) blame(this.#failuresOfOwner, owner.toLowerCase(), column);
    }
    this.#countLabels(column, 1);
    this.#record.push(id);
    // Mostly of columns that are gone: to take all of that in would cost more than to begin again.
    if (this.#record.length > 2 * this.#bySignature.size + 1_024) this.#forgetProfiles();
    return column;
  }

  #widen(): void {
    this.words *= 2;
    this.#served = widen(this.#served, this.words);
    this.#scratch = new Int32Array(this.words);
    for (const size of this.#sizes) size.mask = widen(size.mask, this.words);
    this.#forgetProfiles();
  }

  #forgetProfiles(): void {
    this.#profiles.clear();
    this.#generation++;
    this.#record = [];
    for (const column of this.#byId) if (column) this.#record.push(column.id);
  }

  #sizesFrom(units: number): Size[] {
    const found = this.#sizes.findIndex((size) => size.units >= units);
    const at = found < 0 ? this.#sizes.length : found;
    if (this.#sizes[at]?.units !== units) {
      const mask = widen(this.#sizes[at - 1]?.mask ?? new Int32Array(this.words), this.words);
      this.#sizes.splice(at, 0, { units, mask });
    }
    return this.#sizes.slice(at);
  }

  #fittingOf(claimant: Claimant, request: TakeRequest): Mask {
    const known = claimant.generation === this.#generation ? claimant.profile : undefined;
    if (known) return this.#takeIn(known, request).mask;
    const found = this.#fitting(request);
    claimant.profile = found;
    claimant.generation = this.#generation;
    return found.mask;
  }

  #fitting(request: TakeRequest): Profile {
    const key = request.profile?.(this.labels);
    const known = key === undefined ? undefined : this.#profiles.get(key);
    const found = this.#takeIn(known ?? { mask: new Int32Array(this.words), seen: 0 }, request);
    if (!known && key !== undefined) {
      if (this.#profiles.size >= maxProfiles) this.#profiles.clear();
      this.#profiles.set(key, found);
    }
    return found;
  }

  /** What has come since a worker of the profile asked last. */
  #takeIn(profile: Profile, request: TakeRequest): Profile {
    for (; profile.seen < this.#record.length; profile.seen++) {
      const column = this.#byId[this.#record[profile.seen] as number];
      if (column) setBit(profile.mask, column.id, request.fits(column.requirements));
    }
    return profile;
  }

  /** Columns of which the worker has failed a task, and of which another of its owner has; all of them where it has no name. */
  #suspected(
    { worker, owner }: TakeRequest,
    claimant: Claimant | undefined,
  ): [Suspects | undefined, Suspects | undefined] {
    if (worker === undefined) return [this.#failed(), undefined];
    const ownerKey = claimant ? claimant.owner : owner?.toLowerCase();
    return [
      this.#failuresOfWorker.get(worker),
      ownerKey === undefined ? undefined : this.#failuresOfOwner.get(ownerKey),
    ];
  }

  #without(mask: Mask, columns: readonly Column[], asked: Pick<TakeRequest, "isExcluded">): Mask {
    const left = this.#scratch;
    left.set(mask);
    for (const column of columns)
      if (hasBit(left, column.id) && asked.isExcluded?.(column)) setBit(left, column.id, false);
    return left;
  }

  /** Columns with a task that anybody has failed. */
  #failed(): Column[] {
    return this.#byId.filter((column) => column !== undefined).filter(({ failedWorkers }) => failedWorkers.length > 0);
  }

  #countLabels({ requirements }: Column, by: number): void {
    for (const label of Object.keys(requirements.nodeSelector ?? {})) {
      const count = (this.#labelCounts.get(label) ?? 0) + by;
      if (count > 0) this.#labelCounts.set(label, count);
      else this.#labelCounts.delete(label);
      if (this.labels.includes(label) === count > 0) continue;
      this.labels = [...this.#labelCounts.keys()];
      // Workers that were alike may differ in this label.
      this.#forgetProfiles();
    }
  }
}

const none: Column[] = [];

/** Whether `mask` has a bit that `known` has not. */
function hasMore(mask: Mask, known: Mask): boolean {
  for (let word = 0; word < mask.length; word++) if ((mask[word] as number) & ~(known[word] as number)) return true;
  return false;
}

export function unitsOf({ gpus }: Requirements): number {
  return Math.max(1, gpus ?? 0);
}

function blame(failures: Map<string, Set<Column>>, who: string, column: Column): void {
  const columns = failures.get(who);
  if (columns) columns.add(column);
  else failures.set(who, new Set([column]));
}

function unblame(failures: Map<string, Set<Column>>, who: string, column: Column): void {
  const columns = failures.get(who);
  columns?.delete(column);
  if (columns?.size === 0) failures.delete(who);
}

/** Equal for tasks that the same workers can take. */
export function signatureOf({ requirements, failedWorkers }: Demand): string {
  const { mode, tier, gpus, memoryMiB, computeCapability, migProfile, nodeSelector } = requirements;
  const hardware = `${mode ? `${mode} ` : ""}${tier} ${gpus} ${memoryMiB} ${computeCapability} ${migProfile}`;
  if (!nodeSelector && failedWorkers.length === 0) return hardware;
  const labels = Object.entries(nodeSelector ?? {}).sort(([a], [b]) => (a < b ? -1 : 1));
  const failures = failedWorkers.map(({ worker, owner, isBarred }) => [worker, owner, ...(isBarred ? [1] : [])]).sort();
  return `${hardware} ${JSON.stringify([labels, failures])}`;
}
