/** `serviceaccounts/NAME/token`: issues a signed, expiring token for the account. */

import {
  apiAudiences,
  type ObjectReference,
  type ServiceAccountTokens,
  type TokenSubject,
} from "../controllers/service-account-tokens.ts";
import { readObjectBody } from "../http/body.ts";
import type { Exchange } from "../http/exchange.ts";
import { sendJson } from "../http/respond.ts";
import { asArray, asObject, asString, isObject, type JsonObject } from "../json-value.ts";
import { formatTime, type KubeObject, specOf } from "../object.ts";
import type { ApiContext, Target } from "../operations/context.ts";
import { readObject } from "../operations/read.ts";
import { badRequest, cause, conflict, invalid, methodNotAllowed, notFound, type StatusCause } from "../status.ts";

const group = "authentication.k8s.io";
const kindOfRequest = { resource: "TokenRequest", group };
const minSeconds = 600;
const maxSeconds = 2 ** 32;
const defaultSeconds = 3600;
/** What kubelets ask for; a pod that reads its token once at its start may use it for a year. */
const extendedSeconds = 3607;
const yearSeconds = 365 * 24 * 3600;

export async function handleTokenRequest(
  services: { readonly context: ApiContext; readonly tokens: ServiceAccountTokens },
  exchange: Exchange,
  target: Target,
): Promise<void> {
  if (exchange.request.method !== "POST") throw methodNotAllowed();
  const body = readBody(await readObjectBody(exchange.request));
  const { context, tokens } = services;
  const spec = asObject(body.spec);
  checkMetadata(body, target);
  const account = readObject(context, target).object;
  checkUid(body, target, account);
  const given = asArray(spec.audiences).map(asString);
  const audiences = given.length > 0 ? given : apiAudiences;
  const expirationSeconds = readLifetime(spec.expirationSeconds);
  const bound = isObject(spec.boundObjectRef) ? readBound(context, target, spec.boundObjectRef) : {};
  const { namespace, uid = "" } = account.metadata;
  const extended =
    bound.pod !== undefined &&
    expirationSeconds === extendedSeconds &&
    audiences.every((one) => apiAudiences.includes(one));
  const token = tokens.issue({
    namespace: namespace ?? "",
    name: target.name,
    uid,
    audiences,
    lifetimeSeconds: extended ? yearSeconds : expirationSeconds,
    ...(extended ? { warnAfterSeconds: extendedSeconds } : {}),
    bound,
  });
  const nowMs = context.clock.now();
  const reply = {
    kind: "TokenRequest",
    apiVersion: `${group}/v1`,
    metadata: { name: target.name, namespace, uid, creationTimestamp: formatTime(nowMs) },
    spec: { boundObjectRef: null, ...spec, audiences, expirationSeconds },
    status: { token, expirationTimestamp: formatTime(nowMs + expirationSeconds * 1000) },
  };
  sendJson(exchange.response, 201, JSON.stringify(reply));
}

function readBody(body: unknown): JsonObject {
  if (!isObject(body)) throw badRequest("a token request must be a JSON object");
  return body;
}

function checkMetadata(body: JsonObject, target: Target): void {
  const { name, namespace } = asObject(body.metadata);
  const findings: StatusCause[] = [];
  if (asString(name) !== "" && name !== target.name)
    findings.push(cause.invalid("metadata.name", name, "must match the service account name if specified"));
  else if (asString(namespace) !== "" && namespace !== target.namespace)
    findings.push(
      cause.invalid("metadata.namespace", namespace, "must match the service account namespace if specified"),
    );
  if (findings.length > 0) throw invalid(kindOfRequest, target.name, findings);
}

function checkUid(body: JsonObject, target: Target, account: KubeObject): void {
  const uid = asString(asObject(body.metadata).uid);
  if (uid === "" || uid === account.metadata.uid) return;
  const why = `the UID in the token request (${uid}) does not match the UID of the service account (${account.metadata.uid})`;
  throw conflict(kindOfRequest, target.name, why);
}

function readLifetime(value: unknown): number {
  const seconds = value === undefined || value === null ? defaultSeconds : Number(value);
  if (!Number.isInteger(seconds))
    throw badRequest(`spec.expirationSeconds must be a whole number, got ${JSON.stringify(value)}`);
  const refuse = (why: string) => invalid(kindOfRequest, "", [cause.invalid("spec.expirationSeconds", seconds, why)]);
  if (seconds < minSeconds) throw refuse("may not specify a duration less than 10 minutes");
  if (seconds > maxSeconds) throw refuse("may not specify a duration larger than 2^32 seconds");
  return seconds;
}

function readBound(context: ApiContext, target: Target, reference: JsonObject): TokenSubject["bound"] {
  const kind = asString(reference.kind);
  const apiVersion = asString(reference.apiVersion) || "v1";
  if (apiVersion !== "v1" || !["Pod", "Secret", "Node"].includes(kind))
    throw badRequest(`cannot bind token to object of type ${apiVersion}, Kind=${kind}`);
  const name = asString(reference.name);
  const storage = `${kind.toLowerCase()}s`;
  const key = kind === "Node" ? name : `${target.namespace}/${name}`;
  const object = context.store.get(storage, key)?.object;
  if (object === undefined) throw notFound({ resource: storage, group: "" }, name);
  const bound = boundTo(context, target, kind, object);
  const uid = object.metadata.uid ?? "";
  const wanted = asString(reference.uid);
  if (wanted === "" || wanted === uid) return bound;
  const why = `the UID in the bound object reference (${wanted}) does not match the UID in record. The object might have been deleted and then recreated`;
  throw conflict({ resource: kind, group: "" }, name, why);
}

function boundTo(context: ApiContext, target: Target, kind: string, object: KubeObject): TokenSubject["bound"] {
  const reference: ObjectReference = { name: object.metadata.name, uid: object.metadata.uid ?? "" };
  if (kind === "Secret") return { secret: reference };
  if (kind === "Node") return { node: reference };
  const { serviceAccountName, nodeName } = specOf(object);
  if (serviceAccountName !== target.name)
    throw badRequest(
      `cannot bind token for serviceaccount ${JSON.stringify(target.name)} to pod running with different serviceaccount name.`,
    );
  const node = asString(nodeName);
  if (node === "") return { pod: reference };
  return { pod: reference, node: { name: node, uid: context.store.get("nodes", node)?.object.metadata.uid ?? "" } };
}
