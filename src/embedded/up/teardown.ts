/**
 * What must be undone when a run ends, last first. Each step has a time limit, one failing step does not keep the others
 * from running, and every failure is logged.
 */
import { describeError } from "../../base/errors.ts";
import type { Logger } from "../../base/log.ts";

export interface Teardown {
  add(what: string, undo: () => Promise<unknown> | unknown): void;
  run(): Promise<void>;
}

export function createTeardown(logger: Logger, stepTimeoutMs = 20_000): Teardown {
  const steps: { what: string; undo: () => Promise<unknown> | unknown }[] = [];
  return {
    add: (what, undo) => void steps.push({ what, undo }),
    async run() {
      for (let step = steps.pop(); step; step = steps.pop()) {
        try {
          await withTimeout(step.undo, stepTimeoutMs);
        } catch (error) {
          logger.error("stopping a part failed", { part: step.what, error: describeError(error) });
        }
      }
    },
  };
}

async function withTimeout(undo: () => Promise<unknown> | unknown, ms: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not done after ${ms} ms`)), ms);
  });
  try {
    await Promise.race([undo(), late]);
  } finally {
    clearTimeout(timer);
  }
}
