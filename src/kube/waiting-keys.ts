/**
 * Keys that wait for a worker: higher priority first, then first come, first served. Taking one costs the same however
 * many wait (the first item of a Set does not: finding it walks over all that were removed before it). Used by the work
 * queue. Pure.
 */
export interface WaitingKey {
  readonly key: string;
  readonly priority: number;
  /** When it began to wait, on the queue's clock: a whole number, which takes no memory of its own. */
  readonly since: number;
}

/** One priority. What was taken or has risen since stays in `items` until it is come across, or too much of it is there. */
interface Level {
  items: WaitingKey[];
  head: number;
  waiting: number;
}

const maxStale = 1_024;

export class WaitingKeys {
  readonly #waiting = new Map<string, WaitingKey>();
  readonly #levels = new Map<number, Level>();
  /** Priorities of the levels, ascending. */
  readonly #priorities: number[] = [];

  get size(): number {
    return this.#waiting.size;
  }

  /** Items in memory: those that wait, and those that no longer do and were not yet come across. */
  get kept(): number {
    return this.#levels.values().reduce((sum, level) => sum + level.items.length, 0);
  }

  get(key: string): WaitingKey | undefined {
    return this.#waiting.get(key);
  }

  /** Puts the key at the end of its priority; what waited under the same key waits no more. */
  put(item: WaitingKey): void {
    const known = this.#waiting.get(item.key);
    if (known) this.#leave(known);
    this.#waiting.set(item.key, item);
    const level = this.#level(item.priority);
    level.items.push(item);
    level.waiting++;
  }

  /** Takes the next key out. */
  shift(): WaitingKey | undefined {
    for (let priority = this.#priorities.at(-1); priority !== undefined; priority = this.#priorities.at(-1)) {
      const level = this.#level(priority);
      while (level.head < level.items.length) {
        const item = level.items[level.head++];
        if (item === undefined || this.#waiting.get(item.key) !== item) continue;
        this.#waiting.delete(item.key);
        this.#leave(item);
        return item;
      }
      this.#levels.delete(priority);
      this.#priorities.pop();
    }
    return undefined;
  }

  #leave({ priority }: WaitingKey): void {
    const level = this.#level(priority);
    level.waiting--;
    if (level.items.length - level.waiting <= Math.max(maxStale, level.waiting)) return;
    level.items = level.items.slice(level.head).filter((item) => this.#waiting.get(item.key) === item);
    level.head = 0;
  }

  #level(priority: number): Level {
    const known = this.#levels.get(priority);
    if (known) return known;
    const level: Level = { items: [], head: 0, waiting: 0 };
    this.#levels.set(priority, level);
    const above = this.#priorities.findIndex((other) => other > priority);
    this.#priorities.splice(above < 0 ? this.#priorities.length : above, 0, priority);
    return level;
  }
}
