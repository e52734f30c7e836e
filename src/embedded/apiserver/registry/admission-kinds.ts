/** Declarations of admissionregistration.k8s.io: webhooks, and the policies that are written in CEL. */
import {
  mutatingPolicyBindingStrategy,
  mutatingPolicyStrategy,
  validatingPolicyBindingStrategy,
  validatingPolicyStrategy,
  webhookConfigurationStrategy,
} from "../admission/policies/registration-strategies.ts";
import {
  mutatingPolicyColumns,
  policyBindingColumns,
  validatingPolicyColumns,
  webhookColumns,
} from "../printing/admission-columns.ts";
import { declareBuiltin } from "./builtin-kind.ts";
import type { ResourceKind } from "./kind.ts";

const registration = {
  group: "admissionregistration.k8s.io",
  namespaced: false,
  categories: ["api-extensions"],
  hasGeneration: true,
} as const;

export const admissionKinds = (): readonly ResourceKind[] => [
  declareBuiltin({
    ...registration,
    kind: "ValidatingAdmissionPolicy",
    plural: "validatingadmissionpolicies",
    columns: validatingPolicyColumns,
    hasStatus: true,
    strategy: validatingPolicyStrategy,
  }),
  declareBuiltin({
    ...registration,
    kind: "ValidatingAdmissionPolicyBinding",
    plural: "validatingadmissionpolicybindings",
    columns: policyBindingColumns,
    strategy: validatingPolicyBindingStrategy,
  }),
  declareBuiltin({
    ...registration,
    kind: "MutatingAdmissionPolicy",
    plural: "mutatingadmissionpolicies",
    columns: mutatingPolicyColumns,
    strategy: mutatingPolicyStrategy,
  }),
  declareBuiltin({
    ...registration,
    kind: "MutatingAdmissionPolicyBinding",
    plural: "mutatingadmissionpolicybindings",
    columns: policyBindingColumns,
    strategy: mutatingPolicyBindingStrategy,
  }),
  declareBuiltin({
    ...registration,
    kind: "ValidatingWebhookConfiguration",
    plural: "validatingwebhookconfigurations",
    columns: webhookColumns,
    strategy: webhookConfigurationStrategy("ValidatingWebhook"),
  }),
  declareBuiltin({
    ...registration,
    kind: "MutatingWebhookConfiguration",
    plural: "mutatingwebhookconfigurations",
    columns: webhookColumns,
    strategy: webhookConfigurationStrategy("MutatingWebhook"),
  }),
];
