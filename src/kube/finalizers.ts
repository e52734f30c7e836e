/**
 * Adds and removes one finalizer. Both are refused with a conflict when the object has changed since it was read
 * (precondition on its resource version, which no namesake made anew has either), so that no other controller's finalizer
 * is ever lost. Called from reconciles: a conflict is answered by the next one, which reads anew.
 */
import { InferiumError } from "../base/errors.ts";
import { isNotFound } from "./api-error.ts";
import type { CallOptions, KubeClient } from "./client.ts";
import type { KubeObject } from "./object.ts";

/** The object as it is after the call; `object` itself where nothing had to be done. @throws KubeApiError 409 */
export async function addFinalizer<T extends KubeObject>(
  client: KubeClient<T>,
  object: T,
  finalizer: string,
  options: CallOptions = {},
): Promise<T> {
  const present = object.metadata.finalizers ?? [];
  // The server refuses new finalizers on an object that is being deleted.
  if (present.includes(finalizer) || object.metadata.deletionTimestamp !== undefined) return object;
  return writeFinalizers(client, object, [...present, finalizer], options);
}

/** Undefined when the object is gone, be it by this removal of its last finalizer. @throws KubeApiError 409 */
export async function removeFinalizer<T extends KubeObject>(
  client: KubeClient<T>,
  object: T,
  finalizer: string,
  options: CallOptions = {},
): Promise<T | undefined> {
  const present = object.metadata.finalizers ?? [];
  if (!present.includes(finalizer)) return object;
  const left = present.filter((name) => name !== finalizer);
  try {
    const written = await writeFinalizers(client, object, left, options);
    return left.length === 0 && object.metadata.deletionTimestamp !== undefined ? undefined : written;
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}

function writeFinalizers<T extends KubeObject>(
  client: KubeClient<T>,
  object: T,
  finalizers: readonly string[],
  options: CallOptions,
): Promise<T> {
  const { name, resourceVersion } = object.metadata;
  if (resourceVersion === undefined) {
    const message = `Cannot change the finalizers of ${object.kind} "${name}": it has no resourceVersion; read it first.`;
    return Promise.reject(new InferiumError("KubeBadReference", message));
  }
  const body = { metadata: { resourceVersion, finalizers } };
  return client.patch(object.metadata, { kind: "merge", body, ...options });
}
