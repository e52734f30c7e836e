/**
 * Reviews: who a token or caller is, and what they may do. Authorization is not enforced yet, so access reviews say
 * yes to every authenticated user, which is what the server does.
 */

import type { UserInfo } from "../authorization/user-info.ts";
import { defaultAudience, type ServiceAccountTokens } from "../controllers/service-account-tokens.ts";
import type { Authenticator } from "../http/authenticate.ts";
import { readObjectBody } from "../http/body.ts";
import type { Exchange } from "../http/exchange.ts";
import { sendJson } from "../http/respond.ts";
import { asArray, asObject, asString, isObject, type JsonObject } from "../json-value.ts";
import { formatTime } from "../object.ts";
import type { ApiContext } from "../operations/context.ts";
import { badRequest, methodNotAllowed } from "../status.ts";

export interface ReviewServices {
  readonly context: ApiContext;
  readonly authenticator: Authenticator;
  readonly tokens: ServiceAccountTokens;
}

export async function handleReview(services: ReviewServices, exchange: Exchange, resource: string): Promise<void> {
  if (exchange.request.method !== "POST") throw methodNotAllowed();
  const body = await readObjectBody(exchange.request);
  if (!isObject(body)) throw badRequest("the body of a review must be a JSON object");
  const creationTimestamp = formatTime(services.context.clock.now());
  const spec = asObject(body.spec);
  const status = await answer(services, exchange, resource, spec);
  const kind = asString(body.kind);
  const apiVersion = asString(body.apiVersion);
  sendJson(
    exchange.response,
    201,
    JSON.stringify({ kind, apiVersion, metadata: { ...asObject(body.metadata), creationTimestamp }, spec, status }),
  );
}

async function answer(
  services: ReviewServices,
  exchange: Exchange,
  resource: string,
  spec: JsonObject,
): Promise<object> {
  if (resource === "selfsubjectreviews") return { userInfo: exchange.user };
  if (resource === "tokenreviews") return reviewToken(services, spec);
  if (resource === "selfsubjectrulesreviews") return allRules;
  return { allowed: true, reason: "authorization is not enforced by this embedded API server" };
}

const allRules = {
  resourceRules: [{ verbs: ["*"], apiGroups: ["*"], resources: ["*"] }],
  nonResourceRules: [{ verbs: ["*"], nonResourceURLs: ["*"] }],
  incomplete: false,
};

async function reviewToken(services: ReviewServices, spec: JsonObject): Promise<object> {
  const token = asString(spec.token);
  const asked = asArray(spec.audiences).map(asString);
  const audiences = asked.length > 0 ? asked : [defaultAudience];
  const account = token === "" ? undefined : await services.tokens.verify(token, audiences);
  const user: UserInfo | undefined =
    account ?? (token === "" ? undefined : await services.authenticator.identify(token));
  if (user === undefined) return { user: {}, error: "the token is not valid" };
  return { authenticated: true, user, audiences };
}
