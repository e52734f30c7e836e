/** One of many thousand creations on a busy machine: an answer that did not come in time is no reason to lose the whole benchmark. */
import { InferiumError } from "../../src/base/errors.ts";
import { isAlreadyExists } from "../../src/kube/api-error.ts";
import type { KubeClient } from "../../src/kube/client.ts";
import type { KubeObject } from "../../src/kube/object.ts";

const maxTries = 5;
const pauseMs = 500;

export async function createSurely<T extends KubeObject>(client: KubeClient<T>, object: T): Promise<void> {
  for (let tries = 1; ; tries++) {
    try {
      await client.create(object);
      return;
    } catch (error) {
      // The answer to the try before was lost, not the object.
      if (tries > 1 && isAlreadyExists(error)) return;
      if (tries === maxTries || !(error instanceof InferiumError) || error.disposition !== "retry") throw error;
      await new Promise((resolve) => setTimeout(resolve, pauseMs * tries));
    }
  }
}
