/** DeleteOptions, from the body of a DELETE or else from its query. Malformed ones are a 400, contradictory ones a 422. Pure. */
import { serverUser, type UserInfo } from "../authorization/user-info.ts";
import { isObject, type JsonObject } from "../json-value.ts";
import { badRequest, cause, invalid, type StatusCause } from "../status.ts";
import { checkDryRun } from "./write-options.ts";

export type PropagationPolicy = "Orphan" | "Background" | "Foreground";

export interface DeleteOptions {
  readonly user: UserInfo;
  readonly dryRun: boolean;
  readonly gracePeriodSeconds: number | undefined;
  readonly propagationPolicy: PropagationPolicy | undefined;
  /** The deprecated `orphanDependents: false`: like Background, and answered with a 202 while the object stays. */
  readonly isOrphaningRefused?: boolean;
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

/** A body counts alone: with one the query is not looked at. */
export function parseDeleteOptions(body: unknown, query: URLSearchParams, user: UserInfo): DeleteOptions {
  const options = body === undefined ? fromQuery(query) : fromBody(body);
  checkOptions(options);
  const { orphanDependents, propagationPolicy } = options;
  const orphan = orphanDependents === undefined ? undefined : orphanDependents ? "Orphan" : "Background";
  return {
    user,
    warnings: [],
    dryRun: options.dryRun.length > 0,
    // A negative time is as good as the shortest.
    gracePeriodSeconds: (options.gracePeriodSeconds ?? 0) < 0 ? 1 : options.gracePeriodSeconds,
    propagationPolicy: orphan ?? (propagationPolicy as PropagationPolicy | undefined),
    isOrphaningRefused: orphanDependents === false,
    preconditions: options.preconditions ?? {},
  };
}

interface RawOptions {
  readonly dryRun: readonly unknown[];
  readonly gracePeriodSeconds?: number | undefined;
  readonly propagationPolicy?: string | undefined;
  readonly orphanDependents?: boolean | undefined;
  readonly ignoreStoreReadError?: boolean | undefined;
  readonly preconditions?: { readonly uid?: string; readonly resourceVersion?: string } | undefined;
}

function fromQuery(query: URLSearchParams): RawOptions {
  const grace = query.get("gracePeriodSeconds");
  if (grace !== null && !/^-?\d+$/.test(grace))
    throw badRequest(`strconv.ParseInt: parsing ${JSON.stringify(grace)}: invalid syntax`);
  const flag = (name: string) => (query.has(name) ? isTrue(query.get(name) ?? "") : undefined);
  return {
    dryRun: query.getAll("dryRun"),
    gracePeriodSeconds: grace === null ? undefined : Number(grace),
    propagationPolicy: query.get("propagationPolicy") ?? undefined,
    orphanDependents: flag("orphanDependents"),
    ignoreStoreReadError: flag("ignoreStoreReadErrorWithClusterBreakingPotential"),
  };
}

/** As the real server reads flags in a query: anything but these is true. */
const isTrue = (text: string): boolean => !["false", "0"].includes(text.toLowerCase());

function fromBody(body: unknown): RawOptions {
  if (!isObject(body)) throw badRequest("the body of a delete must be a DeleteOptions object");
  if (body.kind !== undefined && body.kind !== "" && body.kind !== "DeleteOptions")
    throw badRequest("decoded object cannot be converted to DeleteOptions");
  return {
    dryRun: listOf(body, "dryRun"),
    gracePeriodSeconds: fieldOf(body, "gracePeriodSeconds", "number"),
    propagationPolicy: fieldOf(body, "propagationPolicy", "string"),
    orphanDependents: fieldOf(body, "orphanDependents", "boolean"),
    ignoreStoreReadError: fieldOf(body, "ignoreStoreReadErrorWithClusterBreakingPotential", "boolean"),
    preconditions: readPreconditions(body.preconditions),
  };
}

interface FieldTypes {
  number: number;
  string: string;
  boolean: boolean;
}

function fieldOf<T extends keyof FieldTypes>(body: JsonObject, field: string, type: T): FieldTypes[T] | undefined {
  const value = body[field];
  if (value === undefined || value === null) return undefined;
  if (typeof value !== type || (type === "number" && !Number.isInteger(value)))
    throw badRequest(`json: cannot unmarshal ${typeof value} into Go struct field DeleteOptions.${field}`);
  return value as FieldTypes[T];
}

function listOf(body: JsonObject, field: string): readonly unknown[] {
  const value = body[field];
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value))
    throw badRequest(`json: cannot unmarshal ${typeof value} into Go struct field DeleteOptions.${field}`);
  return value;
}

function readPreconditions(value: unknown): RawOptions["preconditions"] {
  if (value === undefined || value === null) return undefined;
  if (!isObject(value))
    throw badRequest(`json: cannot unmarshal ${typeof value} into Go struct field DeleteOptions.preconditions`);
  const uid = fieldOf(value, "uid", "string");
  const resourceVersion = fieldOf(value, "resourceVersion", "string");
  return { ...(uid !== undefined && { uid }), ...(resourceVersion !== undefined && { resourceVersion }) };
}

const policies = ["Foreground", "Background", "Orphan"];

function checkOptions(options: RawOptions): void {
  const { orphanDependents, propagationPolicy } = options;
  const findings: StatusCause[] = [];
  if (orphanDependents !== undefined && propagationPolicy !== undefined) {
    const why = "orphanDependents and deletionPropagation cannot be both set";
    findings.push(cause.invalid("propagationPolicy", propagationPolicy, why));
  }
  if (propagationPolicy !== undefined && !policies.includes(propagationPolicy))
    findings.push(cause.unsupported("propagationPolicy", propagationPolicy, [...policies, "nil"]));
  findings.push(...checkDryRun(options.dryRun), ...checkStoreReadError(options));
  if (findings.length > 0) throw invalid({ resource: "DeleteOptions", group: "meta.k8s.io" }, "", findings);
}

/** The way out for objects that storage cannot read. Ours reads all it holds, so only its rules are left. */
function checkStoreReadError(options: RawOptions): StatusCause[] {
  if (options.ignoreStoreReadError !== true) return [];
  const others: readonly (readonly [string, boolean])[] = [
    ["dryRun", options.dryRun.length > 0],
    ["propagationPolicy", options.propagationPolicy !== undefined],
    ["orphanDependents", options.orphanDependents !== undefined],
    ["gracePeriodSeconds", options.gracePeriodSeconds !== undefined],
    ["preconditions", options.preconditions !== undefined],
  ];
  const field = "ignoreStoreReadErrorWithClusterBreakingPotential";
  return others
    .filter(([, isSet]) => isSet)
    .map(([name]) => cause.invalid(field, true, `cannot be set together with .${name}`));
}
