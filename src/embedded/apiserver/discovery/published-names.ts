/**
 * The names under which OpenAPI documents publish built-in types: `io.k8s.api.core.v1.PodSpec`, after the package that
 * declares the type. The schemas here are named by version and type alone; the wire format knows the packages. Pure.
 */
import type { Schema } from "../schema/schema.ts";
import messages from "../wire/messages.json" with { type: "json" };

/** `v1.PodSpec` to the packages that declare such a type. */
const packages = new Map<string, string[]>();
for (const message of Object.keys(messages)) {
  const dot = message.lastIndexOf(".");
  const path = message.slice(0, dot).split("/");
  const id = `${path.at(-1)}.${message.slice(dot + 1)}`;
  packages.set(id, [...(packages.get(id) ?? []), path.join("/")]);
}

const published = new Map<string, string>();

/** The name itself for types that are not built in. */
export function publishedName(name: string): string {
  let known = published.get(name);
  if (known === undefined) {
    known = findName(name);
    published.set(name, known);
  }
  return known;
}

function findName(name: string): string {
  const [, group = "", version = "", type = ""] = /^io\.k8s\.([a-z]+)\.(v\d[a-z0-9]*)\.([A-Z]\w*)$/.exec(name) ?? [];
  const found = packages.get(`${version}.${type}`) ?? [];
  // A type of several groups has its group in front; without one it is the core's, or its list's.
  const own = found.find((path) => path.includes(`/${group}/`)) ?? found.find((path) => path.includes("/core/"));
  const path = own ?? found[0];
  if (path === undefined) return name;
  const [host = "", ...rest] = path.split("/");
  return [...host.split(".").reverse(), ...rest, type].join(".");
}

const refPrefix = "#/components/schemas/";
const renamed = new WeakMap<object, unknown>();

/** The schema with its references under published names. Built-in schemas never change, so each is rewritten once. */
export function publishReferences(schema: Schema): Schema {
  return rewrite(schema) as Schema;
}

function rewrite(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  const known = renamed.get(value);
  if (known !== undefined) return known;
  const result = Array.isArray(value)
    ? value.map(rewrite)
    : Object.fromEntries(
        Object.entries(value).map(([key, child]) => [key, key === "$ref" ? rewriteReference(child) : rewrite(child)]),
      );
  renamed.set(value, result);
  return result;
}

/** A property may itself be called `$ref`; then it is a schema. */
function rewriteReference(value: unknown): unknown {
  if (typeof value !== "string") return rewrite(value);
  return value.startsWith(refPrefix) ? `${refPrefix}${publishedName(value.slice(refPrefix.length))}` : value;
}
