/**
 * CreateOptions, UpdateOptions and PatchOptions, from the query of a request. All findings make one 422, as the real
 * server's. Pure.
 */
import type { UserInfo } from "../authorization/user-info.ts";
import { cause, invalid, type StatusCause } from "../status.ts";
import type { FieldValidation, WriteOptions } from "./context.ts";

export interface WriteRequest {
  readonly method: string | undefined;
  readonly query: URLSearchParams;
  readonly userAgent: string | undefined;
  readonly user: UserInfo;
  readonly isApply: boolean;
}

const maxManagerBytes = 128;

export function parseWriteOptions(request: WriteRequest): WriteOptions {
  const { query, user } = request;
  const kind = { POST: "CreateOptions", PATCH: "PatchOptions" }[request.method ?? ""] ?? "UpdateOptions";
  const manager = query.get("fieldManager") ?? "";
  const dryRun = query.getAll("dryRun");
  const validation = query.get("fieldValidation") ?? "";
  const findings = [
    ...(kind === "PatchOptions" ? checkPatch(request, manager) : []),
    ...checkFieldManager(manager, "fieldManager"),
    ...checkDryRun(dryRun),
    ...checkFieldValidation(validation),
  ];
  if (findings.length > 0) throw invalid({ resource: kind, group: "meta.k8s.io" }, "", findings);
  return {
    user,
    dryRun: dryRun.length > 0,
    fieldManager: manager === "" ? managerOfAgent(request.userAgent ?? "") : manager,
    fieldValidation: validation === "" ? "Warn" : (validation as FieldValidation),
    warnings: [],
  };
}

function checkPatch({ query, isApply }: WriteRequest, manager: string): StatusCause[] {
  if (isApply) return manager === "" ? [cause.required("fieldManager", "is required for apply patch")] : [];
  return query.has("force") ? [cause.forbidden("force", "may not be specified for non-apply patch")] : [];
}

export function parseForce(query: URLSearchParams): boolean {
  return query.has("force") && !["false", "0"].includes((query.get("force") ?? "").toLowerCase());
}

export function checkFieldManager(manager: string, path: string): StatusCause[] {
  const findings: StatusCause[] = [];
  if (Buffer.byteLength(manager) > maxManagerBytes) findings.push(cause.tooLong(path, maxManagerBytes));
  let position = 0;
  for (const char of manager) {
    if (!isPrintable(char)) {
      const point = (char.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0");
      findings.push(cause.invalid(path, manager, `invalid character U+${point} (at position ${position})`));
    }
    position += Buffer.byteLength(char);
  }
  return findings;
}

/** Letters, marks, numbers, punctuation, symbols and the plain space. */
const isPrintable = (char: string): boolean => /^[\p{L}\p{M}\p{N}\p{P}\p{S} ]$/u.test(char);

export function checkDryRun(values: readonly unknown[]): StatusCause[] {
  return values.every((value) => value === "All") ? [] : [cause.unsupported("dryRun", values, ["All"])];
}

const validations = ["", "Ignore", "Strict", "Warn"];

function checkFieldValidation(value: string): StatusCause[] {
  return validations.includes(value) ? [] : [cause.unsupported("fieldValidation", value, validations)];
}

/** Without a manager it is the client's program: its user agent up to the first slash. */
function managerOfAgent(userAgent: string): string {
  let name = "";
  for (const char of userAgent.split("/")[0] ?? "") {
    if (!isPrintable(char)) continue;
    if (Buffer.byteLength(name) + Buffer.byteLength(char) > maxManagerBytes) break;
    name += char;
  }
  return name === "" ? "unknown" : name;
}
