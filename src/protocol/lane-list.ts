/**
 * Stage 2: a tenant's lanes, with what every decision asks of each of them side by side in one array: which lane it is going to be
 * is decided without touching the others. A lane is found by its place in that array. Mutable.
 */
import type { Lane } from "./lane.ts";

/** Whether its head may run now, and by what right. Parked: over quota, or leaving room for an older task of its tenant. */
export const standings = { Parked: 0, Within: 1, Borrowing: 2 } as const;
export type Standing = keyof typeof standings;

/** Places are multiples of this. */
export const laneWidth = 4;

/** In numbers of four bytes: the key of the oldest task takes two, then the id of the column, then units and standing. */
const [column, share] = [2, 3];

export class LaneList {
  readonly #lanes: Lane[] = [];
  #numbers = new Int32Array(4 * laneWidth);
  /** Over the same bytes. */
  #keys = new Float64Array(this.#numbers.buffer);

  /** Beyond the last place. */
  get end(): number {
    return laneWidth * this.#lanes.length;
  }

  at(place: number): Lane | undefined {
    return this.#lanes[place / laneWidth];
  }

  /** Of the oldest task of the lane. */
  headAt(place: number): number {
    return this.#keys[place >> 1] as number;
  }

  columnAt(place: number): number {
    return this.#numbers[place + column] as number;
  }

  unitsAt(place: number): number {
    return (this.#numbers[place + share] as number) >> 2;
  }

  /** One of `standings`. */
  standingAt(place: number): number {
    return (this.#numbers[place + share] as number) & 3;
  }

  setStanding(place: number, standing: number): void {
    const units = (this.#numbers[place + share] as number) & ~3;
    this.#numbers[place + share] = units | standing;
  }

  /** It is parked. */
  add(lane: Lane): void {
    const place = this.end;
    this.#lanes.push(lane);
    if (place === this.#numbers.length) this.#grow();
    this.#numbers[place + column] = lane.column.id;
    this.#numbers[place + share] = lane.column.units << 2;
    lane.place = place;
    this.setHead(lane);
  }

  remove({ place }: Lane): void {
    const last = this.#lanes.pop();
    if (!last || last.place === place) return;
    this.#lanes[place / laneWidth] = last;
    this.#numbers.copyWithin(place, last.place, last.place + laneWidth);
    last.place = place;
  }

  setHead(lane: Lane): void {
    this.#keys[lane.place >> 1] = lane.headKey;
  }

  isParked(lane: Lane): boolean {
    return this.standingAt(lane.place) === standings.Parked;
  }

  #grow(): void {
    const numbers = this.#numbers;
    this.#numbers = new Int32Array(2 * numbers.length);
    this.#numbers.set(numbers);
    this.#keys = new Float64Array(this.#numbers.buffer);
  }
}
