/**
 * Stage 2: where a lane's heap of each model begins, by number of the model. Numbers are used again when no task names their model, so
 * most of them are small, and those need no hashing. Mutable.
 */
export class ModelRoots {
  #small: number[] = [];
  #large: Map<number, number> | undefined;
  /** Models of which a task waits. */
  size = 0;

  /** 0 where there is none. */
  get(model: number): number {
    if (model < this.#small.length) return this.#small[model] as number;
    return model < maxSmall ? 0 : (this.#large?.get(model) ?? 0);
  }

  set(model: number, root: number): void {
    this.size += Number(root !== 0) - Number(this.get(model) !== 0);
    if (model < maxSmall) {
      while (this.#small.length <= model) this.#small.push(0);
      this.#small[model] = root;
    } else if (root === 0) this.#large?.delete(model);
    else {
      this.#large ??= new Map();
      this.#large.set(model, root);
    }
  }
}

const maxSmall = 64;
