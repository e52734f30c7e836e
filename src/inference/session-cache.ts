/**
 * Keeps loaded models (each may hold gigabytes) by digest, a bounded number of them. A session is released only when
 * nobody runs it; concurrent first uses load it once.
 */
import type { Digest } from "../base/digest.ts";
import type { LoadedModel } from "./session.ts";

export interface SessionCache {
  /** Runs `task` with the model, loaded by `load` where it is not there yet. */
  use<T>(digest: Digest, load: () => Promise<LoadedModel>, task: (model: LoadedModel) => Promise<T>): Promise<T>;
  /** Digests of the models in memory, most recently used last: what a worker offers as locality. */
  loaded(): Digest[];
  /** Releases every idle session, and those in use when their runs end. */
  close(): Promise<void>;
}

interface Slot {
  readonly loading: Promise<LoadedModel>;
  users: number;
}

export function createSessionCache(maxSessions: number): SessionCache {
  const slots = new Map<Digest, Slot>();
  let limit = maxSessions;

  function acquire(digest: Digest, load: () => Promise<LoadedModel>): Slot {
    const slot = slots.get(digest) ?? { loading: load(), users: 0 };
    // Insertion order is order of use.
    slots.delete(digest);
    slots.set(digest, slot);
    slot.users += 1;
    return slot;
  }

  /** A load that failed must not be remembered: a provider or the memory may be there the next time. */
  async function loaded(digest: Digest, slot: Slot): Promise<LoadedModel> {
    try {
      return await slot.loading;
    } catch (error) {
      if (slots.get(digest) === slot) slots.delete(digest);
      throw error;
    }
  }

  async function trim(): Promise<void> {
    const idle = [...slots].filter(([, slot]) => slot.users === 0);
    for (const [digest, slot] of idle) {
      if (slots.size <= limit) return;
      slots.delete(digest);
      await (await slot.loading).session.release();
    }
  }

  return {
    async use(digest, load, task) {
      const slot = acquire(digest, load);
      try {
        return await task(await loaded(digest, slot));
      } finally {
        slot.users -= 1;
        if (slots.size > limit) await trim();
      }
    },
    loaded: () => [...slots.keys()],
    close: async () => {
      limit = 0;
      await trim();
    },
  };
}
