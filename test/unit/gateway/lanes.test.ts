import { describe, expect, it } from "vitest";
import { InferiumError } from "../../../src/base/errors.ts";
import { createLanes, unreachable } from "../../../src/gateway/backends/lanes.ts";

let nowMs = 0;
const clock = { now: () => nowMs, monotonic: () => nowMs, sleep: async () => undefined };
const never = new AbortController().signal;

function aGate() {
  const { promise, resolve } = Promise.withResolvers<void>();
  return { passed: promise, pass: resolve };
}
const settle = () => new Promise((resolve) => setImmediate(resolve));
const down = () => new InferiumError(unreachable, "away", { disposition: "retry" });

describe("lanes", () => {
  it("give a call to the least busy backend", async () => {
    const lanes = createLanes<string>(clock);
    lanes.update(
      new Map([
        ["a", "A"],
        ["b", "B"],
      ]),
      { concurrency: 2, queue: 0 },
    );
    const used: string[] = [];
    const gate = aGate();
    const calls = [1, 2, 3].map(() =>
      lanes.use(async (backend) => {
        used.push(backend);
        await gate.passed;
      }, never),
    );
    await settle();
    expect(used).toEqual(["A", "B", "A"]);
    expect(lanes.inFlight()).toBe(3);
    gate.pass();
    await Promise.all(calls);
    expect(lanes.inFlight()).toBe(0);
  });

  it("serve those that wait in their order, whoever comes meanwhile", async () => {
    const lanes = createLanes<string>(clock);
    lanes.update(new Map([["a", "A"]]), { concurrency: 1, queue: 2 });
    const order: number[] = [];
    const gates = [aGate(), aGate(), aGate()];
    const call = (index: number) =>
      lanes.use(async () => {
        order.push(index);
        await gates[index]!.passed;
      }, never);
    const calls = [call(0), call(1), call(2)];
    await expect(call(0)).rejects.toMatchObject({ code: "QueueFull", status: 503 });
    expect(lanes.queued()).toBe(2);
    for (const gate of gates) {
      gate.pass();
      await settle();
    }
    await Promise.all(calls);
    expect(order).toEqual([0, 1, 2]);
  });

  it("let a call that waits give up", async () => {
    const lanes = createLanes<string>(clock);
    lanes.update(new Map([["a", "A"]]), { concurrency: 1, queue: 2 });
    const gate = aGate();
    const first = lanes.use(() => gate.passed, never);
    const stop = new AbortController();
    const second = lanes.use(async () => "ran", stop.signal);
    stop.abort(new Error("gone"));
    await expect(second).rejects.toThrow("gone");
    expect(lanes.queued()).toBe(0);
    gate.pass();
    await first;
    expect(await lanes.use(async () => "ran", never)).toBe("ran");
  });

  it("try another backend where one cannot be reached, and pass it over for a moment", async () => {
    const lanes = createLanes<string>(clock);
    lanes.update(
      new Map([
        ["a", "A"],
        ["b", "B"],
      ]),
      { concurrency: 4, queue: 0 },
    );
    const tried: string[] = [];
    const work = async (backend: string) => {
      tried.push(backend);
      if (backend === "A") throw down();
      return backend;
    };
    expect([await lanes.use(work, never), await lanes.use(work, never)]).toEqual(["B", "B"]);
    expect(tried).toEqual(["A", "B", "B"]);
    nowMs += 2_000;
    await lanes.use(work, never);
    expect(tried.slice(3)).toEqual(["A", "B"]);
    expect(lanes.inFlight()).toBe(0);
  });

  it("do not repeat what may have been computed", async () => {
    const lanes = createLanes<string>(clock);
    lanes.update(
      new Map([
        ["a", "A"],
        ["b", "B"],
      ]),
      { concurrency: 4, queue: 0 },
    );
    let tried = 0;
    const call = lanes.use(async () => {
      tried += 1;
      throw new Error("broke off");
    }, never);
    await expect(call).rejects.toThrow("broke off");
    expect(tried).toBe(1);
  });

  it("without backends refuse, and tell those that wait", async () => {
    const lanes = createLanes<string>(clock);
    await expect(lanes.use(async () => 1, never)).rejects.toMatchObject({ code: "NoBackend", status: 503 });
    lanes.update(new Map([["a", "A"]]), { concurrency: 1, queue: 1 });
    const gate = aGate();
    const first = lanes.use(() => gate.passed, never);
    const waiting = lanes.use(async () => 1, never);
    lanes.update(new Map(), { concurrency: 1, queue: 1 });
    await expect(waiting).rejects.toMatchObject({ code: "NoBackend" });
    gate.pass();
    await first;
  });

  it("give new room to those that wait", async () => {
    const lanes = createLanes<string>(clock);
    const a: [string, string] = ["a", "A"];
    lanes.update(new Map([a]), { concurrency: 1, queue: 1 });
    const gate = aGate();
    const first = lanes.use(() => gate.passed, never);
    const waiting = lanes.use(async (backend) => backend, never);
    lanes.update(new Map([a, ["b", "B"]]), { concurrency: 1, queue: 1 });
    expect(await waiting).toBe("B");
    gate.pass();
    await first;
  });
});
