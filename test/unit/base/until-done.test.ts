import { describe, expect, it } from "vitest";
import type { Clock } from "../../../src/base/clock.ts";
import { InferiumError } from "../../../src/base/errors.ts";
import { createLogger } from "../../../src/base/log.ts";
import { untilDone } from "../../../src/base/until-done.ts";

const away = new InferiumError("KubeInternalError", "the server answers 500", { disposition: "retry" });

function aWait() {
  const slept: number[] = [];
  const lines: string[] = [];
  const clock: Clock = {
    now: () => 0,
    monotonic: () => 0,
    sleep: async (ms, signal) => {
      slept.push(ms);
      signal?.throwIfAborted();
    },
  };
  const logger = createLogger({ write: (line) => void lines.push(line) });
  return {
    slept,
    lines,
    waiting: { message: "the term cannot begin yet", fields: { what: "batches" }, clock, logger },
  };
}

describe("what cannot be done yet", () => {
  it("is asked for until the server answers, less and less often, and each failure is in the log", async () => {
    const { slept, lines, waiting } = aWait();
    let asked = 0;
    const work = async () => {
      if (++asked <= 20) throw away;
      return "read";
    };
    await expect(untilDone(work, waiting, new AbortController().signal)).resolves.toBe("read");
    expect(slept).toHaveLength(20);
    expect(Math.max(...slept)).toBeLessThanOrEqual(15_000);
    expect(slept.at(-1)).toBeGreaterThan(slept[0] ?? 0);
    expect(lines).toHaveLength(20);
    expect(lines[0]).toMatch(/batches.*the server answers 500/);
  });

  it("ends with its signal", async () => {
    const { waiting } = aWait();
    const stop = new AbortController();
    const work = async () => {
      stop.abort(new Error("the lease is lost"));
      throw away;
    };
    await expect(untilDone(work, waiting, stop.signal)).rejects.toThrow("the lease is lost");
  });

  it.each([new InferiumError("RecordDamaged", "damaged", { disposition: "fatal" }), new TypeError("a bug")])(
    "is given up where waiting does not help: %s",
    async (error) => {
      const { slept, waiting } = aWait();
      await expect(untilDone(() => Promise.reject(error), waiting, new AbortController().signal)).rejects.toBe(error);
      expect(slept).toEqual([]);
    },
  );
});
