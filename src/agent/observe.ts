/**
 * Reads the hardware and decides what a failure to read it means: no GPU here, the last reading for a little longer, or
 * hardware that cannot be read. Effects: runs nvidia-smi.
 */
import type { Observation } from "./decide-capability.ts";
import { NvidiaSmiFailure } from "./nvidia-smi/failure.ts";
import type { HardwareReading } from "./nvidia-smi/reading.ts";

/** Failures in a row after which the last reading no longer stands, of the kinds that come and go under load. */
const toleratedFailures = 2;

export type ReadHardware = () => Promise<HardwareReading>;

export interface ObserverState {
  readonly lastReading: HardwareReading | undefined;
  readonly failuresInRow: number;
}

export const freshObserver: ObserverState = { lastReading: undefined, failuresInRow: 0 };

export interface Observed {
  readonly observation: Observation;
  readonly state: ObserverState;
  /** What went wrong, even where the last reading still stands. */
  readonly failure: NvidiaSmiFailure | undefined;
}

/** @throws whatever is not an NvidiaSmiFailure, such as the abort of the read */
export async function observe(read: ReadHardware, state: ObserverState): Promise<Observed> {
  try {
    const reading = await read();
    const observation = { kind: "Read", reading } as const;
    return { observation, state: { lastReading: reading, failuresInRow: 0 }, failure: undefined };
  } catch (failure) {
    if (failure instanceof NvidiaSmiFailure) return decideObservation(failure, state);
    throw failure;
  }
}

export function decideObservation(failure: NvidiaSmiFailure, state: ObserverState): Observed {
  if (failure.meansNoGpu) {
    const observation = { kind: "NoGpu", message: failure.message } as const;
    return { observation, state: freshObserver, failure: undefined };
  }
  const failuresInRow = state.failuresInRow + 1;
  const comesAndGoes = failure.kind === "TimedOut" || failure.kind === "Garbled";
  const stands = comesAndGoes && failuresInRow <= toleratedFailures ? state.lastReading : undefined;
  return {
    observation: stands
      ? { kind: "Read", reading: stands }
      : { kind: "Unreadable", message: `${failure.kind}: ${failure.message}` },
    state: { lastReading: stands, failuresInRow },
    failure,
  };
}
