/** Operations of one group version for the OpenAPI documents: enough for clients to learn verbs and parameters. Pure. */
import type { ResourceKind } from "../registry/kind.ts";
import { openApiPathOf, schemaName } from "./openapi-schemas.ts";
import { publishedName } from "./published-names.ts";
import { isReviewResource } from "./review-resources.ts";

type Operation = Record<string, unknown>;

const query = (name: string, type: string, description: string) => ({
  name,
  in: "query",
  description,
  schema: { type, uniqueItems: true },
});

const writeParameters = [
  query("dryRun", "string", "All: process the request, but persist nothing."),
  query("fieldManager", "string", "The name of the actor that makes these changes."),
  query("fieldValidation", "string", "What to do about unknown fields: Ignore, Warn or Strict."),
];
const listParameters = [
  query("labelSelector", "string", "Selects objects by their labels."),
  query("fieldSelector", "string", "Selects objects by their fields."),
  query("limit", "integer", "The most objects to return at once."),
  query("continue", "string", "Goes on with a list from where the last answer ended."),
  query("resourceVersion", "string", "How fresh the answer must be."),
  query("watch", "boolean", "Streams changes instead of listing."),
];

export function openApiPaths(kinds: readonly ResourceKind[]): Record<string, unknown> {
  const paths: Record<string, unknown> = {};
  for (const kind of kinds) {
    const root = `/${openApiPathOf(kind.group, kind.version)}`;
    const collection = kind.namespaced ? `${root}/namespaces/{namespace}/${kind.plural}` : `${root}/${kind.plural}`;
    if (isReviewResource(kind.group, kind.plural)) {
      paths[collection] = { post: creation(kind), ...pathParameters(kind, false) };
      continue;
    }
    if (kind.namespaced)
      paths[`${root}/${kind.plural}`] = {
        get: operation(kind, "list", "list", { parameters: listParameters, list: true }),
      };
    paths[collection] = collectionItem(kind);
    paths[`${collection}/{name}`] = objectItem(kind, "");
    if (kind.hasStatus) paths[`${collection}/{name}/status`] = objectItem(kind, "Status");
  }
  return paths;
}

function collectionItem(kind: ResourceKind): object {
  return {
    get: operation(kind, "list", "list", { parameters: listParameters, list: true }),
    post: creation(kind),
    delete: operation(kind, "deletecollection", "deletecollection", { parameters: listParameters }),
    ...pathParameters(kind, false),
  };
}

function creation(kind: ResourceKind): Operation {
  const body = ["application/json", "application/yaml"];
  return operation(kind, "create", "post", { parameters: writeParameters, body });
}

function objectItem(kind: ResourceKind, suffix: string): object {
  const patchTypes = [
    "application/json-patch+json",
    "application/merge-patch+json",
    ...(kind.builtin ? ["application/strategic-merge-patch+json"] : []),
    "application/apply-patch+yaml",
  ];
  const force = query("force", "boolean", "Takes conflicting fields over from other managers; for apply only.");
  return {
    get: operation(kind, `read${suffix}`, "get", {}),
    put: operation(kind, `replace${suffix}`, "put", {
      parameters: writeParameters,
      body: ["application/json", "application/yaml"],
    }),
    patch: operation(kind, `patch${suffix}`, "patch", { parameters: [...writeParameters, force], body: patchTypes }),
    ...(suffix === "" ? { delete: operation(kind, "delete", "delete", {}) } : {}),
    ...pathParameters(kind, true),
  };
}

function pathParameters(kind: ResourceKind, named: boolean): { parameters: object[] } {
  const parameter = (name: string) => ({
    name,
    in: "path",
    required: true,
    schema: { type: "string", uniqueItems: true },
  });
  return { parameters: [...(named ? [parameter("name")] : []), ...(kind.namespaced ? [parameter("namespace")] : [])] };
}

interface OperationParts {
  readonly parameters?: readonly object[];
  readonly body?: readonly string[];
  readonly list?: boolean;
}

function operation(kind: ResourceKind, verb: string, action: string, parts: OperationParts): Operation {
  const schema = {
    $ref: `#/components/schemas/${publishedName(schemaName(kind))}${parts.list === true ? "List" : ""}`,
  };
  const requestSchema = action === "patch" ? { type: "object" } : schema;
  const content = Object.fromEntries((parts.body ?? []).map((type) => [type, { schema: requestSchema }]));
  return {
    operationId: `${verb}${kind.group.replace(/\W/g, "")}${kind.version}${kind.kind}${parts.list === true && kind.namespaced ? "s" : ""}`,
    tags: [kind.group === "" ? "core" : kind.group],
    ...(parts.parameters === undefined ? {} : { parameters: parts.parameters }),
    ...(parts.body === undefined ? {} : { requestBody: { content, required: true } }),
    responses: { 200: { description: "OK", content: { "application/json": { schema } } } },
    "x-kubernetes-action": action,
    "x-kubernetes-group-version-kind": { group: kind.group, version: kind.version, kind: kind.kind },
  };
}
