/** What a benchmark may be told on the command line, how long it may take, and how it says how far it is. */

export type Figures = Readonly<Record<string, unknown>>;

export interface BenchOptions {
  /** Of the benchmark of proofs. */
  readonly models?: readonly string[] | undefined;
  /** Left out: those that the benchmark runs by itself. */
  readonly parts?: readonly string[];
  /** How many of what it is about. */
  readonly count?: number;
  /** Of one part. */
  readonly timeoutMs?: number;
}

/** @throws Error for a part that the benchmark has not */
export function chooseParts<Part extends string>(
  { parts }: BenchOptions,
  known: readonly Part[],
  usual: readonly Part[] = known,
): ReadonlySet<Part> {
  if (parts === undefined) return new Set(usual);
  const unknown = parts.find((part) => !known.some((one) => one === part));
  if (unknown !== undefined) throw new Error(`--part is ${unknown}; expected one of ${known.join(", ")}.`);
  return new Set(known.filter((part) => parts.includes(part)));
}

/** Whether the work ended in time. */
export async function within(ms: number, work: Promise<unknown>): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => resolve(false), Math.max(0, ms));
  });
  try {
    return await Promise.race([work.then(() => true), late]);
  } finally {
    clearTimeout(timer);
  }
}

/** A line on standard error every five seconds, until it is ended. */
export function tellProgress(say: () => string): { end(): void } {
  const timer = setInterval(() => console.error(say()), 5_000);
  return { end: () => clearInterval(timer) };
}
