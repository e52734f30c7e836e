/**
 * Stage 3: what the pool has worked out about the workers that ask it: they ask far more often than they change, so most of a
 * claim is known from the one before. Mutable; a cache, with no effect on any decision.
 */
import type { Mask } from "./column-mask.ts";
import type { WorkerFacts } from "./matching.ts";

/** Workers that are alike. */
export interface Profile {
  /** What they fit. */
  readonly mask: Mask;
  /** How much of the record of new columns it has taken in. */
  seen: number;
}

export interface Claimant {
  readonly facts: WorkerFacts;
  readonly owner: string | undefined;
  /** Undefined until it is worked out. */
  profile: Profile | undefined;
  /** Of the profiles among which that is. */
  generation: number;
  /** Numbers of the models it has loaded. */
  loaded: readonly number[];
  /** Of the names of models among which these are. */
  namesVersion: number;
}

/** Workers that are remembered, at most. */
const maxClaimants = 131_072;

export class Claimants {
  readonly #byName = new Map<string, Claimant>();

  of(facts: WorkerFacts): Claimant {
    const known = this.#byName.get(facts.name);
    if (known && (known.facts === facts || isSame(known.facts, facts))) return known;
    if (known === undefined && this.#byName.size >= maxClaimants) this.#byName.clear();
    const { owner, name } = facts;
    const made: Claimant = {
      ...{ facts, owner: owner?.toLowerCase() },
      ...{ profile: undefined, generation: -1, loaded: [], namesVersion: -1 },
    };
    this.#byName.set(name, made);
    return made;
  }
}

/** Of one worker at two times: nothing that the pool asks about has changed. Objects within are replaced where they change. */
function isSame(a: WorkerFacts, b: WorkerFacts): boolean {
  return (
    a.hardware !== undefined &&
    a.hardware === b.hardware &&
    a.nodeLabels === b.nodeLabels &&
    a.models === b.models &&
    a.owner === b.owner &&
    a.isWorker === b.isWorker &&
    a.disqualified === b.disqualified &&
    a.bonded === b.bonded &&
    a.cordoned === b.cordoned &&
    a.proven === b.proven
  );
}
