/** Reviews: who a token or caller is, and what somebody may do. They answer and store nothing. */

import type { AccessAttributes, PolicyRule } from "../authorization/authorizer.ts";
import type { UserInfo } from "../authorization/user-info.ts";
import { apiAudiences } from "../controllers/service-account-tokens.ts";
import type { Authenticator } from "../http/authenticate.ts";
import { readObjectBody } from "../http/body.ts";
import { type Exchange, writeOptionsOf } from "../http/exchange.ts";
import type { ResourcePath } from "../http/path.ts";
import { sendJson } from "../http/respond.ts";
import { asArray, asObject, asString, isObject, type JsonObject } from "../json-value.ts";
import { formatTime } from "../object.ts";
import type { ApiContext } from "../operations/context.ts";
import { badRequest, invalid, methodNotAllowed, pathNotFound } from "../status.ts";
import { checkAccessReview } from "./access-review-validation.ts";

export interface ReviewServices {
  readonly context: ApiContext;
  readonly authenticator: Authenticator;
}

/** Kinds by the plural in the path. */
const kinds: Readonly<Record<string, string>> = {
  selfsubjectreviews: "SelfSubjectReview",
  tokenreviews: "TokenReview",
  subjectaccessreviews: "SubjectAccessReview",
  localsubjectaccessreviews: "LocalSubjectAccessReview",
  selfsubjectaccessreviews: "SelfSubjectAccessReview",
  selfsubjectrulesreviews: "SelfSubjectRulesReview",
};

export async function handleReview(services: ReviewServices, exchange: Exchange, path: ResourcePath): Promise<void> {
  const kind = kinds[path.resource] ?? "";
  if ((path.namespace !== undefined) !== (kind === "LocalSubjectAccessReview") || path.name !== undefined)
    throw pathNotFound();
  if (exchange.request.method !== "POST") throw methodNotAllowed();
  writeOptionsOf(exchange);
  const apiVersion = `${path.group}/${path.version}`;
  const body = readReview(await readObjectBody(exchange.request), kind, apiVersion);
  const spec = asObject(body.spec);
  const metadata = asObject(body.metadata);
  if (path.namespace !== undefined) checkNamespace(metadata, path.namespace);
  const answer = review(services, exchange, { kind, group: path.group, namespace: path.namespace, metadata, spec });
  const creation = kind === "SelfSubjectReview" ? { creationTimestamp: formatTime(services.context.clock.now()) } : {};
  const shown = kind === "SelfSubjectReview" ? {} : { spec };
  const reply = { kind, apiVersion, metadata: { ...metadata, ...creation }, ...shown, status: answer };
  sendJson(exchange.response, 201, JSON.stringify(reply));
}

function readReview(body: unknown, kind: string, apiVersion: string): JsonObject {
  if (!isObject(body)) throw badRequest("the body of a review must be a JSON object");
  const wrongKind = body.kind !== undefined && body.kind !== kind;
  if (wrongKind || (body.apiVersion !== undefined && body.apiVersion !== apiVersion)) {
    const got = `${asString(body.apiVersion)}, Kind=${asString(body.kind)}`;
    throw badRequest(`the object provided is unrecognized: got ${got}, expected ${apiVersion}, Kind=${kind}`);
  }
  return body;
}

function checkNamespace(metadata: JsonObject, namespace: string): void {
  const own = asString(metadata.namespace);
  if (own !== "" && own !== namespace)
    throw badRequest("the namespace of the provided object does not match the namespace sent on the request");
  metadata.namespace = namespace;
}

interface Review {
  readonly kind: string;
  readonly group: string;
  readonly namespace: string | undefined;
  readonly metadata: JsonObject;
  readonly spec: JsonObject;
}

function review(services: ReviewServices, exchange: Exchange, asked: Review): object {
  if (asked.kind === "SelfSubjectReview") return { userInfo: exchange.user };
  if (asked.kind === "TokenReview") return reviewToken(services, asked.spec);
  if (asked.kind === "SelfSubjectRulesReview") return reviewRules(services.context, exchange.user, asked.spec);
  const findings = checkAccessReview(asked);
  if (findings.length > 0) throw invalid({ resource: asked.kind, group: asked.group }, "", findings);
  const user = asked.kind === "SelfSubjectAccessReview" ? exchange.user : userOf(asked.spec);
  const { allowed, reason } = services.context.authorizer.authorize(user, attributesOf(asked.spec));
  return { allowed, ...(reason === "" ? {} : { reason }) };
}

function userOf(spec: JsonObject): UserInfo {
  const extra = Object.entries(asObject(spec.extra)).map(([key, values]) => [key, asArray(values).map(asString)]);
  return {
    username: asString(spec.user),
    uid: asString(spec.uid),
    groups: asArray(spec.groups).map(asString),
    extra: Object.fromEntries(extra) as Record<string, string[]>,
  };
}

function attributesOf(spec: JsonObject): AccessAttributes {
  if (isObject(spec.nonResourceAttributes)) {
    const { verb, path } = spec.nonResourceAttributes;
    return { verb: asString(verb), path: asString(path) };
  }
  const given = asObject(spec.resourceAttributes);
  const text = (name: string) => asString(given[name]);
  return {
    verb: text("verb"),
    group: text("group"),
    version: text("version") || "*",
    resource: text("resource"),
    subresource: text("subresource"),
    name: text("name"),
    namespace: text("namespace"),
  };
}

function reviewRules(context: ApiContext, user: UserInfo, spec: JsonObject): object {
  const namespace = asString(spec.namespace);
  if (namespace === "") throw badRequest("no namespace on request");
  const rules = context.authorizer.rulesFor(user, namespace);
  const has = (list: readonly string[] | undefined) => (list ?? []).length > 0;
  return {
    resourceRules: rules.filter((rule) => has(rule.resources)).map(resourceRule),
    nonResourceRules: rules
      .filter((rule) => has(rule.nonResourceURLs))
      .map(({ verbs, nonResourceURLs }) => ({ verbs, nonResourceURLs })),
    incomplete: false,
  };
}

function resourceRule({ verbs, apiGroups, resources, resourceNames = [] }: PolicyRule): object {
  return { verbs, apiGroups, resources, ...(resourceNames.length === 0 ? {} : { resourceNames }) };
}

function reviewToken(services: ReviewServices, spec: JsonObject): object {
  const token = asString(spec.token);
  if (token === "") throw badRequest("token is required for TokenReview in authentication");
  const asked = asArray(spec.audiences).map(asString);
  const outcome = services.authenticator.identify(token, asked.length > 0 ? asked : apiAudiences);
  if (outcome === undefined) return { user: {}, error: "invalid bearer token" };
  if ("error" in outcome) return { user: {}, error: `[invalid bearer token, ${outcome.error}]` };
  return { authenticated: true, user: outcome.user, audiences: outcome.audiences };
}
