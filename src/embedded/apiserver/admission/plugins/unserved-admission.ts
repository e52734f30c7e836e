/**
 * Admission webhooks and MutatingAdmissionPolicies are stored but not run by this server: a request is decided in one
 * turn, and no CEL engine for Node builds the objects that mutations are written with. What would have run is never
 * passed over in silence: the request fails or is warned, as its failure policy says. Effects: throws, adds warnings.
 */
import { asArray, asObject, asString } from "../../json-value.ts";
import { specOf } from "../../object.ts";
import type { ApiContext } from "../../operations/context.ts";
import { failure } from "../../status.ts";
import type { AdmissionPlugin, AdmissionRequest } from "../admission.ts";
import { matchResources } from "../policies/match-resources.ts";

const group = "admissionregistration.k8s.io";

export const unservedAdmission: AdmissionPlugin = {
  name: "UnservedAdmission",
  validate: (request, context) => {
    if (request.kind.group === group) return;
    checkWebhooks(request, context);
    if (request.operation !== "DELETE") checkMutatingPolicies(request, context);
  },
};

function checkWebhooks(request: AdmissionRequest, context: ApiContext): void {
  for (const plural of ["mutatingwebhookconfigurations", "validatingwebhookconfigurations"]) {
    const storage = `${plural}.${group}`;
    if (context.store.count(storage) === 0) continue;
    for (const { object } of context.store.list(storage).items) {
      for (const webhook of asArray(object.webhooks).map(asObject)) {
        const rules = asArray(webhook.rules);
        if (rules.length === 0 || matchResources({ ...webhook, resourceRules: rules }, request, context) === undefined)
          continue;
        const why = "this embedded API server calls no admission webhooks";
        fail(request, webhook.failurePolicy, `failed calling webhook ${JSON.stringify(webhook.name)}: ${why}`);
      }
    }
  }
}

function checkMutatingPolicies(request: AdmissionRequest, context: ApiContext): void {
  const bindings = `mutatingadmissionpolicybindings.${group}`;
  if (context.store.count(bindings) === 0) return;
  const bound = new Set(context.store.list(bindings).items.map(({ object }) => asString(specOf(object).policyName)));
  for (const { object } of context.store.list(`mutatingadmissionpolicies.${group}`).items) {
    const spec = specOf(object);
    if (!bound.has(object.metadata.name)) continue;
    if (matchResources(asObject(spec.matchConstraints), request, context) === undefined) continue;
    const why = "this embedded API server evaluates no MutatingAdmissionPolicies";
    fail(request, spec.failurePolicy, `MutatingAdmissionPolicy '${object.metadata.name}' failed: ${why}`);
  }
}

function fail(request: AdmissionRequest, failurePolicy: unknown, message: string): void {
  if (failurePolicy !== "Ignore") throw failure(500, "InternalError", `Internal error occurred: ${message}`);
  request.warnings.push(message);
}
