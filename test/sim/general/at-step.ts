/** A death at a step: not at a time, but at a message that somebody sends or is about to receive. */
import type { Direction } from "../gate.ts";

/** Before the other side has the request, or after it has done what was asked. */
export const directionOf = (choice: number): Direction => (Math.floor(choice / 2) % 2 === 0 ? "request" : "answer");

const stepWaitMs = 2_000;

/** @param arm told what to do at the step; answers how to take that back. @returns whether the step came */
export async function atStep(arm: (act: () => void) => () => void, die: () => Promise<void>): Promise<boolean> {
  const { promise, resolve, reject } = Promise.withResolvers<boolean>();
  let isOver = false;
  const takeBack = arm(() => {
    if (isOver) return;
    isOver = true;
    die().then(() => resolve(true), reject);
  });
  const timer = setTimeout(() => {
    if (!isOver) resolve(false);
    isOver = true;
  }, stepWaitMs);
  try {
    return await promise;
  } finally {
    clearTimeout(timer);
    takeBack();
  }
}
