/**
 * What must hold after models from all kinds of sources. Each check has a name, which its problems carry:
 *
 *   ends       every task ends in its time, and no source holds one up
 *   reason     what failed says what was wrong, and whether another worker could do better; what is good succeeds
 *   secret     no message repeats credentials, a query, or where a name led
 *   leftover   no temporary file and no connection outlives the tasks
 *   memory     nothing was unpacked or kept whole that is larger than an artifact may be
 */
import { readdir } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import type { Failure } from "../../../src/worker/classify-failure.ts";
import { type Source, sources } from "./sources.ts";

export interface Tried {
  readonly source: Source;
  /** Undefined: it succeeded. */
  readonly failure: Failure | undefined;
  /** Its task ended before the source may have. */
  readonly isHurried: boolean;
  readonly isLate: boolean;
}

export interface Left {
  readonly cacheDir: string;
  /** More than before. */
  readonly rssMiB: number;
  readonly openConnections: () => Promise<number>;
}

/** One that was unpacked, or 32 that were kept, would be beyond it. */
const mostRssMiB = 250;
const settleMs = 30_000;

export async function assertModelSource(tried: readonly Tried[], left: Left) {
  const problems: string[] = [];
  for (const one of tried) checkOne(one, problems);
  const until = performance.now() + settleMs;
  let leftovers = await findLeftovers(left);
  while (leftovers.length > 0 && performance.now() < until) {
    await sleep(50);
    leftovers = await findLeftovers(left);
  }
  problems.push(...leftovers.map((what) => `leftover: ${what}`));
  if (left.rssMiB > mostRssMiB)
    problems.push(`memory: ${Math.round(left.rssMiB)} MiB more than before, at most ${mostRssMiB}`);
  return { problems: [...new Set(problems)], table: buildTable(tried) };
}

function checkOne({ source: { name, want }, failure, isHurried, isLate }: Tried, problems: string[]): void {
  if (isLate) problems.push(`ends: ${name} had not ended in its time`);
  const says = failure === undefined ? "succeeded" : `${failure.reason} (${failure.retryable ? "retryable" : "final"})`;
  const message = failure?.message ?? "";
  if (/secret@|169\.254\.170|127\.0\.0\.3/.test(message)) problems.push(`secret: ${name} says ${message}`);
  // In a hurry the task's own end is a right answer too.
  if (isHurried && /the task's time is over/.test(message)) return;
  const isRight =
    want === "success"
      ? failure === undefined
      : failure?.reason === want.reason && failure.retryable === want.retryable;
  if (isRight) return;
  problems.push(`reason: ${name} ended as ${says}, expected ${JSON.stringify(want)}: ${message}`);
}

async function findLeftovers({ cacheDir, openConnections }: Left): Promise<string[]> {
  const files = (await readdir(cacheDir)).filter((name) => name.startsWith("tmp-"));
  const open = await openConnections();
  return [...files, ...(open > 0 ? [`${open} connections`] : [])];
}

function buildTable(tried: readonly Tried[]): string[] {
  const rows = sources.map(({ name }) => {
    const ends = tried.filter(({ source, isHurried }) => source.name === name && !isHurried);
    const words = new Set(ends.map(({ failure }) => failure?.reason ?? "succeeded"));
    const message = ends.find(({ failure }) => failure)?.failure?.message ?? "";
    return `${name.padEnd(28)}${[...words].join(", ").padEnd(20)}${message.slice(0, 110)}`;
  });
  return [`${"SOURCE".padEnd(28)}${"ENDS AS".padEnd(20)}SAYS`, ...rows];
}
