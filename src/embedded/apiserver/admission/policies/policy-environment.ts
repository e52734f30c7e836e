/** What expressions of admission policies may name: object, oldObject, request, namespaceObject, params, authorizer. */
import type { Environment } from "@marcbachmann/cel-js";
import { registerAuthorizer } from "../../cel/authorizer-library.ts";
import { kubernetesEnvironment } from "../../cel/environment.ts";
import { type CelBinding, SchemaTypes } from "../../cel/schema-types.ts";
import type { Schema } from "../../schema/schema.ts";

const text: Schema = { type: "string" };
const time: Schema = { type: "string", format: "date-time" };
const texts: Schema = { type: "array", items: text };
const map = (values: Schema): Schema => ({ type: "object", additionalProperties: values });
const object = (properties: Record<string, Schema>): Schema => ({ type: "object", properties });

const requestSchema = object({
  kind: object({ group: text, version: text, kind: text }),
  resource: object({ group: text, version: text, resource: text }),
  subResource: text,
  requestKind: object({ group: text, version: text, kind: text }),
  requestResource: object({ group: text, version: text, resource: text }),
  requestSubResource: text,
  name: text,
  namespace: text,
  operation: text,
  userInfo: object({ username: text, uid: text, groups: texts, extra: map(texts) }),
  dryRun: { type: "boolean" },
  options: { "x-kubernetes-int-or-string": true },
});

const namespaceSchema = object({
  metadata: object({
    name: text,
    generateName: text,
    namespace: text,
    labels: map(text),
    annotations: map(text),
    UID: text,
    creationTimestamp: time,
    deletionGracePeriodSeconds: { type: "integer" },
    deletionTimestamp: time,
    generation: { type: "integer" },
    resourceVersion: text,
    finalizers: texts,
  }),
  spec: object({ finalizers: texts }),
  status: object({
    phase: text,
    conditions: {
      type: "array",
      items: object({ status: text, type: text, lastTransitionTime: time, message: text, reason: text }),
    },
  }),
});

export interface PolicyEnvironment {
  readonly environment: Environment;
  readonly request: CelBinding;
  readonly namespace: CelBinding;
}

export interface PolicyVariablesWanted {
  readonly hasParams: boolean;
  readonly hasAuthorizer: boolean;
}

const made = new Map<string, PolicyEnvironment>();
let base: PolicyEnvironment | undefined;

/** Made once for each combination. Never to be changed: clone it. */
export function policyEnvironment(wanted: PolicyVariablesWanted): PolicyEnvironment {
  const id = `${wanted.hasParams} ${wanted.hasAuthorizer}`;
  let known = made.get(id);
  if (known === undefined) {
    known = createEnvironment(wanted);
    made.set(id, known);
  }
  return known;
}

function createEnvironment({ hasParams, hasAuthorizer }: PolicyVariablesWanted): PolicyEnvironment {
  base ??= createBase();
  const environment = base.environment.clone();
  if (hasParams) environment.registerVariable("params", "dyn");
  if (hasAuthorizer) registerAuthorizer(environment);
  return { ...base, environment };
}

/** The types of request and namespace are declared once, so that their values fit every environment. */
function createBase(): PolicyEnvironment {
  const environment = kubernetesEnvironment();
  const types = new SchemaTypes(environment, "as they are");
  const request = types.bind(requestSchema, "request");
  const namespace = types.bind(namespaceSchema, "namespaceObject");
  environment
    .registerVariable("object", "dyn")
    .registerVariable("oldObject", "dyn")
    .registerVariable("request", request.type ?? "dyn")
    // Null for cluster-scoped objects.
    .registerVariable("namespaceObject", "dyn");
  return { environment, request, namespace };
}
