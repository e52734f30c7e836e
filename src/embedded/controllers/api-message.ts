/** What the API server said, without the request that it answers: the words that go into conditions and events. Pure. */
import { describeError } from "../../base/errors.ts";
import { KubeApiError } from "../../kube/api-error.ts";

export function apiMessage(error: unknown): string {
  if (!(error instanceof KubeApiError)) return describeError(error);
  return typeof error.body === "string" ? error.body : (error.body.message ?? describeError(error));
}

/** A namespace on its way out takes nothing new; trying again is of no use. */
export function isNamespaceTerminating(error: unknown): boolean {
  return error instanceof KubeApiError && error.status === 403 && apiMessage(error).includes("is being terminated");
}
