/** Table columns out of the additionalPrinterColumns of a custom resource definition. Pure. */
import { asObject, asString, type JsonObject } from "../json-value.ts";
import type { Column } from "../registry/kind.ts";
import { formatAge } from "./age.ts";
import { ageColumn, nameColumn } from "./common-columns.ts";
import { compileJsonPath, JsonPathError } from "./jsonpath.ts";

/** Where a declared column cannot be read, the default ones are shown instead of all. */
export function customColumns(declared: readonly unknown[]): readonly Column[] {
  if (declared.length === 0) return [nameColumn, ageColumn];
  try {
    return [nameColumn, ...declared.map((item) => customColumn(asObject(item)))];
  } catch (error) {
    if (error instanceof JsonPathError) return [nameColumn, ageColumn];
    throw error;
  }
}

function customColumn(declared: JsonObject): Column {
  const read = compileJsonPath(asString(declared.jsonPath));
  const type = asString(declared.type) || "string";
  return {
    name: asString(declared.name),
    type,
    format: asString(declared.format),
    description: asString(declared.description),
    priority: Number(declared.priority ?? 0),
    value: (object, nowMs) => convertCell(read(object), type, nowMs),
  };
}

/** Values of the wrong type are left blank, as the real server does. */
function convertCell(found: readonly unknown[], type: string, nowMs: number): unknown {
  const value = found[0];
  if (value === undefined || value === null) return null;
  if (type === "date") return formatAge(value, nowMs);
  if (type === "integer") return typeof value === "number" ? Math.trunc(value) : null;
  if (type === "number") return typeof value === "number" ? value : null;
  if (type === "boolean") return typeof value === "boolean" ? value : null;
  return found.map((one) => (typeof one === "object" ? JSON.stringify(one) : String(one))).join(",");
}
