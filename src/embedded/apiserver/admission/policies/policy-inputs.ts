/** The values that a policy's expressions see of one request. Pure. */
import { CelAuthorizer } from "../../cel/authorizer-library.ts";
import { dynamicValue } from "../../cel/schema-types.ts";
import type { KubeObject } from "../../object.ts";
import type { ApiContext } from "../../operations/context.ts";
import type { ResourceKind } from "../../registry/kind.ts";
import type { AdmissionRequest } from "../admission.ts";
import { policyEnvironment } from "./policy-environment.ts";

/** `kind` is the one under which the policy matched: objects are shown in its version. */
export function policyInputs(
  request: AdmissionRequest,
  kind: ResourceKind,
  context: ApiContext,
): Record<string, unknown> {
  const { namespace, request: binding } = policyEnvironment({ hasParams: false, hasAuthorizer: false });
  const stored = namespaceOf(request, context);
  return {
    object: shown(request.object, kind),
    oldObject: shown(request.old, kind),
    request: binding.toCel(describeRequest(request, kind)),
    namespaceObject: stored === undefined ? null : namespace.toCel(describeNamespace(stored)),
    authorizer: new CelAuthorizer({ authorizer: context.authorizer, user: request.user }, attributesOf(request)),
  };
}

function shown(object: KubeObject | undefined, kind: ResourceKind): unknown {
  if (object === undefined) return null;
  const converted = kind.fromStorage?.(object) ?? object;
  return dynamicValue({ ...converted, apiVersion: kind.apiVersion, kind: kind.kind });
}

function describeRequest(request: AdmissionRequest, kind: ResourceKind): object {
  const { subresource, name, namespace, operation, user, dryRun } = request;
  const kindOf = (one: ResourceKind) => ({ group: one.group, version: one.version, kind: one.kind });
  const resourceOf = (one: ResourceKind) => ({ group: one.group, version: one.version, resource: one.plural });
  return {
    kind: kindOf(kind),
    resource: resourceOf(kind),
    subResource: subresource,
    requestKind: kindOf(request.kind),
    requestResource: resourceOf(request.kind),
    requestSubResource: subresource,
    name,
    namespace,
    operation,
    userInfo: { uid: "", ...user },
    dryRun,
  };
}

/** A namespace has none of its own. */
function namespaceOf(request: AdmissionRequest, context: ApiContext): KubeObject | undefined {
  if (request.namespace === "" || request.kind.kind === "Namespace") return undefined;
  return context.store.get("namespaces", request.namespace)?.object;
}

function describeNamespace({ metadata, spec, status }: KubeObject): object {
  return { metadata: { ...metadata, UID: metadata.uid }, spec, status };
}

const verbs: Readonly<Record<AdmissionRequest["operation"], string>> = {
  CREATE: "create",
  UPDATE: "update",
  DELETE: "delete",
  CONNECT: "connect",
};

function attributesOf({ operation, kind, subresource, name, namespace }: AdmissionRequest) {
  const { group, version, plural: resource } = kind;
  return { verb: verbs[operation], group, version, resource, subresource, name, namespace };
}
