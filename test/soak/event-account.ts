/**
 * Which of the acknowledged writes a follower was told of. Every version must come, and in order: cuts take no history away,
 * so a follower goes on where it was. Bounded: what has come is forgotten. Pure.
 */

export interface Written {
  readonly key: string;
  readonly uid: string;
  /** Undefined of a deletion, of which only the object is known. */
  readonly resourceVersion: number | undefined;
}

interface Open extends Written {
  readonly writtenMs: number;
}

/** Most names that are kept for the report. */
const mostNamed = 20;

export class EventAccount {
  writes = 0;
  events = 0;
  missed = 0;
  /** Events of a version that had come before: told twice, or backwards. */
  repeated = 0;
  readonly named: string[] = [];
  readonly #open = new Map<string, Open>();
  readonly #latest = new Map<string, number>();
  /** Came before their writes were acknowledged. */
  readonly #early = new Set<string>();
  #slowestMs = 0;

  /** @param nowMs when the server acknowledged it */
  onWrite(written: Written, nowMs: number): void {
    this.writes++;
    const name = nameOf(written);
    if (!this.#early.delete(name)) this.#open.set(name, { ...written, writtenMs: nowMs });
  }

  onEvent(event: Written & { readonly deleted: boolean }, nowMs: number): void {
    this.events++;
    const version = event.resourceVersion ?? 0;
    if (!event.deleted && version <= (this.#latest.get(event.uid) ?? 0)) {
      this.repeated++;
      return;
    }
    if (event.deleted) this.#latest.delete(event.uid);
    else this.#latest.set(event.uid, version);
    const name = nameOf(event.deleted ? { ...event, resourceVersion: undefined } : event);
    const open = this.#open.get(name);
    if (open === undefined) return void this.#early.add(name);
    this.#open.delete(name);
    this.#slowestMs = Math.max(this.#slowestMs, nowMs - open.writtenMs);
  }

  /** What is open for longer than `afterMs` is missed. @returns the slowest event since the last call, in milliseconds */
  settle(nowMs: number, afterMs: number): number {
    for (const [name, { writtenMs, key }] of this.#open) {
      if (nowMs - writtenMs <= afterMs) continue;
      this.#open.delete(name);
      this.missed++;
      if (this.named.length < mostNamed) this.named.push(`${key} ${name}`);
    }
    const slowestMs = this.#slowestMs;
    this.#slowestMs = 0;
    return slowestMs;
  }

  get open(): number {
    return this.#open.size;
  }
}

function nameOf({ uid, resourceVersion }: Written): string {
  return `${uid}@${resourceVersion ?? "deleted"}`;
}
