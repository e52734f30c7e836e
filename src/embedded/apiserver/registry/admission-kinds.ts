/** Declarations of admissionregistration.k8s.io: webhooks, and the policies that are written in CEL. */
import { declareBuiltin } from "./builtin-kind.ts";
import type { ResourceKind } from "./kind.ts";

const registration = {
  group: "admissionregistration.k8s.io",
  namespaced: false,
  categories: ["api-extensions"],
  hasGeneration: true,
  strategy: { requiresVersion: true },
} as const;

export const admissionKinds = (): readonly ResourceKind[] => [
  declareBuiltin({
    ...registration,
    kind: "ValidatingAdmissionPolicy",
    plural: "validatingadmissionpolicies",
    hasStatus: true,
  }),
  declareBuiltin({
    ...registration,
    kind: "ValidatingAdmissionPolicyBinding",
    plural: "validatingadmissionpolicybindings",
  }),
  declareBuiltin({ ...registration, kind: "MutatingAdmissionPolicy", plural: "mutatingadmissionpolicies" }),
  declareBuiltin({
    ...registration,
    kind: "MutatingAdmissionPolicyBinding",
    plural: "mutatingadmissionpolicybindings",
  }),
  declareBuiltin({
    ...registration,
    kind: "ValidatingWebhookConfiguration",
    plural: "validatingwebhookconfigurations",
  }),
  declareBuiltin({ ...registration, kind: "MutatingWebhookConfiguration", plural: "mutatingwebhookconfigurations" }),
];
