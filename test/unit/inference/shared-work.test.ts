import { describe, expect, it } from "vitest";
import { createSharedWork } from "../../../src/inference/shared-work.ts";

function aWork() {
  const work = createSharedWork<string>();
  const starts: AbortSignal[] = [];
  const gate = Promise.withResolvers<string>();
  const join = (signal?: AbortSignal) =>
    work.join(
      "key",
      (stop) => {
        starts.push(stop);
        return Promise.race([gate.promise, new Promise<never>((_, no) => stop.addEventListener("abort", no))]);
      },
      signal,
    );
  return { join, starts, finish: () => gate.resolve("done") };
}

describe("work that several wait for", () => {
  it("is done once, and goes on while one of them waits", async () => {
    const { join, starts, finish } = aWork();
    const leaving = new AbortController();
    const [gone, staying] = [join(leaving.signal), join()];
    leaving.abort(new Error("deadline"));
    await expect(gone).rejects.toThrow("deadline");
    expect(starts.map(({ aborted }) => aborted)).toEqual([false]);
    finish();
    await expect(staying).resolves.toBe("done");
  });

  it("is stopped when the last of them has gone, and begun anew for the next", async () => {
    const { join, starts, finish } = aWork();
    const leaving = new AbortController();
    const waits = [join(leaving.signal), join(leaving.signal)];
    leaving.abort(new Error("deadline"));
    await expect(Promise.allSettled(waits)).resolves.toMatchObject([{ status: "rejected" }, { status: "rejected" }]);
    expect(starts.map(({ aborted }) => aborted)).toEqual([true]);
    const next = join();
    finish();
    await expect(next).resolves.toBe("done");
    expect(starts).toHaveLength(2);
  });

  it("is not begun for one that has gone already", async () => {
    const { join, starts } = aWork();
    await expect(join(AbortSignal.abort(new Error("over")))).rejects.toThrow("over");
    expect(starts).toEqual([]);
  });
});
