/**
 * The operations of the OpenAPI v2 document in protobuf (gnostic's `openapi.v2.Document`): paths, verbs, query
 * parameters and the kind that each is about. Clients of Kubernetes read v2 in this form only, and kubectl does when v3
 * does not name a kind, to find out whether the server validates fields. Type definitions are in
 * `swagger-protobuf-schema.ts`.
 */
import { isObject, type JsonObject } from "../json-value.ts";
import type { ResourceKind } from "../registry/kind.ts";
import { protobufMessage, type WireField } from "../wire/protobuf-writer.ts";
import { openApiPaths } from "./openapi-paths.ts";
import { swaggerDefinitions } from "./swagger.ts";
import { encodeDefinitions, encodeExtension } from "./swagger-protobuf-schema.ts";

export const swaggerProtobufType = "application/com.github.proto-openapi.spec.v2@v1.0+protobuf";

/** Field numbers of the messages. */
const documentFields = { swagger: 1, info: 2, paths: 8, definitions: 9 };
const infoFields = { title: 1, version: 2 };
const namedFields = { name: 1, value: 2 };
const pathItemFields: Readonly<Record<string, number>> = { get: 2, put: 3, post: 4, delete: 5, patch: 8 };
const operationFields = { operationId: 5, consumes: 7, parameters: 8, vendorExtension: 13 };
const parameterFields = { name: 4, in: 2, description: 3, type: 6 };
const pathsPathField = 2;

export function toSwaggerProtobuf(kinds: readonly ResourceKind[], info: { title: string; version: string }): Buffer {
  const paths = Object.entries(openApiPaths(kinds)).map(([path, item]) => encodePath(path, item as JsonObject));
  return protobufMessage(
    [documentFields.swagger, "2.0"],
    [documentFields.info, protobufMessage([infoFields.title, info.title], [infoFields.version, info.version])],
    [documentFields.paths, protobufMessage(...paths.map((path): WireField => [pathsPathField, path]))],
    [documentFields.definitions, encodeDefinitions(swaggerDefinitions(kinds))],
  );
}

function encodePath(path: string, item: JsonObject): Buffer {
  const operations = Object.entries(item).flatMap(([verb, operation]): WireField[] => {
    const number = pathItemFields[verb];
    return number === undefined || !isObject(operation) ? [] : [[number, encodeOperation(operation)]];
  });
  return protobufMessage([namedFields.name, path], [namedFields.value, protobufMessage(...operations)]);
}

function encodeOperation(operation: JsonObject): Buffer {
  const parameters = (Array.isArray(operation.parameters) ? operation.parameters : []).filter(isObject);
  const content = isObject(operation.requestBody) ? operation.requestBody.content : {};
  return protobufMessage(
    [operationFields.operationId, String(operation.operationId)],
    ...Object.keys(content ?? {}).map((type): WireField => [operationFields.consumes, type]),
    ...parameters.map((parameter): WireField => [operationFields.parameters, encodeParameter(parameter)]),
    ...["x-kubernetes-action", "x-kubernetes-group-version-kind"].map(
      (name): WireField => [operationFields.vendorExtension, encodeExtension(name, operation[name])],
    ),
  );
}

/** ParametersItem.parameter (1) > Parameter.non_body_parameter (2) > query_parameter_sub_schema (3). */
function encodeParameter(parameter: JsonObject): Buffer {
  const type = isObject(parameter.schema) ? String(parameter.schema.type) : "string";
  const query = protobufMessage(
    [parameterFields.in, String(parameter.in)],
    [parameterFields.description, String(parameter.description)],
    [parameterFields.name, String(parameter.name)],
    [parameterFields.type, type],
  );
  return protobufMessage([1, protobufMessage([2, protobufMessage([3, query])])]);
}
