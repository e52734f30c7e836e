/** The admission plugins, in the order in which they run. One line each. */
import type { AdmissionPlugin } from "./admission.ts";
import { namespaceLifecycle } from "./plugins/namespace-lifecycle.ts";
import { rbacEscalation } from "./plugins/rbac-escalation.ts";

export const admissionPlugins: readonly AdmissionPlugin[] = [namespaceLifecycle, rbacEscalation];
