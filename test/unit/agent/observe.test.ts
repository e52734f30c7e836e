import { describe, expect, test } from "vitest";
import { NvidiaSmiFailure, type NvidiaSmiFailureKind } from "../../../src/agent/nvidia-smi/failure.ts";
import { freshObserver, type ObserverState, observe } from "../../../src/agent/observe.ts";
import { aReading } from "./a-reading.ts";

const failing = (kind: NvidiaSmiFailureKind) => async () => {
  throw new NvidiaSmiFailure(kind, `it is ${kind}`);
};
const seen: ObserverState = { lastReading: aReading(), failuresInRow: 0 };

async function observeTimes(kind: NvidiaSmiFailureKind, times: number) {
  let state = seen;
  const kinds: string[] = [];
  for (let round = 0; round < times; round++) {
    const observed = await observe(failing(kind), state);
    kinds.push(observed.observation.kind);
    state = observed.state;
  }
  return kinds;
}

describe("observe", () => {
  test.each(["NotFound", "NoDevices"] as const)("%s means no GPU, and is no failure", async (kind) => {
    const { observation, failure } = await observe(failing(kind), seen);
    expect(observation.kind).toBe("NoGpu");
    expect(failure).toBeUndefined();
  });

  test.each(["TimedOut", "Garbled"] as const)("after %s the last reading stands for two rounds", async (kind) => {
    expect(await observeTimes(kind, 4)).toEqual(["Read", "Read", "Unreadable", "Unreadable"]);
  });

  test.each(["DriverMismatch", "Failed"] as const)("%s counts at once", async (kind) => {
    expect(await observeTimes(kind, 1)).toEqual(["Unreadable"]);
  });

  test("without an earlier reading a time-out counts at once, and says what it is", async () => {
    const { observation, failure } = await observe(failing("TimedOut"), freshObserver);
    expect(observation).toEqual({ kind: "Unreadable", message: "TimedOut: it is TimedOut" });
    expect(failure?.kind).toBe("TimedOut");
  });

  test("a reading ends a row of failures", async () => {
    const { state } = await observe(async () => aReading(), { ...seen, failuresInRow: 2 });
    expect(state.failuresInRow).toBe(0);
  });

  test("what is no failure of nvidia-smi passes through", async () => {
    const abort = async () => {
      throw new Error("aborted");
    };
    await expect(observe(abort, seen)).rejects.toThrow("aborted");
  });
});
