/** A call's time: it ends with an error when the time is up or the caller has gone, whether or not the work can be stopped. */
import { orAborted } from "../../inference/abort.ts";
import { CallRefusal } from "../call-refusal.ts";

/** @throws CallRefusal 504; the reason of `gone` */
export async function withTimeout<T>(
  timeoutMs: number,
  gone: AbortSignal,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const late = new AbortController();
  const timer = setTimeout(() => {
    late.abort(new CallRefusal(504, "Timeout", `The agent did not answer within ${timeoutMs} ms.`));
  }, timeoutMs);
  const onGone = () => late.abort(gone.reason);
  gone.addEventListener("abort", onGone, { once: true });
  if (gone.aborted) onGone();
  try {
    return await orAborted(work(late.signal), late.signal);
  } finally {
    clearTimeout(timer);
    gone.removeEventListener("abort", onGone);
  }
}
