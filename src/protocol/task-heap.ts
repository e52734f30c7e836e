/**
 * Stage 2: heaps of tasks that are nothing but numbers. All heaps of one instance share one array; a heap is its root, and 0 is
 * the empty one. They are skew heaps: adding, taking the first and taking out any other cost logarithmic time in the
 * mean over any sequence, without an allocation. Mutable and deterministic.
 */
export class TaskHeaps {
  readonly #isBefore: (a: number, b: number) => boolean;
  /** Of each node its left and right child, its parent, and nothing: they are always asked for together. */
  #links: Int32Array;

  constructor(capacity: number, isBefore: (a: number, b: number) => boolean) {
    this.#isBefore = isBefore;
    this.#links = new Int32Array(stride * capacity);
  }

  grow(capacity: number): void {
    const links = this.#links;
    this.#links = new Int32Array(stride * capacity);
    this.#links.set(links);
  }

  /** @returns the new root */
  insert(root: number, node: number): number {
    this.#links.fill(0, stride * node, stride * (node + 1));
    return this.#merge(root, node);
  }

  /** @returns the new root of the heap that `node` was in */
  remove(root: number, node: number): number {
    const links = this.#links;
    const at = stride * node;
    const above = links[at + parent] as number;
    const rest = this.#merge(links[at + left] as number, links[at + right] as number);
    links[stride * rest + parent] = above;
    if (root === node) return rest;
    const side = links[stride * above + left] === node ? left : right;
    links[stride * above + side] = rest;
    return root;
  }

  /** Down the right spines, whose parts change sides on the way: that is what keeps them short. */
  #merge(a: number, b: number): number {
    if (a === 0 || b === 0) return a + b;
    const links = this.#links;
    const root = this.#isBefore(b, a) ? b : a;
    let loser = root === a ? b : a;
    links[stride * root + parent] = 0;
    for (let node = root; ; ) {
      const at = stride * node;
      let next = links[at + right] as number;
      links[at + right] = links[at + left] as number;
      const isEnd = next === 0;
      if (isEnd || this.#isBefore(loser, next)) {
        const passed = next;
        next = loser;
        loser = passed;
      }
      links[at + left] = next;
      links[stride * next + parent] = node;
      if (isEnd) return root;
      node = next;
    }
  }
}

const [left, right, parent, stride] = [0, 1, 2, 4];
