/**
 * Service account tokens: signed when a TokenRequest or a token secret asks for one, and checked against the account and
 * the object they are bound to each time they are shown. JWTs under ES256, with the claims that Kubernetes gives.
 */
import { createHash, createPublicKey, type KeyObject, randomUUID, sign, verify } from "node:crypto";
import type { Clock } from "../../../base/clock.ts";
import type { UserInfo } from "../authorization/user-info.ts";
import { asArray, asObject, asString, isObject, type JsonObject } from "../json-value.ts";
import type { Store } from "../storage/store.ts";

export const issuer = "https://kubernetes.default.svc.cluster.local";
/** Whom tokens are for that name nobody else. */
export const apiAudiences: readonly string[] = [issuer];
const legacyIssuer = "kubernetes/serviceaccount";
const legacyPrefix = "kubernetes.io/serviceaccount/";

export interface ObjectReference {
  readonly name: string;
  readonly uid: string;
}

export interface TokenSubject {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly audiences: readonly string[];
  readonly lifetimeSeconds: number;
  /** When the holder should long have renewed; the token itself lives longer. */
  readonly warnAfterSeconds?: number;
  readonly bound: {
    readonly pod?: ObjectReference;
    readonly secret?: ObjectReference;
    readonly node?: ObjectReference;
  };
}

/** Not ours: `undefined`. Ours: a user with the audiences that were asked for and given, or why it is refused. */
export type TokenOutcome =
  | { readonly user: UserInfo; readonly audiences: readonly string[] }
  | { readonly error: string }
  | undefined;

const maxRemembered = 1_000;
const leewaySeconds = 60;

export class ServiceAccountTokens {
  readonly #store: Store;
  readonly #clock: Clock;
  readonly #privateKey: KeyObject;
  readonly #publicKey: KeyObject;
  readonly keyId: string;
  /** Claims of tokens with a genuine signature: checking one takes longer than all the rest of a request. */
  readonly #genuine = new Map<string, JsonObject>();

  constructor(store: Store, clock: Clock, privateKey: KeyObject) {
    this.#store = store;
    this.#clock = clock;
    this.#privateKey = privateKey;
    this.#publicKey = createPublicKey(privateKey);
    const spki = this.#publicKey.export({ type: "spki", format: "der" });
    this.keyId = createHash("sha256").update(spki).digest("base64url");
  }

  /** For `/openid/v1/jwks`. */
  publicJwk(): object {
    return { use: "sig", kid: this.keyId, alg: "ES256", ...this.#publicKey.export({ format: "jwk" }) };
  }

  issue(subject: TokenSubject): string {
    const nowSeconds = Math.floor(this.#clock.now() / 1000);
    return this.#sign({
      aud: subject.audiences,
      exp: nowSeconds + subject.lifetimeSeconds,
      iat: nowSeconds,
      iss: issuer,
      jti: randomUUID(),
      "kubernetes.io": privateClaims(subject, nowSeconds),
      nbf: nowSeconds,
      sub: `system:serviceaccount:${subject.namespace}:${subject.name}`,
    });
  }

