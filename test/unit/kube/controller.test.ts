import { afterEach, describe, expect, test } from "vitest";
import { createController, type Reconcile } from "../../../src/kube/controller.ts";
import type { Informer, StoreEventHandler } from "../../../src/kube/informer.ts";
import { createManualClock } from "./manual-clock.ts";

let stop = new AbortController();
let ended: Promise<void> = Promise.resolve();

afterEach(async () => {
  stop.abort();
  await ended;
  stop = new AbortController();
});

function run(reconcile: Reconcile, concurrency = 1, timeoutMs = 120_000) {
  const clock = createManualClock();
  const controller = createController({ name: "c", reconcile, concurrency, timeoutMs, clock, random: () => 0.999999 });
  ended = controller.run(stop.signal);
  return { clock, controller };
}

describe("a controller", () => {
  test("works on several keys at once but on one key only once at a time", async () => {
    let inWork = 0;
    let most = 0;
    const perKey = new Map<string, number>();
    const reconcile: Reconcile = async (key) => {
      most = Math.max(most, ++inWork);
      perKey.set(key, (perKey.get(key) ?? 0) + 1);
      expect(perKey.get(key)).toBe(1);
      await clock.sleep(100);
      perKey.set(key, 0);
      inWork--;
    };
    const { clock, controller } = run(reconcile, 2);
    for (const key of ["a", "b", "c"]) controller.enqueue(key);
    await clock.advance(50);
    controller.enqueue("a");
    await clock.advance(1_000);
    expect(most).toBe(2);
    expect([...perKey.keys()]).toEqual(["a", "b", "c"]);
  });

  test("tries a failed key again after a growing delay, and anew from the shortest after a success", async () => {
    const at: number[] = [];
    const { clock, controller } = run(async () => {
      at.push(clock.monotonic());
      if (at.length !== 4) throw new Error("not yet");
    });
    controller.enqueue("a");
    await clock.advance(500);
    expect(at).toEqual([0, 20, 60, 140]);
    controller.enqueue("a");
    await clock.advance(30);
    expect(at.slice(4)).toEqual([500, 520]);
  });

  test("aborts a reconcile that takes too long, and gives the next one its whole time", async () => {
    const abortedAtStart: boolean[] = [];
    const { clock, controller } = run(
      async (key, signal) => {
        abortedAtStart.push(signal.aborted);
        if (key === "slow") await new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }));
      },
      1,
      20,
    );
    for (const key of ["quick", "slow", "next", "last"]) controller.enqueue(key);
    await expect
      .poll(async () => {
        await clock.advance(1);
        return abortedAtStart;
      })
      .toEqual([false, false, false, false]);
  });

  test("takes changes before what was there at the start", async () => {
    const seen: string[] = [];
    const { clock, controller } = run(async (key) => {
      seen.push(key);
      await clock.sleep(10);
    });
    let handle: StoreEventHandler<object> = () => undefined;
    const informer = { onEvent: (handler: StoreEventHandler<object>) => (handle = handler) } as Informer<object>;
    controller.watch(informer);
    const added = (key: string, initial: boolean) => handle({ type: "added", key, object: {} }, { initial });
    for (const key of ["old-1", "old-2", "old-3"]) added(key, true);
    added("new", false);
    await clock.advance(1_000);
    expect(seen).toEqual(["old-1", "new", "old-2", "old-3"]);
  });

  test("comes back when a reconcile asks for it", async () => {
    const at: number[] = [];
    const { clock, controller } = run(async () => {
      at.push(clock.monotonic());
      return at.length < 3 ? { requeueAfterMs: 1_000 } : undefined;
    });
    controller.enqueue("a");
    await clock.advance(10_000);
    expect(at).toEqual([0, 1_000, 2_000]);
  });

  test("keeps what is delayed, cut off or new over a stop, for its next run", async () => {
    const seen: string[] = [];
    const { clock, controller } = run(async (key, signal) => {
      seen.push(key);
      if (key === "delayed") return { requeueAfterMs: 60_000 };
      await clock.sleep(1_000, signal);
      return undefined;
    });
    controller.enqueue("delayed");
    controller.enqueue("cut off");
    await clock.advance(500);
    stop.abort();
    await ended;
    controller.enqueue("new");
    expect(clock.sleepers).toBe(0);
    expect(seen).toEqual(["delayed", "cut off"]);
    stop = new AbortController();
    ended = controller.run(stop.signal);
    await clock.advance(5_000);
    expect(seen.slice(2).sort()).toEqual(["cut off", "delayed", "new"]);
  });
});
