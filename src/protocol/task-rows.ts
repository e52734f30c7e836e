/**
 * Stage 2: the numbers of the tasks: one row each of as many bytes as a processor fetches at once, because with 200,000 and more of
 * them most of what a decision costs is to fetch what it looks at. Row 0 is none. Mutable.
 */
export class TaskRows {
  /** Row r begins at r * stride; see `cell`. */
  cells = new Int32Array(stride * startRows);
  /** Over the same bytes: the key of row r at r * keyStride. */
  keys = new Float64Array(this.cells.buffer);

  get capacity(): number {
    return this.cells.length / stride;
  }

  grow(): void {
    const { cells } = this;
    this.cells = new Int32Array(2 * cells.length);
    this.cells.set(cells);
    this.keys = new Float64Array(this.cells.buffer);
  }
}

export const stride = 16;
export const keyStride = stride / 2;

/** Where in a row; the first two cells are its key. */
export const cell = {
  /** Left child, right child and parent in the heap of its lane. */
  laneHeap: 2,
  /** The same in the heap of its model within the lane. */
  modelHeap: 5,
  /** Number of its model. */
  model: 8,
  /** One of `taskStates`. */
  state: 9,
  /** Rows of its tenant that began to run before and after it. */
  before: 10,
  after: 11,
  priority: 12,
} as const;

export const taskStates = { Free: 0, Waiting: 1, Running: 2, Ending: 3 } as const;

const startRows = 64;
