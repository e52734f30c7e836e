/** What is due at some time, ordered by it: a binary heap, so that 100,000 waiting keys need one timer. Pure. */
export interface Due {
  readonly at: number;
}

export class DelayHeap<D extends Due> {
  readonly #heap: D[] = [];

  get size(): number {
    return this.#heap.length;
  }

  peek(): D | undefined {
    return this.#heap[0];
  }

  push(entry: D): void {
    const heap = this.#heap;
    let index = heap.length;
    heap.push(entry);
    while (index > 0) {
      const parentIndex = (index - 1) >> 1;
      const parent = heap[parentIndex];
      if (parent === undefined || parent.at <= entry.at) break;
      heap[index] = parent;
      index = parentIndex;
    }
    heap[index] = entry;
  }

  pop(): D | undefined {
    const first = this.#heap[0];
    const last = this.#heap.pop();
    if (last !== undefined && this.#heap.length > 0) this.#sink(last);
    return first;
  }

  #sink(entry: D): void {
    const heap = this.#heap;
    let index = 0;
    for (;;) {
      let childIndex = 2 * index + 1;
      const left = heap[childIndex];
      const right = heap[childIndex + 1];
      let child = left;
      if (left !== undefined && right !== undefined && right.at < left.at) {
        child = right;
        childIndex++;
      }
      if (child === undefined || child.at >= entry.at) break;
      heap[index] = child;
      index = childIndex;
    }
    heap[index] = entry;
  }
}