  /** The token of a secret of type `kubernetes.io/service-account-token`: it never expires, but ends with its secret. */
  issueLegacy(account: ObjectReference & { readonly namespace: string }, secretName: string): string {
    return this.#sign({
      iss: legacyIssuer,
      [`${legacyPrefix}namespace`]: account.namespace,
      [`${legacyPrefix}secret.name`]: secretName,
      [`${legacyPrefix}service-account.name`]: account.name,
      [`${legacyPrefix}service-account.uid`]: account.uid,
      sub: `system:serviceaccount:${account.namespace}:${account.name}`,
    });
  }

  verify(token: string, audiences: readonly string[] = apiAudiences): TokenOutcome {
    const claims = this.#readGenuine(token);
    if (claims === undefined) return undefined;
    return claims.iss === legacyIssuer ? this.#checkLegacy(token, claims, audiences) : this.#check(claims, audiences);
  }

  #sign(payload: JsonObject): string {
    const signed = `${encodePart({ alg: "ES256", kid: this.keyId })}.${encodePart(payload)}`;
    const signature = sign("sha256", Buffer.from(signed), { key: this.#privateKey, dsaEncoding: "ieee-p1363" });
    return `${signed}.${signature.toString("base64url")}`;
  }

  #readGenuine(token: string): JsonObject | undefined {
    const known = this.#genuine.get(token);
    if (known !== undefined) return known;
    const [head, body, signature] = token.split(".");
    if (head === undefined || body === undefined || signature === undefined) return undefined;
    const key = { key: this.#publicKey, dsaEncoding: "ieee-p1363" } as const;
    if (!verify("sha256", Buffer.from(`${head}.${body}`), key, Buffer.from(signature, "base64url"))) return undefined;
    const claims = asObject(JSON.parse(Buffer.from(body, "base64url").toString("utf8")));
    if (this.#genuine.size >= maxRemembered) this.#genuine.delete(this.#genuine.keys().next().value ?? "");
    this.#genuine.set(token, claims);
    return claims;
  }

  #check(claims: JsonObject, audiences: readonly string[]): TokenOutcome {
    const own = asArray(claims.aud).map(asString);
    const shared = own.filter((one) => audiences.includes(one));
    if (shared.length === 0) {
      const [got, want] = [own, audiences].map((list) => `[${list.map((one) => JSON.stringify(one)).join(" ")}]`);
      return { error: `token audiences ${got} is invalid for the target audiences ${want}` };
    }
    const nowSeconds = this.#clock.now() / 1000;
    if (Number(claims.exp) <= nowSeconds) return { error: "service account token has expired" };
    if (Number(claims.nbf) > nowSeconds + leewaySeconds) return { error: "service account token is not valid yet" };
    const fault = this.#findFault(asObject(claims["kubernetes.io"]));
    return fault === undefined ? { user: userOf(claims), audiences: shared } : { error: fault };
  }

  /** Why a token that is right in itself is not valid any more. */
  #findFault(own: JsonObject): string | undefined {
    const namespace = asString(own.namespace);
    const account = asObject(own.serviceaccount);
    const fault = this.#findAccountFault(namespace, asString(account.name), asString(account.uid));
    if (fault !== undefined) return fault;
    for (const [field, resource] of boundTo(own)) {
      const bound = asObject(own[field]);
      const key = field === "node" ? asString(bound.name) : `${namespace}/${asString(bound.name)}`;
      const stored = this.#store.get(resource, key)?.object;
      if (stored === undefined) return "service account token has been invalidated";
      if (stored.metadata.uid !== bound.uid)
        return `${field} UID (${stored.metadata.uid}) does not match service account ${field} ref claim (${asString(bound.uid)})`;
    }
    return undefined;
  }

  #findAccountFault(namespace: string, name: string, uid: string): string | undefined {
    const stored = this.#store.get("serviceaccounts", `${namespace}/${name}`)?.object;
    if (stored === undefined) return `serviceaccounts ${JSON.stringify(name)} not found`;
    if (stored.metadata.uid === uid) return undefined;
    return `service account UID (${stored.metadata.uid}) does not match claim (${uid})`;
  }

  #checkLegacy(token: string, claims: JsonObject, audiences: readonly string[]): TokenOutcome {
    const shared = apiAudiences.filter((one) => audiences.includes(one));
    if (shared.length === 0) return undefined;
    const claim = (name: string) => asString(claims[`${legacyPrefix}${name}`]);
    const namespace = claim("namespace");
    const name = claim("service-account.name");
    const uid = claim("service-account.uid");
    const secret = this.#store.get("secrets", `${namespace}/${claim("secret.name")}`)?.object;
    if (secret === undefined) return { error: "service account token has been invalidated" };
    const kept = Buffer.from(asString(asObject(secret.data).token), "base64").toString("utf8");
    if (kept !== token) return { error: "Token does not match server's copy" };
    const fault = this.#findAccountFault(namespace, name, uid);
    if (fault !== undefined) return { error: fault };
    return { user: { username: asString(claims.sub), uid, groups: groupsOf(namespace) }, audiences: shared };
  }
}

/** A token of a pod names the pod's node for information; only without a pod is it bound to the node. */
function boundTo(own: JsonObject): ReadonlyArray<readonly ["pod" | "secret" | "node", string]> {
  if (isObject(own.pod)) return [["pod", "pods"]];
  if (isObject(own.secret)) return [["secret", "secrets"]];
  return isObject(own.node) ? [["node", "nodes"]] : [];
}

function privateClaims(subject: TokenSubject, nowSeconds: number): JsonObject {
  const { namespace, name, uid, bound, warnAfterSeconds } = subject;
  return {
    namespace,
    ...(bound.node === undefined ? {} : { node: withoutEmpty(bound.node) }),
    ...(bound.pod === undefined ? {} : { pod: bound.pod }),
    ...(bound.secret === undefined ? {} : { secret: bound.secret }),
    serviceaccount: { name, uid },
    ...(warnAfterSeconds === undefined ? {} : { warnafter: nowSeconds + warnAfterSeconds }),
  };
}

/** The node of a pod may be gone; its name is still told. */
function withoutEmpty({ name, uid }: ObjectReference): JsonObject {
  return uid === "" ? { name } : { name, uid };
}

export function groupsOf(namespace: string): string[] {
  return ["system:serviceaccounts", `system:serviceaccounts:${namespace}`, "system:authenticated"];
}

function userOf(claims: JsonObject): UserInfo {
  const own = asObject(claims["kubernetes.io"]);
  const extra: Record<string, string[]> = {};
  const add = (key: string, value: unknown) => {
    if (typeof value === "string" && value !== "") extra[`authentication.kubernetes.io/${key}`] = [value];
  };
  add("credential-id", `JTI=${asString(claims.jti)}`);
  add("pod-name", asObject(own.pod).name);
  add("pod-uid", asObject(own.pod).uid);
  add("node-name", asObject(own.node).name);
  add("node-uid", asObject(own.node).uid);
  const uid = asString(asObject(own.serviceaccount).uid);
  return { username: asString(claims.sub), uid, groups: groupsOf(asString(own.namespace)), extra };
}

function encodePart(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString("base64url");
}
