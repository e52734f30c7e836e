/**
 * A challenge: seeded, timed work that shows a rate of arithmetic and an amount of memory, and that anybody can check in a
 * part of the time. Issued by the operator, run by a worker (all columns) and by a validator (a few of them). Pure.
 *
 * The work: X starts as the product of two seeded thin matrices mod 16, of `columns` columns; `rounds` times X becomes A·X mod 16 for a seeded square matrix
 * A. The last `kept` results stay in memory, for then, `passes` times, all of them are summed with weights that are known
 * only once the pass before has ended: who kept nothing computes them all again for each pass. What is answered is a digest
 * for each column.
 *
 * Two properties carry it. No column depends on another, so that the few columns that a validator computes are exactly those
 * that the worker must have. And all numbers are whole and stay below 2^24, so that every runtime and every precision down to
 * TF32 gives the same bits, in whatever order it adds.
 */
export interface ChallengePlan {
  /** 32 bytes, 0x-hex. Nobody knows it before the challenge is handed out. */
  readonly seed: string;
  /** Rows of X, rows and columns of A. */
  readonly size: number;
  readonly columns: number;
  readonly rounds: number;
  readonly kept: number;
  readonly passes: number;
  /** Devices that share the columns and run at the same time. */
  readonly devices: number;
}

/** Entries of A go from -8 to 7 and those of X from 0 to 15: up to this size no sum reaches 2^24. */
export const maxSize = 65_536;
export const modulus = 16;

export const bytesPerEntry = 4;

/** Multiplications and additions of the rounds; what the passes add is not counted. */
export function countOperations({ size, columns, rounds }: ChallengePlan): number {
  return 2 * size * size * columns * rounds;
}

/** Held at once, over all devices. */
export function countMemoryBytes({ size, columns, kept }: ChallengePlan): number {
  return bytesPerEntry * size * columns * kept;
}

export interface PlanGoals {
  readonly seed: string;
  readonly operations: number;
  readonly memoryBytes: number;
  readonly devices: number;
}

/** The larger, the more it costs to compute again what was not kept, against reading it. */
const size = 8_192;
const kept = 16;
const passes = 32;
/** The least: an answer of fewer columns could be guessed at. */
const minColumns = 64;
/** An answer of more columns would not fit into a call of the pool API. */
const maxColumns = 600_000;
const maxRounds = 8_192;

/** A plan with at least so many operations and so much memory held, within the bounds of what can be asked. */
export function planChallenge({ seed, operations, memoryBytes, devices }: PlanGoals): ChallengePlan {
  if (memoryBytes === 0) return { ...smallPlan, seed, rounds: countRounds(smallPlan, operations) };
  const wanted = Math.ceil(memoryBytes / (bytesPerEntry * size * kept * devices)) * devices;
  const columns = Math.min(maxColumns, Math.max(minColumns, wanted));
  const plan = { seed, size, columns, kept, passes, devices, rounds: kept };
  return { ...plan, rounds: countRounds(plan, operations) };
}

/** For machines without a GPU, whose memory is not asked for. */
const smallPlan: ChallengePlan = {
  seed: "",
  size: 512,
  columns: minColumns,
  rounds: 16,
  kept: 16,
  passes: 1,
  devices: 1,
};

function countRounds(plan: ChallengePlan, operations: number): number {
  const perRound = countOperations({ ...plan, rounds: 1 });
  return Math.min(maxRounds, Math.max(plan.kept, Math.ceil(operations / perRound)));
}
