/**
 * What a worker and a validator need to run a task: the input as a reference or inline, from the task itself or from the
 * ConfigMap that it names. Read from the server when it is needed; what is large is not kept.
 */
import { InferiumError } from "../base/errors.ts";
import { isNotFound } from "../kube/api-error.ts";
import type { KubeClient } from "../kube/client.ts";
import type { ConfigMap } from "../kube/core-resources.ts";
import { readInline } from "../pool/inline-tensors.ts";
import type { InlineTensors, InputReference, PolicyReference, ServedCalls } from "../pool/work-assignment.ts";
import type { WindowStatement } from "../protocol/call-window.ts";
import { type CutItems, cutItems } from "../protocol/shards/cut-items.ts";
import { tensorsToJson } from "../protocol/tensors/json.ts";
import { readSafetensors } from "../protocol/tensors/safetensors.ts";
import type { NamedTensors } from "../protocol/tensors/tensor.ts";
import { isInputLeftOut, type TaskObject } from "./kinds.ts";

export interface InputSources {
  readonly tasks: KubeClient<TaskObject>;
  readonly configMaps: KubeClient<ConfigMap>;
}

export interface TaskMaterial {
  readonly input: InputReference;
  readonly calls?: ServedCalls;
}

/** @throws InferiumError InputUnavailable, where the ConfigMap or its key is missing or holds no tensors */
export async function resolveInput(sources: InputSources, task: TaskObject): Promise<TaskMaterial> {
  const { namespace, name } = task.metadata;
  const isWhole = !isInputLeftOut(task) && task.spec.calls === undefined;
  const whole = isWhole ? task : await sources.tasks.get({ namespace, name });
  const { calls } = whole.spec;
  return {
    input: await readSource(sources, whole),
    ...(calls
      ? {
          calls: {
            ...{ statement: toStatement(calls), opened: calls.opened, output: calls.output as InlineTensors },
            content: calls.content,
          },
        }
      : {}),
  };
}

/** The window's own words, as they are signed. */
export function toStatement(calls: NonNullable<TaskObject["spec"]["calls"]>): WindowStatement {
  const { agent: _, opened: __, output: ___, content: ____, ...statement } = calls;
  return statement;
}

async function readSource(sources: InputSources, whole: TaskObject): Promise<InputReference> {
  const { configMapRef, steps, calls, items, inline, uri, digest } = whole.spec.input;
  const tensors = configMapRef ? await readConfigMap(sources, whole, configMapRef) : (inline as InlineTensors);
  return {
    ...(tensors && items
      ? cutHere(tensors, items)
      : { ...(tensors ? { inline: tensors } : {}), ...(items ? { items } : {}) }),
    ...(uri ? { uri } : {}),
    ...(digest ? { digest } : {}),
    ...(steps ? { steps } : {}),
    ...(calls === undefined ? {} : { calls }),
  };
}

/** Not all that is here for each shard. Where it cannot be cut, whoever runs it says why. */
function cutHere(inline: InlineTensors, items: CutItems): InputReference {
  try {
    return { inline: toInline(cutItems(readInline(inline), items)) };
  } catch (error) {
    if (!(error instanceof InferiumError)) throw error;
    return { inline, items };
  }
}

async function readConfigMap(
  { configMaps }: InputSources,
  task: TaskObject,
  ref: { readonly name: string; readonly key: string },
): Promise<InlineTensors> {
  const where = `ConfigMap ${task.metadata.namespace}/${ref.name}, key ${ref.key}`;
  try {
    const found = await configMaps.get({ namespace: task.metadata.namespace, name: ref.name });
    const text = found.data?.[ref.key];
    const bytes = found.binaryData?.[ref.key];
    if (text !== undefined) return JSON.parse(text) as InlineTensors;
    if (bytes !== undefined) return toInline(readSafetensors(Buffer.from(bytes, "base64")));
  } catch (error) {
    if (!isNotFound(error) && !(error instanceof SyntaxError) && !isBadTensors(error)) throw error;
    throw unavailable(where, error);
  }
  throw unavailable(where, undefined);
}

function isBadTensors(error: unknown): boolean {
  return error instanceof InferiumError && error.disposition === "reject" && !error.code.startsWith("Kube");
}

export function isInputUnavailable(error: unknown): error is InferiumError {
  return error instanceof InferiumError && error.code === "InputUnavailable";
}

function unavailable(where: string, cause: unknown): InferiumError {
  const message = `The input in ${where} cannot be used; expected tensors as JSON in data or as safetensors in binaryData.`;
  return new InferiumError("InputUnavailable", message, { disposition: "retry", cause });
}

/** Numbers where they are few, base64 otherwise. */
export function toInline(tensors: NamedTensors): InlineTensors {
  const entries = Object.entries(tensorsToJson(tensors)).map(([name, { dtype, shape, data }]) => [
    name,
    typeof data === "string" ? { dtype, shape, base64: data } : { dtype, shape, data },
  ]);
  return Object.fromEntries(entries);
}

export function policyOf(task: TaskObject): PolicyReference {
  const { policy, tolerance } = task.spec.verification;
  if (!tolerance) return { policy };
  return { policy, tolerance: { absolute: tolerance.absolute ?? 0, relative: tolerance.relative ?? 0 } };
}
