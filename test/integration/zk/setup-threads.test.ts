/** Threads of the set-up answer every task: one that has died fails what waits and what comes after. */
import { afterEach, expect, test } from "vitest";
import { SetupThreads } from "../../../src/zk/setup/setup-threads.ts";
import type { SetupTask } from "../../../src/zk/setup/sum-task.ts";

const task: SetupTask = { kind: "scale", points: new Uint8Array(64), scalar: 1n };
let threads: SetupThreads | undefined;
afterEach(() => threads?.close());

test("a thread whose arithmetic cannot be loaded fails every task by name, also the next", async () => {
  threads = new SetupThreads({ module: {} as WebAssembly.Module }, 2);
  const failed = expect.objectContaining({
    code: "SetupFailed",
    message: expect.stringContaining("thread of the set-up"),
  });
  await expect(Promise.all([threads.sum(task), threads.sum(task), threads.sum(task)])).rejects.toEqual(failed);
  await expect(threads.sum(task)).rejects.toEqual(failed);
}, 60_000);

test("what waits when threads are closed is told so", async () => {
  threads = new SetupThreads({ module: {} as WebAssembly.Module }, 0);
  const waiting = threads.sum(task);
  await threads.close();
  await expect(waiting).rejects.toMatchObject({ code: "SetupFailed", message: expect.stringContaining("closed") });
});
