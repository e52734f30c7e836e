/** The OpenAPI v2 document, for clients that still read it: v3 schemas with the words of v2. Pure. */
import { isObject, type JsonObject } from "../json-value.ts";
import type { ResourceKind } from "../registry/kind.ts";
import { openApiPaths } from "./openapi-paths.ts";
import { componentSchemas } from "./openapi-schemas.ts";

export function toSwagger(kinds: readonly ResourceKind[], info: object): object {
  return {
    swagger: "2.0",
    info,
    paths: Object.fromEntries(Object.entries(openApiPaths(kinds)).map(([path, item]) => [path, swaggerItem(item)])),
    definitions: swaggerDefinitions(kinds),
  };
}

export function swaggerDefinitions(kinds: readonly ResourceKind[]): JsonObject {
  return downgrade(componentSchemas(kinds)) as JsonObject;
}

const droppedKeywords = new Set(["anyOf", "oneOf", "not", "nullable"]);

/** v2 has no combinators; a single `allOf` around a reference is that reference. */
function downgrade(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(downgrade);
  if (!isObject(value)) return value;
  const only = Array.isArray(value.allOf) && value.allOf.length === 1 ? value.allOf[0] : undefined;
  const source = isObject(only) ? { ...value, ...only, allOf: undefined } : value;
  const result: Record<string, unknown> = {};
  for (const [name, child] of Object.entries(source)) {
    if (
      child === undefined ||
      (droppedKeywords.has(name) && typeof child !== "object") ||
      (droppedKeywords.has(name) && !isPropertyMap(value))
    )
      continue;
    if (name === "$ref" && typeof child === "string")
      result[name] = child.replace("#/components/schemas/", "#/definitions/");
    else result[name] = downgrade(child);
  }
  return result;
}

/** A map of properties may well have one that is called `not`; there every value is a schema and there is no type. */
function isPropertyMap(value: Record<string, unknown>): boolean {
  return Object.values(value).every(isObject);
}

function swaggerItem(item: unknown): unknown {
  if (!isObject(item)) return item;
  return Object.fromEntries(
    Object.entries(item).map(([name, part]) => [
      name,
      name === "parameters" ? swaggerParameters(part) : swaggerOperation(part),
    ]),
  );
}

function swaggerParameters(parameters: unknown): unknown {
  if (!Array.isArray(parameters)) return [];
  return parameters.map((parameter) => {
    const { schema, ...rest } = parameter as { schema?: object };
    return { ...rest, ...schema };
  });
}

function swaggerOperation(operation: unknown): unknown {
  if (!isObject(operation)) return operation;
  const { requestBody, responses: _responses, parameters, ...rest } = operation;
  const body = isObject(requestBody) ? [{ name: "body", in: "body", required: true, schema: { type: "object" } }] : [];
  const consumes =
    isObject(requestBody) && isObject(requestBody.content) ? { consumes: Object.keys(requestBody.content) } : {};
  return {
    ...rest,
    ...consumes,
    produces: ["application/json"],
    parameters: [...(swaggerParameters(parameters ?? []) as unknown[]), ...body],
    responses: { 200: { description: "OK" } },
  };
}
