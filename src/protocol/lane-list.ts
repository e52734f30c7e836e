/**
 * Stage 2: a tenant's lanes, with what every decision asks of each of them in arrays: which lane it is going to be is decided
 * without touching the others. Mutable.
 */
import type { Lane } from "./lane.ts";

/** Whether its head may run now, and by what right. Parked: over quota, or leaving room for an older task of its tenant. */
export const standings = { Parked: 0, Within: 1, Borrowing: 2 } as const;
export type Standing = keyof typeof standings;

export class LaneList {
  readonly #lanes: Lane[] = [];
  /** Of the oldest task of each. */
  heads = new Float64Array(4);
  columns = new Int32Array(4);
  units = new Int32Array(4);
  /** Numbers of `standings`. */
  standings = new Uint8Array(4);

  get length(): number {
    return this.#lanes.length;
  }

  at(index: number): Lane | undefined {
    return this.#lanes[index];
  }

  add(lane: Lane): void {
    const index = this.#lanes.push(lane) - 1;
    if (index === this.heads.length) this.#grow(2 * index);
    this.#put(lane, index);
  }

  remove({ index }: Lane): void {
    const last = this.#lanes.pop();
    if (last && last.index !== index) {
      this.#lanes[index] = last;
      this.standings[index] = this.standings[last.index] as number;
      this.#put(last, index);
    }
  }

  setHead(lane: Lane): void {
    this.heads[lane.index] = lane.headKey;
  }

  isParked(lane: Lane): boolean {
    return this.standings[lane.index] === standings.Parked;
  }

  #put(lane: Lane, index: number): void {
    lane.index = index;
    this.heads[index] = lane.headKey;
    this.columns[index] = lane.column.id;
    this.units[index] = lane.column.units;
  }

  #grow(length: number): void {
    const { heads, columns, units, standings } = this;
    this.heads = new Float64Array(length);
    this.heads.set(heads);
    this.columns = new Int32Array(length);
    this.columns.set(columns);
    this.units = new Int32Array(length);
    this.units.set(units);
    this.standings = new Uint8Array(length);
    this.standings.set(standings);
  }
}
