/**
 * A hosted model that answers where it is cheapest. It has a thread of its own, which a long run needs so that it holds up nobody.
 * For a short one the way to another thread and back costs several times the run: a steady model (protocol/model/steady-model.ts) that
 * is small is also loaded on the thread of its callers, and inputs of shapes that were quick before run right there, as long as those that wait
 * there hold up others for a few milliseconds at most. Both are loaded from the same bytes with the same options, and give
 * the same results. Effects: those of threaded-model.ts; memory of a second session.
 */
import { isSteadyModel } from "../protocol/model/steady-model.ts";
import type { NamedTensors } from "../protocol/tensors/tensor.ts";
import { type HostedModel, hostModel } from "./hosted-model.ts";
import type { ThreadData } from "./model-messages.ts";
import { createRunClock, createRunTimes, describeShapes } from "./run-times.ts";
import { loadModel } from "./session.ts";
import { openThreadedModel } from "./threaded-model.ts";

/** Beyond it the way to the thread no longer matters. */
const quickMs = 0.5;
/** What runs may together hold up the thread of the callers. */
const holdMs = 4;
/** Loading takes the thread of the callers as well, and twice the memory. */
const maxBytes = 4 * 1024 * 1024;

/** @throws InferiumError InvalidModel, ProviderUnavailable */
export async function openNearModel(data: ThreadData, openThreaded = openThreadedModel): Promise<HostedModel> {
  const mayBeNear = data.bytes.byteLength <= maxBytes && data.session.threads === 1 && isSteadyModel(data.bytes);
  if (!mayBeNear) return openThreaded(data);
  const times = createRunTimes();
  const clock = createRunClock();
  let near: HostedModel | undefined;
  let loading: Promise<void> | undefined;
  let running = 0;
  let ended: (() => void)[] = [];
  let onIdle: (() => void) | undefined;

  const threaded = await openThreaded(data, {
    onRun(inputs, ms) {
      const shapes = describeShapes(inputs);
      times.note(shapes, ms);
      if ((times.typicalMs(shapes) ?? Number.POSITIVE_INFINITY) <= quickMs) loading ??= load();
    },
  });

  async function load(): Promise<void> {
    try {
      near = hostModel(data.digest, await loadModel(data.bytes, data.session));
    } catch {
      // What the thread could load and this one cannot for want of memory: the thread goes on answering.
      near = undefined;
    }
  }

  function inferNear(model: HostedModel, inputs: NamedTensors, shapes: string): Promise<NamedTensors> {
    const askedAt = performance.now();
    running += 1;
    return new Promise((resolve, reject) => {
      model.infer(inputs).then(
        (outputs) => {
          times.note(shapes, clock.end(askedAt));
          endRun(() => resolve(outputs));
        },
        (error: unknown) => endRun(() => reject(error)),
      );
    });
  }

  /** Runs that were asked for in one turn follow each other, and are answered when all have ended: what a run needs stays in the caches. */
  function endRun(settle: () => void): void {
    ended.push(settle);
    running -= 1;
    if (running > 0) return;
    const answers = ended;
    ended = [];
    for (const settle of answers) settle();
    onIdle?.();
  }

  return {
    ...threaded,
    infer(inputs) {
      if (near === undefined) return threaded.infer(inputs);
      const shapes = describeShapes(inputs);
      const typicalMs = times.typicalMs(shapes) ?? Number.POSITIVE_INFINITY;
      const isNear = typicalMs <= quickMs && (running + 1) * typicalMs <= holdMs;
      return isNear ? inferNear(near, inputs, shapes) : threaded.infer(inputs);
    },
    async close() {
      await loading;
      const model = near;
      near = undefined;
      if (running > 0) {
        await new Promise<void>((resolve) => {
          onIdle = resolve;
        });
      }
      await Promise.all([model?.close(), threaded.close()]);
    },
  };
}
