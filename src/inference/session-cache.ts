/**
 * Keeps loaded models (each may hold gigabytes) by digest, a bounded number of them. A session is released only when
 * nobody runs it; concurrent first uses load it once.
 */
import type { Digest } from "../base/digest.ts";
import type { LoadedModel } from "./session.ts";

export interface Slot {
  readonly loading: Promise<LoadedModel>;
  /** Set when the loading has succeeded; until then, await `loading`. */
  model: LoadedModel | undefined;
  /** Ends the loading, once nobody waits for it. */
  readonly stop: AbortController;
  users: number;
  usedAt: number;
}

type Load = (signal: AbortSignal) => Promise<LoadedModel>;

export interface SessionCache {
  /** The model's slot, loading by `load` where it is not there yet. Each acquire needs one release, also after an error. */
  acquire(digest: Digest, load: Load): Slot;
  /** A model that is still loading is given up where this was its last user. */
  release(slot: Slot): void;
  /** Digests of the models in memory, most recently used last: what a worker offers as locality. */
  loaded(): Digest[];
  /** Releases every idle session, and those in use when their runs end. */
  close(): Promise<void>;
}

export function createSessionCache(maxSessions: number): SessionCache {
  const slots = new Map<Digest, Slot>();
  let limit = maxSessions;
  let uses = 0;

  async function startLoading(digest: Digest, load: Load, stop: AbortController): Promise<LoadedModel> {
    const isHeld = () => slots.get(digest)?.stop === stop;
    try {
      const model = await load(stop.signal);
      const slot = slots.get(digest);
      if (slot !== undefined && isHeld()) slot.model = model;
      else await model.session.release();
      return model;
    } catch (error) {
      // A load that failed must not be remembered: a provider or the memory may be there the next time.
      if (isHeld()) slots.delete(digest);
      throw error;
    }
  }

  function acquire(digest: Digest, load: Load): Slot {
    let slot = slots.get(digest);
    if (slot === undefined) {
      const stop = new AbortController();
      slot = { loading: startLoading(digest, load, stop), model: undefined, stop, users: 0, usedAt: 0 };
      slots.set(digest, slot);
    }
    slot.users += 1;
    slot.usedAt = ++uses;
    return slot;
  }

  function giveUp(slot: Slot): void {
    for (const [digest, held] of slots) if (held === slot) slots.delete(digest);
    slot.stop.abort(new Error("nobody waits for the model any more"));
    // Whoever waited has been told why by its own signal.
    slot.loading.catch(() => undefined);
  }

  /** A slot in use stays, even over the limit; it goes when its last run ends. */
  async function trim(): Promise<void> {
    for (const [digest, slot] of inOrderOfUse(slots)) {
      if (slots.size <= limit) return;
      if (slot.users > 0 || slot.model === undefined) continue;
      slots.delete(digest);
      await slot.model.session.release();
    }
  }

  return {
    acquire,
    release(slot) {
      slot.users -= 1;
      if (slot.users === 0 && slot.model === undefined) giveUp(slot);
      if (slots.size > limit) void trim();
    },
    loaded: () => inOrderOfUse(slots).map(([digest]) => digest),
    close: async () => {
      limit = 0;
      await trim();
    },
  };
}

function inOrderOfUse(slots: ReadonlyMap<Digest, Slot>): [Digest, Slot][] {
  return [...slots].sort(([, a], [, b]) => a.usedAt - b.usedAt);
}
