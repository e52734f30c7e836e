/** Stage 2: digests of models as numbers, while some waiting task names them. Mutable. */
import type { Claimant } from "./claimants.ts";

export class ModelNames {
  readonly #numbers = new Map<string, number>();
  readonly #names: string[] = [];
  readonly #uses: number[] = [];
  readonly #free: number[] = [];
  /** Another where a name has come or gone. */
  version = 0;

  /** One more task names it. To be followed by `release`. */
  use(name: string): number {
    const known = this.#numbers.get(name);
    const number = known ?? this.#free.pop() ?? this.#names.length;
    if (known === undefined) {
      this.#numbers.set(name, number);
      this.#names[number] = name;
      this.#uses[number] = 0;
      this.version++;
    }
    this.#uses[number] = (this.#uses[number] ?? 0) + 1;
    return number;
  }

  release(number: number): void {
    const uses = (this.#uses[number] ?? 0) - 1;
    this.#uses[number] = uses;
    if (uses > 0) return;
    this.#numbers.delete(this.nameOf(number));
    this.#names[number] = "";
    this.#free.push(number);
    this.version++;
  }

  nameOf(number: number): string {
    return this.#names[number] ?? "";
  }

  /** Numbers of what the worker has loaded, of those that some task names. */
  loadedBy(claimant: Claimant): readonly number[] {
    if (claimant.namesVersion !== this.version) {
      claimant.loaded = this.known(claimant.facts.models);
      claimant.namesVersion = this.version;
    }
    return claimant.loaded;
  }

  /** Numbers of those that some task names. */
  known(names: Iterable<string>): number[] {
    const numbers: number[] = [];
    for (const name of names) {
      const number = this.#numbers.get(name);
      if (number !== undefined) numbers.push(number);
    }
    return numbers;
  }
}
