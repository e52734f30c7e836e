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
  users: number;
  usedAt: number;
}

export interface SessionCache {
  /** The model's slot, loading by `load` where it is not there yet. Each acquire needs one release, also after an error. */
  acquire(digest: Digest, load: () => Promise<LoadedModel>): Slot;
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

  async function startLoading(digest: Digest, load: () => Promise<LoadedModel>): Promise<LoadedModel> {
    try {
      const model = await load();
      const slot = slots.get(digest);
      if (slot !== undefined) slot.model = model;
      return model;
    } catch (error) {
      // A load that failed must not be remembered: a provider or the memory may be there the next time.
      slots.delete(digest);
      throw error;
    }
  }

  function acquire(digest: Digest, load: () => Promise<LoadedModel>): Slot {
    let slot = slots.get(digest);
    if (slot === undefined) {
      slot = { loading: startLoading(digest, load), model: undefined, users: 0, usedAt: 0 };
      slots.set(digest, slot);
    }
    slot.users += 1;
    slot.usedAt = ++uses;
    return slot;
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
