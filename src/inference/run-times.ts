/**
 * How long runs of a model take, by the shapes of their inputs: the median of the last few. Bounded in shapes: the one first seen
 * is forgotten first. No effects.
 */
import type { NamedTensors } from "../protocol/tensors/tensor.ts";

export interface RunTimes {
  note(shapes: string, ms: number): void;
  /** Undefined until enough runs of these shapes are known. */
  typicalMs(shapes: string): number | undefined;
}

/** A run that was held up by something else counts as one of so many. */
const runsKnown = 16;
const maxShapes = 64;

interface Known {
  readonly times: number[];
  count: number;
  typicalMs: number | undefined;
}

export function createRunTimes(): RunTimes {
  const byShapes = new Map<string, Known>();

  function open(shapes: string): Known {
    const [first] = byShapes.keys();
    if (byShapes.size >= maxShapes && first !== undefined) byShapes.delete(first);
    const known: Known = { times: [], count: 0, typicalMs: undefined };
    byShapes.set(shapes, known);
    return known;
  }

  return {
    note(shapes, ms) {
      const known = byShapes.get(shapes) ?? open(shapes);
      known.times[known.count % runsKnown] = ms;
      known.count += 1;
      if (known.count % runsKnown === 0) known.typicalMs = known.times.toSorted((a, b) => a - b)[runsKnown / 2];
    },
    typicalMs: (shapes) => byShapes.get(shapes)?.typicalMs,
  };
}

/** Types and shapes as one text; names are those of the model or the call fails. */
export function describeShapes(tensors: NamedTensors): string {
  let text = "";
  for (const [name, { dtype, shape }] of tensors) text += `${name}:${dtype}[${shape.join(",")}] `;
  return text;
}

export interface RunClock {
  /** Of a run asked for at `askedAt`: runs of one thread go one after another. */
  end(askedAt: number): number;
}

/** Tells what runs take of a thread that has others waiting: each begins when the one before has ended. */
export function createRunClock(now: () => number = () => performance.now()): RunClock {
  let endedAt = 0;
  return {
    end(askedAt) {
      const startedAt = Math.max(askedAt, endedAt);
      endedAt = now();
      return endedAt - startedAt;
    },
  };
}
