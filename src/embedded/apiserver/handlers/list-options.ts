/**
 * ListOptions of a list, watch or collection delete, from its query: parsed as Go's converters do, then held against the
 * rules of `resourceVersionMatch` and `sendInitialEvents`. Malformed is a 400, contradictory a 422. Pure.
 */
import { badRequest, cause, invalid, type StatusCause } from "../status.ts";

export interface ListOptions {
  readonly watch: boolean;
  /** As sent: empty, `0` or a version. */
  readonly resourceVersion: string;
  readonly match: "" | "Exact" | "NotOlderThan";
  /** 0: no limit. */
  readonly limit: number;
  readonly continueToken: string;
  readonly timeoutSeconds: number | undefined;
  readonly allowWatchBookmarks: boolean;
  readonly sendInitialEvents: boolean | undefined;
}

export function parseListOptions(query: URLSearchParams, forceWatch = false): ListOptions {
  const watch = forceWatch || (parseBoolean(query.get("watch")) ?? false);
  const options = {
    watch,
    resourceVersion: query.get("resourceVersion") ?? "",
    match: query.get("resourceVersionMatch") ?? "",
    limit: Math.max(parseInteger(query.get("limit")) ?? 0, 0),
    continueToken: query.get("continue") ?? "",
    timeoutSeconds: parseInteger(query.get("timeoutSeconds")),
    allowWatchBookmarks: parseBoolean(query.get("allowWatchBookmarks")) ?? false,
    sendInitialEvents: parseBoolean(query.get("sendInitialEvents")),
  };
  const findings = watch ? checkWatch(options) : checkList(options);
  if (findings.length > 0) throw invalid({ resource: "ListOptions", group: "meta.k8s.io" }, "", findings);
  return options as ListOptions;
}

interface Unchecked {
  readonly resourceVersion: string;
  readonly match: string;
  readonly continueToken: string;
  readonly sendInitialEvents: boolean | undefined;
}

const field = "resourceVersionMatch";

function checkList(options: Unchecked): StatusCause[] {
  const { match, resourceVersion, continueToken } = options;
  const findings: StatusCause[] = [];
  const forbid = (why: string) => findings.push(cause.forbidden(field, `resourceVersionMatch ${why}`));
  if (match !== "") {
    if (resourceVersion === "") forbid("is forbidden unless resourceVersion is provided");
    if (continueToken !== "") forbid("is forbidden when continue is provided");
    if (match !== "Exact" && match !== "NotOlderThan")
      findings.push(cause.unsupported(field, match, ["Exact", "NotOlderThan", ""]));
    if (match === "Exact" && resourceVersion === "0") forbid('"exact" is forbidden for resourceVersion "0"');
  }
  if (options.sendInitialEvents !== undefined)
    findings.push(cause.forbidden("sendInitialEvents", "sendInitialEvents is forbidden for list"));
  return findings;
}

function checkWatch(options: Unchecked): StatusCause[] {
  const { match, continueToken, sendInitialEvents } = options;
  const findings: StatusCause[] = [];
  if (sendInitialEvents !== undefined && match !== "NotOlderThan")
    findings.push(cause.forbidden(field, "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan"));
  if (match === "") return findings;
  const forbid = (why: string) => findings.push(cause.forbidden(field, `resourceVersionMatch ${why}`));
  if (sendInitialEvents === undefined) forbid("is forbidden for watch unless sendInitialEvents is provided");
  if (match !== "NotOlderThan") findings.push(cause.unsupported(field, match, ["NotOlderThan"]));
  if (continueToken !== "") forbid("is forbidden when continue is provided");
  return findings;
}

/** Whatever is there and neither `false` nor `0` is true; so is an empty value. */
export function parseBoolean(value: string | null): boolean | undefined {
  if (value === null) return undefined;
  return value !== "0" && value.toLowerCase() !== "false";
}

function parseInteger(value: string | null): number | undefined {
  if (value === null) return undefined;
  if (!/^[+-]?\d+$/.test(value)) throw badRequest(`strconv.ParseInt: parsing ${JSON.stringify(value)}: invalid syntax`);
  if (BigInt.asIntN(64, BigInt(value)) !== BigInt(value))
    throw badRequest(`strconv.ParseInt: parsing ${JSON.stringify(value)}: value out of range`);
  return Number(value);
}
