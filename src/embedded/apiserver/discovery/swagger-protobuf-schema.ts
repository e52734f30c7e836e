/** Type definitions of the OpenAPI v2 document in protobuf (gnostic's `openapi.v2.Schema`): what `explain` reads. Pure. */
import { asArray, asString, isObject, type JsonObject } from "../json-value.ts";
import { protobufMessage, type WireField } from "../wire/protobuf-writer.ts";

/** Field numbers of the messages. */
const texts = { $ref: 1, format: 2, title: 3, description: 4, pattern: 13 } as const;
const schemaFields = { required: 19, enum: 20, additional: 21, type: 22, items: 23, properties: 25, extension: 31 };
const namedFields = { name: 1, value: 2 };
const anyYamlField = 2;

export function encodeDefinitions(definitions: JsonObject): Buffer {
  return protobufMessage(...namedSchemas(definitions));
}

function namedSchemas(schemas: JsonObject): WireField[] {
  return Object.entries(schemas).map(([name, schema]) => [
    1,
    protobufMessage([namedFields.name, name], [namedFields.value, encodeSchema(schema)]),
  ]);
}

function encodeSchema(schema: unknown): Buffer {
  if (!isObject(schema)) return protobufMessage();
  const { required, type, items, properties, additionalProperties } = schema;
  const fields: WireField[] = [];
  for (const [name, number] of Object.entries(texts))
    if (typeof schema[name] === "string") fields.push([number, asString(schema[name])]);
  for (const name of asArray(required)) fields.push([schemaFields.required, asString(name)]);
  for (const value of asArray(schema.enum)) fields.push([schemaFields.enum, anyYaml(value)]);
  if (isObject(additionalProperties))
    fields.push([schemaFields.additional, protobufMessage([1, encodeSchema(additionalProperties)])]);
  if (typeof type === "string") fields.push([schemaFields.type, protobufMessage([1, type])]);
  if (isObject(items)) fields.push([schemaFields.items, protobufMessage([1, encodeSchema(items)])]);
  if (isObject(properties)) fields.push([schemaFields.properties, protobufMessage(...namedSchemas(properties))]);
  for (const [name, value] of Object.entries(schema))
    if (name.startsWith("x-")) fields.push([schemaFields.extension, encodeExtension(name, value)]);
  return protobufMessage(...fields);
}

/** Extensions carry YAML, of which JSON is a part. */
export function encodeExtension(name: string, value: unknown): Buffer {
  return protobufMessage([namedFields.name, name], [namedFields.value, anyYaml(value)]);
}

function anyYaml(value: unknown): Buffer {
  return protobufMessage([anyYamlField, JSON.stringify(value)]);
}
