/** Columns that most tables share, and what cells are made of. Pure. */
import { asArray, asObject, asString, type JsonObject } from "../json-value.ts";
import { type KubeObject, statusOf } from "../object.ts";
import type { Column } from "../registry/kind.ts";
import { formatAge } from "./age.ts";

export const nameColumn: Column = {
  name: "Name",
  type: "string",
  format: "name",
  description: "Name must be unique within a namespace.",
  value: (object) => object.metadata.name,
};

export const ageColumn: Column = {
  name: "Age",
  type: "string",
  description: "Time since the object was created.",
  value: (object, nowMs) => formatAge(object.metadata.creationTimestamp, nowMs),
};

export type Read = (object: KubeObject, nowMs: number) => unknown;

export interface ColumnOptions {
  readonly type?: string;
  readonly format?: string;
  /** Only with `-o wide`. */
  readonly wide?: boolean;
}

export function column(name: string, value: Read, options: ColumnOptions = {}): Column {
  const { type = "string", format, wide } = options;
  const base = { name, type, description: "", priority: wide === true ? 1 : 0, value };
  return format === undefined ? base : { ...base, format };
}

export function conditionOf(object: KubeObject, type: string): JsonObject | undefined {
  return asArray(statusOf(object).conditions)
    .map(asObject)
    .find((condition) => condition.type === type);
}

export function formatLabels(labels: unknown): string {
  const pairs = Object.entries(asObject(labels)).map(([key, value]) => `${key}=${value}`);
  return pairs.length === 0 ? "<none>" : pairs.sort().join(",");
}

/** A label selector as one would write it to kubectl: `app=web,tier in (a,b),!beta`. */
export function formatSelector(selector: unknown): string {
  const { matchLabels, matchExpressions } = asObject(selector);
  const equal = Object.entries(asObject(matchLabels)).map(([key, value]) => [key, `${key}=${value}`] as const);
  const others = asArray(matchExpressions)
    .map(asObject)
    .map((one) => [asString(one.key), formatExpression(one)] as const);
  const parts = [...equal, ...others].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)).map(([, text]) => text);
  return parts.length === 0 ? "<none>" : parts.join(",");
}

function formatExpression({ key, operator, values }: JsonObject): string {
  if (operator === "Exists") return asString(key);
  if (operator === "DoesNotExist") return `!${asString(key)}`;
  return `${asString(key)} ${operator === "In" ? "in" : "notin"} (${asArray(values).map(asString).sort().join(",")})`;
}

/** The first few, and how many more. */
export function listSome(list: readonly string[], most: number): string {
  if (list.length <= most) return list.join(",");
  return `${list.slice(0, most).join(",")} + ${list.length - most} more...`;
}
