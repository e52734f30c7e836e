/** The 409 of an apply that would change what others own, in Kubernetes' words. Pure. */
import { failure, type StatusCause, type StatusError } from "../status.ts";
import { type FieldSet, formatPath } from "./field-set.ts";
import type { Manager, Managers } from "./managed-entries.ts";

export function conflictError(conflicts: ReadonlyMap<string, FieldSet>, managers: Managers): StatusError {
  const found = [...conflicts].map(([id, fields]) => {
    const record = managers.get(id);
    return {
      name: record === undefined ? JSON.stringify(id) : describeManager(record),
      paths: [...fields.paths()].map(formatPath),
    };
  });
  found.sort((a, b) => (a.name < b.name ? -1 : 1));
  const causes: StatusCause[] = found.flatMap(({ name, paths }) =>
    paths.map((field) => ({ reason: "FieldManagerConflict", message: `conflict with ${name}`, field })),
  );
  const [only] = causes;
  const message =
    causes.length === 1 && only !== undefined
      ? `1 conflict: ${only.message}: ${only.field}`
      : `${causes.length} conflicts: ${found.map(({ name, paths }) => [`conflicts with ${name}:`, ...paths.map((path) => `- ${path}`)].join("\n")).join("\n")}`;
  return failure(409, "Conflict", `Apply failed with ${message}`, { causes });
}

function describeManager(manager: Manager): string {
  const subresource = manager.subresource === "" ? "" : ` with subresource ${JSON.stringify(manager.subresource)}`;
  const version = manager.operation === "Update" ? ` using ${manager.apiVersion}` : "";
  return `${JSON.stringify(manager.manager)}${subresource}${version}`;
}
