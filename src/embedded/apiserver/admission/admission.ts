/**
 * Admission: what may still change or refuse a request after it is authorized and decoded. `operations/create.ts`,
 * `update.ts` and `delete.ts` call each phase once; plugins are registered in `plugins.ts` and run in their order there.
 * Everything happens in one turn of the event loop, so plugins do not wait.
 */

import type { UserInfo } from "../authorization/user-info.ts";
import type { KubeObject } from "../object.ts";
import type { ApiContext } from "../operations/context.ts";
import type { ResourceKind } from "../registry/kind.ts";
import { admissionPlugins } from "./plugins.ts";

export type AdmissionOperation = "CREATE" | "UPDATE" | "DELETE" | "CONNECT";

export interface AdmissionRequest {
  readonly operation: AdmissionOperation;
  readonly kind: ResourceKind;
  /** Empty for cluster-scoped kinds. */
  readonly namespace: string;
  readonly name: string;
  readonly subresource: string;
  /** Mutating plugins change it in place. Absent in a deletion. */
  readonly object?: KubeObject;
  /** What is stored; never to be changed. Absent in a creation. */
  readonly old?: KubeObject;
  readonly user: UserInfo;
  readonly dryRun: boolean;
  /** Sent to the client as Warning headers. */
  readonly warnings: string[];
}

export interface AdmissionPlugin {
  /** As the real server's `--enable-admission-plugins` names it. */
  readonly name: string;
  /** Before the kind's own preparation and validation. Throws a StatusError to refuse. */
  readonly mutate?: (request: AdmissionRequest, context: ApiContext) => void;
  /** After validation, right before the write. Throws a StatusError to refuse. */
  readonly validate?: (request: AdmissionRequest, context: ApiContext) => void;
}

export function mutateAdmission(context: ApiContext, request: AdmissionRequest): void {
  for (const plugin of admissionPlugins) plugin.mutate?.(request, context);
}

export function validateAdmission(context: ApiContext, request: AdmissionRequest): void {
  for (const plugin of admissionPlugins) plugin.validate?.(request, context);
}
