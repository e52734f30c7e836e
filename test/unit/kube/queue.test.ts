import { Registry } from "prom-client";
import { describe, expect, test } from "vitest";
import { createKubeMetrics } from "../../../src/kube/metrics.ts";
import { createQueue } from "../../../src/kube/queue.ts";
import { createManualClock } from "./manual-clock.ts";

function setUp() {
  const clock = createManualClock();
  const registry = new Registry();
  const queue = createQueue({
    name: "things",
    clock,
    random: () => 0.999999,
    backoffInitialMs: 100,
    backoffMaxMs: 1_000,
    metrics: createKubeMetrics(registry),
  });
  const stop = new AbortController();
  /** Takes whatever can be taken now. */
  const drain = async () => {
    const taken: string[] = [];
    while (queue.length > 0) taken.push(await queue.take(stop.signal));
    return taken;
  };
  return { clock, queue, drain, stop, registry };
}

describe("the work queue", () => {
  test("holds a key once, however often it is added", async () => {
    const { queue, drain } = setUp();
    for (const key of ["a", "b", "a", "a"]) queue.add(key);
    expect(await drain()).toEqual(["a", "b"]);
  });

  test("gives a key that is in work to nobody else, and gives it again once it is done", async () => {
    const { queue, drain } = setUp();
    queue.add("a");
    expect(await drain()).toEqual(["a"]);
    queue.add("a");
    queue.add("a");
    expect(await drain()).toEqual([]);
    queue.done("a");
    expect(await drain()).toEqual(["a"]);
    queue.done("a");
    expect(await drain()).toEqual([]);
  });

  test("gives higher priorities first and equal ones in order of arrival; a waiting key can rise, not sink", async () => {
    const { queue, drain } = setUp();
    queue.add("low-1");
    queue.add("low-2");
    queue.add("high", { priority: 5 });
    queue.add("risen");
    queue.add("risen", { priority: 9 });
    queue.add("high", { priority: -1 });
    expect(await drain()).toEqual(["risen", "high", "low-1", "low-2"]);
  });

  test("ends all who wait with a signal, those that wait again too, and nobody else", async () => {
    const { queue, stop } = setUp();
    const other = new AbortController();
    const first = queue.take(stop.signal);
    queue.add("a");
    await first;
    const waiting = [queue.take(stop.signal), queue.take(stop.signal)].map((one) => one.catch((error) => error));
    const left = queue.take(other.signal);
    stop.abort("over");
    expect(await Promise.all(waiting)).toEqual(["over", "over"]);
    queue.add("b");
    expect(await left).toBe("b");
  });

  test("wakes a waiting worker, and leaves one whose signal aborted alone", async () => {
    const { queue, stop } = setUp();
    const given = new AbortController();
    const first = queue.take(given.signal);
    const second = queue.take(stop.signal);
    given.abort(new Error("worker left"));
    await expect(first).rejects.toThrow("worker left");
    queue.add("a");
    expect(await second).toBe("a");
  });

  test("delays a key until its earliest time, through one timer", async () => {
    const { clock, queue, drain } = setUp();
    queue.addAfter("a", 500);
    queue.addAfter("a", 200);
    queue.addAfter("a", 900);
    queue.addAfter("b", 300);
    expect(clock.sleepers).toBe(1);
    await clock.advance(199);
    expect(await drain()).toEqual([]);
    await clock.advance(1);
    expect(await drain()).toEqual(["a"]);
    queue.done("a");
    await clock.advance(1_000);
    expect(await drain()).toEqual(["b"]);
  });

  test("backs off each key by itself, up to the bound, until it is forgotten", () => {
    const { queue } = setUp();
    expect([1, 2, 3, 4, 5, 6].map(() => queue.retry("a"))).toEqual([100, 200, 400, 800, 1_000, 1_000]);
    expect(queue.retry("b")).toBe(100);
    queue.forget("a");
    expect(queue.retry("a")).toBe(100);
  });

  test("gives a key that comes back from work the priority it was taken with, unless told another", async () => {
    const { clock, queue, drain } = setUp();
    queue.add("failed", { priority: 7 });
    queue.add("delayed", { priority: 3 });
    queue.add("lowered", { priority: 9 });
    await drain();
    queue.retry("failed");
    queue.addAfter("delayed", 10);
    queue.addAfter("lowered", 10, { priority: -1 });
    for (const key of ["failed", "delayed", "lowered"]) queue.done(key);
    queue.add("new", { priority: 5 });
    await clock.advance(1_000);
    expect(await drain()).toEqual(["failed", "new", "delayed", "lowered"]);
  });

  test("turns delayed keys into waiting ones on a flush and leaves no timer", async () => {
    const { clock, queue, drain } = setUp();
    queue.addAfter("late", 60_000);
    queue.addAfter("later", 90_000);
    queue.flush();
    expect(clock.sleepers).toBe(0);
    expect((await drain()).sort()).toEqual(["late", "later"]);
  });

  test("reports depth, adds, retries and durations under the names dashboards know", async () => {
    const { clock, queue, drain, registry } = setUp();
    queue.add("a");
    queue.add("b");
    queue.add("b");
    await clock.advance(300);
    await drain();
    queue.done("a");
    queue.retry("a");
    queue.add("c");
    const text = await registry.metrics();
    expect(text).toContain('workqueue_depth{name="things"} 1');
    expect(text).toContain('workqueue_adds_total{name="things"} 3');
    expect(text).toContain('workqueue_retries_total{name="things"} 1');
    expect(text).toContain('workqueue_queue_duration_seconds_sum{name="things"} 0.6');
    expect(text).toContain('workqueue_work_duration_seconds_count{name="things"} 1');
  });
});
