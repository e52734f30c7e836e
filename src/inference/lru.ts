/** A map bounded by weight that forgets what was used longest ago. Not for values that something may still be using. */
export interface Lru<V> {
  get(key: string): V | undefined;
  set(key: string, value: V): void;
}

interface Entry<V> {
  readonly value: V;
  readonly weight: number;
  usedAt: number;
}

export function createLru<V>(maxWeight: number, weightOf: (value: V) => number): Lru<V> {
  const entries = new Map<string, Entry<V>>();
  let weight = 0;
  // A count of uses orders them; reads are many and evictions few, so that only these search for the oldest.
  let uses = 0;
  const remove = (key: string) => {
    weight -= entries.get(key)?.weight ?? 0;
    entries.delete(key);
  };
  return {
    get(key) {
      const entry = entries.get(key);
      if (entry === undefined) return undefined;
      entry.usedAt = ++uses;
      return entry.value;
    },
    set(key, value) {
      remove(key);
      const entry = { value, weight: weightOf(value), usedAt: ++uses };
      if (entry.weight > maxWeight) return;
      entries.set(key, entry);
      weight += entry.weight;
      while (weight > maxWeight) remove(oldestOf(entries));
    },
  };
}

function oldestOf(entries: ReadonlyMap<string, Entry<unknown>>): string {
  let oldest = { key: "", usedAt: Number.POSITIVE_INFINITY };
  for (const [key, { usedAt }] of entries) if (usedAt < oldest.usedAt) oldest = { key, usedAt };
  return oldest.key;
}
