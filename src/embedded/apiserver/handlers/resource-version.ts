/**
 * Resource versions as clients send them, and waiting for one that is not here yet: whoever asks for a version that this
 * server has not reached gets it if it comes within three seconds, and a 504 with its own cause otherwise.
 */
import type { RequestLife } from "../http/request-life.ts";
import { badRequest, failure, StatusError } from "../status.ts";
import type { Store } from "../storage/store.ts";

/** Empty and `0` are 0. A malformed one is a 400 in lists, and the 500 that Kubernetes answers elsewhere. */
export function parseResourceVersion(text: string, inList = false): number {
  if (text === "") return 0;
  const problem = !/^\d+$/.test(text) ? "invalid syntax" : BigInt(text) >= 2n ** 64n ? "value out of range" : undefined;
  if (problem === undefined) return Number(text);
  const quoted = JSON.stringify(text);
  const message = `resourceVersion: Invalid value: ${quoted}: strconv.ParseUint: parsing ${quoted}: ${problem}`;
  if (inList) throw badRequest(`invalid resource version: ${message}`);
  throw new StatusError({ kind: "Status", apiVersion: "v1", metadata: {}, status: "Failure", message, code: 500 });
}

const waitMs = 3_000;

/** @throws StatusError 504 when the store does not get there in time */
export function untilRevision(store: Store, version: number, life: RequestLife): Promise<void> {
  if (version <= store.revision()) return Promise.resolve();
  const { signal } = life;
  return new Promise((resolve, reject) => {
    const end = (error?: Error) => {
      clearTimeout(timer);
      stop();
      signal.removeEventListener("abort", onAbort);
      if (error === undefined) resolve();
      else reject(error);
    };
    const onAbort = () => end(tooLarge(version, store.revision()));
    const stop = store.watchAll((event) => {
      if (event.revision >= version) end();
    });
    const timer = setTimeout(() => end(tooLarge(version, store.revision())), waitMs);
    signal.addEventListener("abort", onAbort, { once: true });
  });
}

function tooLarge(version: number, current: number): StatusError {
  const details = {
    causes: [{ reason: "ResourceVersionTooLarge", message: "Too large resource version" }],
    retryAfterSeconds: 1,
  };
  return failure(504, "Timeout", `Timeout: Too large resource version: ${version}, current: ${current}`, details);
}
