/** Subresources of pods that are not views of the pod: binding and eviction, plus the finalize call of namespaces. */
import { readObjectBody } from "../http/body.ts";
import { type Exchange, writeOptionsOf } from "../http/exchange.ts";
import { sendStatus } from "../http/respond.ts";
import { asArray, asObject, asString, isObject, type JsonObject, showValue } from "../json-value.ts";
import { formatTime, type KubeObject, specOf, statusOf } from "../object.ts";
import type { ApiContext, Target, WriteOptions } from "../operations/context.ts";
import { parseDeleteOptions } from "../operations/delete-options.ts";
import { evictPod } from "../operations/evict-pod.ts";
import { readObject } from "../operations/read.ts";
import { updateObject } from "../operations/update.ts";
import { badRequest, cause, conflict, invalid, methodNotAllowed, type Status, unspecified } from "../status.ts";
import { sendObject } from "./present.ts";
import { requireBody } from "./write.ts";

const podSubject = { resource: "pods", group: "" };

export async function handleBinding(context: ApiContext, exchange: Exchange, target: Target): Promise<void> {
  if (exchange.request.method !== "POST") throw methodNotAllowed();
  const options = writeOptionsOf(exchange);
  const binding = requireBody(await readObjectBody(exchange.request));
  if (!isObject(binding)) throw badRequest("the body of a binding must be a Binding object");
  bindPod(context, target, binding, options);
  await context.store.flushed();
  sendStatus(exchange.response, success(201));
}

export function bindPod(context: ApiContext, target: Target, binding: JsonObject, options: WriteOptions): void {
  const node = asString(asObject(binding.target).name);
  // A real server wraps this finding in no status either.
  if (node === "") throw unspecified("target.name: Required value");
  const old = readObject(context, target);
  const bound = asString(specOf(old.object).nodeName);
  if (bound !== "")
    throw conflict(podSubject, target.name, `pod ${target.name} is already assigned to node "${bound}"`);
  if (old.object.metadata.deletionTimestamp !== undefined) {
    throw conflict(podSubject, target.name, `pod ${target.name} is being deleted, cannot be assigned to a host`);
  }
  const wantedUid = asObject(binding.metadata).uid;
  if (wantedUid !== undefined && wantedUid !== old.object.metadata.uid) {
    throw conflict(
      podSubject,
      target.name,
      `the UID in the binding (${showValue(wantedUid)}) is not the UID of the pod`,
    );
  }
  const annotations = {
    ...old.object.metadata.annotations,
    ...(asObject(asObject(binding.metadata).annotations) as Record<string, string>),
  };
  const candidate = bindTo(old.object, node, { annotations, time: formatTime(context.clock.now()) });
  updateObject(context, { ...target, subresource: "binding" }, { old, candidate }, options);
}

function bindTo(
  pod: KubeObject,
  node: string,
  extra: { annotations: Record<string, string>; time: string },
): KubeObject {
  const scheduled = { type: "PodScheduled", status: "True", lastTransitionTime: extra.time };
  const others = asArray(statusOf(pod).conditions).filter((one) => asObject(one).type !== "PodScheduled");
  const metadata = { ...pod.metadata };
  if (Object.keys(extra.annotations).length > 0) metadata.annotations = extra.annotations;
  return {
    ...pod,
    metadata,
    spec: { ...specOf(pod), nodeName: node },
    status: { ...statusOf(pod), conditions: [...others, scheduled] },
  };
}

export async function handleEviction(context: ApiContext, exchange: Exchange, target: Target): Promise<void> {
  if (exchange.request.method !== "POST") throw methodNotAllowed();
  const ofRequest = writeOptionsOf(exchange);
  const eviction = asObject(requireBody(await readObjectBody(exchange.request)));
  if (asString(asObject(eviction.metadata).name) !== target.name)
    throw badRequest("name in URL does not match name in Eviction object");
  const given = asObject(eviction.deleteOptions);
  if (given.ignoreStoreReadErrorWithClusterBreakingPotential === true) throw unsafeEviction(target);
  const options = parseDeleteOptions(given, exchange.query, exchange.user);
  evictPod(context, { ...target, subresource: "" }, { ...options, dryRun: options.dryRun || ofRequest.dryRun });
  await context.store.flushed();
  sendStatus(exchange.response, success(201));
}

function unsafeEviction(target: Target): Error {
  const field = "deleteOptions.ignoreStoreReadErrorWithClusterBreakingPotential";
  const why = "can not be set for pod eviction, try after removing the option";
  return invalid({ resource: "Eviction", group: "policy" }, target.name, [cause.invalid(field, true, why)]);
}

function success(code: number): Status {
  return { kind: "Status", apiVersion: "v1", metadata: {}, status: "Success", code };
}

/** Namespaces give up `spec.finalizers` only through this call. */
export async function handleFinalize(context: ApiContext, exchange: Exchange, target: Target): Promise<void> {
  if (exchange.request.method !== "PUT") throw methodNotAllowed();
  const body = asObject(requireBody(await readObjectBody(exchange.request)));
  const old = readObject(context, target);
  const finalizers = asArray(asObject(body.spec).finalizers).map(asString);
  const next = { ...old.object, spec: { ...specOf(old.object), finalizers } };
  let stored = context.store.update(target.kind.storage, old.key, next);
  const { deletionTimestamp, finalizers: others } = next.metadata;
  if (deletionTimestamp !== undefined && finalizers.length === 0 && (others ?? []).length === 0)
    stored = context.store.delete(target.kind.storage, old.key);
  sendObject(exchange, target.kind, stored, { code: 200, nowMs: context.clock.now() });
}
