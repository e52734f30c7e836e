/**
 * Work that several callers wait for, done once: each may stop waiting, and when nobody waits any more the work is stopped, so
 * that what hostile or forgotten tasks have asked for does not pile up.
 */
import { orAborted } from "./abort.ts";

export interface SharedWork<T> {
  /** Joins the work of that key, or starts it. @throws what the work throws, or the signal's reason */
  join(key: string, start: (stop: AbortSignal) => Promise<T>, signal?: AbortSignal): Promise<T>;
}

interface Flight<T> {
  readonly result: Promise<T>;
  readonly stop: AbortController;
  waiting: number;
}

export function createSharedWork<T>(): SharedWork<T> {
  const flights = new Map<string, Flight<T>>();
  const forget = (key: string, flight: Flight<T>) => {
    if (flights.get(key) === flight) flights.delete(key);
  };
  const begin = (key: string, start: (stop: AbortSignal) => Promise<T>): Flight<T> => {
    const stop = new AbortController();
    const flight = { result: start(stop.signal), stop, waiting: 0 };
    flights.set(key, flight);
    const done = () => forget(key, flight);
    flight.result.then(done, done);
    return flight;
  };
  return {
    async join(key, start, signal) {
      signal?.throwIfAborted();
      const flight = flights.get(key) ?? begin(key, start);
      flight.waiting++;
      try {
        return await orAborted(flight.result, signal);
      } finally {
        flight.waiting--;
        if (flight.waiting === 0) {
          forget(key, flight);
          flight.stop.abort(signal?.reason);
        }
      }
    },
  };
}
