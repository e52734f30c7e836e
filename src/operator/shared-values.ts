/**
 * Equal values of many tasks, each in memory once. Nobody may change one. Bounded: what has not been asked for in a while is made
 * anew. Called by whoever keeps tasks.
 */
/** Of how many values of one generation. */
const maxShared = 2_048;
/** Longer ones are not likely to be there twice. */
export const maxSharedLength = 2_048;

/** Two generations: when the young one is full it becomes the old one, and what is still asked for moves back. */
class SharedValues<T> {
  #young = new Map<string, T>();
  #old = new Map<string, T>();

  get(id: string): T | undefined {
    const known = this.#young.get(id);
    if (known !== undefined) return known;
    const old = this.#old.get(id);
    if (old !== undefined) this.set(id, old);
    return old;
  }

  set(id: string, value: T): void {
    if (this.#young.size >= maxShared) {
      this.#old = this.#young;
      this.#young = new Map();
    }
    this.#young.set(id, value);
  }
}

const objects = new SharedValues<object>();
const texts = new SharedValues<string>();

/** An equal value that was asked for before, or this one. */
export function share<T extends object>(value: T): T {
  return shareAs(JSON.stringify(value), () => value);
}

/**
 * @param id its JSON
 * @param make what is kept of it where it is new
 */
export function shareAs<T extends object>(id: string, make: () => T): T {
  const same = objects.get(id);
  if (same !== undefined) return same as T;
  const value = make();
  if (id.length <= maxSharedLength) objects.set(id, value);
  return value;
}

export function shareText(text: string): string {
  const same = texts.get(text);
  if (same !== undefined) return same;
  if (text.length <= maxSharedLength) texts.set(text, text);
  return text;
}
