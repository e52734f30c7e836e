/** Waits of simulations: a condition is asked for again until it holds. */
import { setTimeout as sleep } from "node:timers/promises";

type Falsy = undefined | null | false | "" | 0;

/** @throws where it does not hold within `timeoutMs` */
export async function waitUntil<T>(what: string, timeoutMs: number, ask: () => Promise<T>): Promise<Exclude<T, Falsy>> {
  for (const deadline = performance.now() + timeoutMs; ; await sleep(100)) {
    const found = await ask();
    if (found) return found as Exclude<T, Falsy>;
    if (performance.now() > deadline) throw new Error(`${what}: not within ${timeoutMs / 1_000} s`);
  }
}
