/** DeleteOptions, from the body of a DELETE or from its query. A malformed one is a 400. Pure. */
import { serverUser, type UserInfo } from "../authorization/user-info.ts";
import { asString, isObject, type JsonObject } from "../json-value.ts";
import { badRequest, cause, invalid } from "../status.ts";

export type PropagationPolicy = "Orphan" | "Background" | "Foreground";

export interface DeleteOptions {
  readonly user: UserInfo;
  readonly dryRun: boolean;
  readonly gracePeriodSeconds: number | undefined;
  readonly propagationPolicy: PropagationPolicy | undefined;
  /** Collected here, sent as Warning headers. */
  readonly warnings?: string[];
  readonly preconditions: { readonly uid?: string; readonly resourceVersion?: string };
}

export const backgroundDeletion: DeleteOptions = {
  user: serverUser,
  dryRun: false,
  gracePeriodSeconds: undefined,
  propagationPolicy: "Background",
  preconditions: {},
};

export function parseDeleteOptions(body: unknown, query: URLSearchParams, user: UserInfo): DeleteOptions {
  if (body !== undefined && !isObject(body)) throw badRequest("the body of a delete must be a DeleteOptions object");
  const options: JsonObject = body ?? {};
  const dryRun = Array.isArray(options.dryRun) ? options.dryRun : query.getAll("dryRun");
  return {
    user,
    warnings: [],
    dryRun: parseDryRun(dryRun),
    gracePeriodSeconds: parseGrace(options.gracePeriodSeconds ?? query.get("gracePeriodSeconds") ?? undefined),
    propagationPolicy: parsePolicy(options, query),
    preconditions: parsePreconditions(options.preconditions),
  };
}

export function parseDryRun(values: readonly unknown[]): boolean {
  if (values.length === 0) return false;
  if (values.every((value) => value === "All")) return true;
  throw invalid({ resource: "DeleteOptions", group: "meta.k8s.io" }, "", [
    cause.unsupported("dryRun", values, ["All"]),
  ]);
}

function parseGrace(value: unknown): number | undefined {
  if (value === undefined || value === null) return undefined;
  const seconds = Number(value);
  if (Number.isInteger(seconds) && seconds >= 0) return seconds;
  throw badRequest(`gracePeriodSeconds must be a whole number of at least 0, got ${JSON.stringify(value)}`);
}

function parsePolicy(options: JsonObject, query: URLSearchParams): PropagationPolicy | undefined {
  const orphan = options.orphanDependents ?? query.get("orphanDependents") ?? undefined;
  if (orphan !== undefined && orphan !== null) return String(orphan) === "true" ? "Orphan" : "Background";
  const policy = asString(options.propagationPolicy) || (query.get("propagationPolicy") ?? "");
  if (policy === "") return undefined;
  if (policy === "Orphan" || policy === "Background" || policy === "Foreground") return policy;
  throw badRequest(`propagationPolicy must be Orphan, Background or Foreground, got ${JSON.stringify(policy)}`);
}

function parsePreconditions(value: unknown): { uid?: string; resourceVersion?: string } {
  if (!isObject(value)) return {};
  const result: { uid?: string; resourceVersion?: string } = {};
  if (typeof value.uid === "string") result.uid = value.uid;
  if (typeof value.resourceVersion === "string") result.resourceVersion = value.resourceVersion;
  return result;
}
