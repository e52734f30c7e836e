/** A user of a simulation's cluster: says again what was not taken, as people and their scripts do while an API server restarts. */
import { setTimeout as sleep } from "node:timers/promises";
import { InferiumError } from "../../../src/base/errors.ts";
import { KubeApiError } from "../../../src/kube/api-error.ts";

const giveUpMs = 30_000;

/** What an earlier try has done already is done. @throws what the last try said */
export async function insist(change: () => Promise<unknown>): Promise<void> {
  const deadlineMs = performance.now() + giveUpMs;
  for (let isFirst = true; ; isFirst = false) {
    try {
      return void (await change());
    } catch (error) {
      if (!isFirst && error instanceof KubeApiError && (error.status === 409 || error.status === 404)) return;
      if (!isAway(error) || performance.now() > deadlineMs) throw error;
    }
    await sleep(100);
  }
}

function isAway(error: unknown): boolean {
  if (error instanceof KubeApiError) return error.status >= 500;
  return error instanceof InferiumError && (error.code === "KubeUnreachable" || error.code === "KubeTimeout");
}
