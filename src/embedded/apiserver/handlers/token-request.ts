/** `serviceaccounts/NAME/token`: issues a signed, expiring token for the account. */

import {
  defaultAudience,
  type ServiceAccountTokens,
  type TokenSubject,
} from "../controllers/service-account-tokens.ts";
import { readObjectBody } from "../http/body.ts";
import type { Exchange } from "../http/exchange.ts";
import { sendJson } from "../http/respond.ts";
import { asArray, asObject, asString, isObject, type JsonObject } from "../json-value.ts";
import { formatTime } from "../object.ts";
import type { ApiContext, Target } from "../operations/context.ts";
import { readObject } from "../operations/read.ts";
import { badRequest, cause, conflict, invalid, methodNotAllowed, notFound } from "../status.ts";

const kindOfRequest = { resource: "TokenRequest", group: "authentication.k8s.io" };
const minSeconds = 600;
const maxSeconds = 2 ** 32;
const defaultSeconds = 3600;

export async function handleTokenRequest(
  services: { readonly context: ApiContext; readonly tokens: ServiceAccountTokens },
  exchange: Exchange,
  target: Target,
): Promise<void> {
  if (exchange.request.method !== "POST") throw methodNotAllowed();
  const body = asObject(await readObjectBody(exchange.request));
  const spec = asObject(body.spec);
  const account = readObject(services.context, target).object;
  const audiences = asArray(spec.audiences).map(asString);
  const bound = isObject(spec.boundObjectRef) ? readBound(services.context, target, spec.boundObjectRef) : undefined;
  const subject: TokenSubject = {
    namespace: target.namespace ?? "",
    name: target.name,
    uid: account.metadata.uid ?? "",
    audiences: audiences.length > 0 ? audiences : [defaultAudience],
    lifetimeSeconds: readLifetime(spec.expirationSeconds),
    ...(bound === undefined ? {} : { boundObject: bound }),
  };
  const { token, expiresAtMs } = await services.tokens.issue(subject);
  const now = formatTime(services.context.clock.now());
  const reply = {
    kind: "TokenRequest",
    apiVersion: "authentication.k8s.io/v1",
    metadata: { name: target.name, namespace: target.namespace, creationTimestamp: now },
    spec: { ...spec, audiences: subject.audiences, expirationSeconds: subject.lifetimeSeconds },
    status: { token, expirationTimestamp: formatTime(expiresAtMs) },
  };
  sendJson(exchange.response, 201, JSON.stringify(reply));
}

function readLifetime(value: unknown): number {
  const seconds = value === undefined || value === null ? defaultSeconds : Number(value);
  if (!Number.isInteger(seconds))
    throw badRequest(`spec.expirationSeconds must be a whole number, got ${JSON.stringify(value)}`);
  if (seconds < minSeconds)
    throw invalid(kindOfRequest, "", [
      cause.invalid("spec.expirationSeconds", seconds, "may not specify a duration less than 10 minutes"),
    ]);
  if (seconds > maxSeconds)
    throw invalid(kindOfRequest, "", [
      cause.invalid("spec.expirationSeconds", seconds, "may not specify a duration larger than 2^32 seconds"),
    ]);
  return seconds;
}

const boundStorages: Readonly<Record<string, string>> = { Pod: "pods", Secret: "secrets" };

function readBound(
  context: ApiContext,
  target: Target,
  reference: JsonObject,
): NonNullable<TokenSubject["boundObject"]> {
  const kind = asString(reference.kind);
  const storage = boundStorages[kind];
  if (storage === undefined)
    throw badRequest(`cannot bind token for serviceaccount to object type ${kind}; expected Pod or Secret`);
  const name = asString(reference.name);
  const object = context.store.get(storage, `${target.namespace}/${name}`)?.object;
  if (object === undefined) throw notFound({ resource: storage, group: "" }, name);
  const uid = object.metadata.uid ?? "";
  if (reference.uid !== undefined && reference.uid !== uid) {
    throw conflict(
      { resource: storage, group: "" },
      name,
      `the UID in the bound object reference (${String(reference.uid)}) does not match the UID in record`,
    );
  }
  return { kind, name, uid };
}
