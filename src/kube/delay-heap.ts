/** Values ordered by the time at which they are due: a binary heap, so that 100,000 waiting keys need one timer. Pure. */
export interface Due<V> {
  readonly at: number;
  readonly value: V;
}

export class DelayHeap<V> {
  readonly #heap: Due<V>[] = [];

  get size(): number {
    return this.#heap.length;
  }

  peek(): Due<V> | undefined {
    return this.#heap[0];
  }

  push(entry: Due<V>): void {
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

  pop(): Due<V> | undefined {
    const first = this.#heap[0];
    const last = this.#heap.pop();
    if (last !== undefined && this.#heap.length > 0) this.#sink(last);
    return first;
  }

  #sink(entry: Due<V>): void {
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
