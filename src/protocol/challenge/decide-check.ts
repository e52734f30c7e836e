/**
 * What the validators' words on an answer come to. One that finds it right is enough: nobody computes the right digests of
 * columns that were chosen afterwards by mistake. Two that find the same other result make it wrong, since one alone could
 * be mistaken, or slander. Pure.
 */
import { findWrongColumns } from "./decide-challenge.ts";

export interface CheckVote {
  readonly validator: string;
  /** Undefined where it could not compute the columns. */
  readonly digests: Uint8Array | undefined;
}

export type CheckVerdict = "Right" | "Wrong" | "Open" | "Undecided";

/** @param asked how many validators are on the panel; Open until enough of them have spoken, then Undecided */
export function decideCheck(
  answer: Uint8Array,
  columns: readonly number[],
  votes: readonly CheckVote[],
  asked: number,
): CheckVerdict {
  const told = votes.map(({ digests }) => digests).filter((digests) => digests !== undefined);
  if (told.some((digests) => findWrongColumns(answer, digests, columns).length === 0)) return "Right";
  const counts = new Map<string, number>();
  for (const digests of told) {
    const key = [...digests].join();
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  if ([...counts.values()].some((count) => count >= 2)) return "Wrong";
  return votes.length < asked ? "Open" : "Undecided";
}
