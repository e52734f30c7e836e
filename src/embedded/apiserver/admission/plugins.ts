/** The admission plugins, in the order in which they run. One line each. */
import type { AdmissionPlugin } from "./admission.ts";
import { defaultTolerationSeconds } from "./plugins/default-toleration-seconds.ts";
import { limitRanger } from "./plugins/limit-ranger.ts";
import { namespaceLifecycle } from "./plugins/namespace-lifecycle.ts";
import { podSecurity } from "./plugins/pod-security.ts";
import { priority } from "./plugins/priority.ts";
import { rbacEscalation } from "./plugins/rbac-escalation.ts";
import { resourceQuota } from "./plugins/resource-quota.ts";
import { serviceAccount } from "./plugins/service-account.ts";
import { unservedAdmission } from "./plugins/unserved-admission.ts";
import { validatingAdmissionPolicy } from "./plugins/validating-admission-policy.ts";

export const admissionPlugins: readonly AdmissionPlugin[] = [
  namespaceLifecycle,
  rbacEscalation,
  limitRanger,
  serviceAccount,
  podSecurity,
  priority,
  defaultTolerationSeconds,
  unservedAdmission,
  validatingAdmissionPolicy,
  resourceQuota,
];
