/**
 * Runs a session without the checks of `InferenceSession.run`, which checkFeeds has made already and in the task's terms.
 * They and the copy of the results that comes with them cost a small model 5 % of its time (`npm run bench -- inference`).
 * What is called instead is the handler of onnxruntime-common's backend interface; where a session has none, its own run.
 */
import type * as ort from "onnxruntime-node";

export type Feeds = Record<string, ort.Tensor>;
/** Feeds must have passed checkFeeds. @throws whatever onnxruntime throws */
export type Run = (feeds: Readonly<Feeds>) => Promise<Feeds>;

interface Handler {
  run(feeds: Readonly<Feeds>, fetches: Readonly<Record<string, null>>, options: object): Promise<Feeds>;
}

export function openRun(session: ort.InferenceSession): Run {
  const handler: unknown = Reflect.get(session, "handler");
  if (!isHandler(handler)) return async (feeds) => ({ ...(await session.run(feeds)) });
  // Every output, each in memory of onnxruntime's own.
  const fetches = Object.fromEntries(session.outputNames.map((name) => [name, null]));
  return (feeds) => handler.run(feeds, fetches, {});
}

function isHandler(value: unknown): value is Handler {
  return typeof value === "object" && value !== null && "run" in value && typeof value.run === "function";
}
