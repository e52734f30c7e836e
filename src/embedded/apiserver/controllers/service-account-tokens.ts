/**
 * Service account tokens: signed when a TokenRequest asks for one, and checked against the account (and the pod or
 * secret they are bound to) each time they are shown. JWTs under ES256, with the claims that Kubernetes gives.
 */
import { createHash, randomUUID, webcrypto } from "node:crypto";
import type { Clock } from "../../../base/clock.ts";
import type { UserInfo } from "../authorization/user-info.ts";
import { asArray, asObject, asString, isObject, type JsonObject, valueAt } from "../json-value.ts";
import type { Store } from "../storage/store.ts";

export const tokenSigning = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
export const defaultAudience = "https://kubernetes.default.svc.cluster.local";

export interface TokenSubject {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly audiences: readonly string[];
  readonly lifetimeSeconds: number;
  readonly boundObject?: { readonly kind: string; readonly name: string; readonly uid: string };
}

export class ServiceAccountTokens {
  readonly #store: Store;
  readonly #clock: Clock;
  readonly #keys: webcrypto.CryptoKeyPair;
  readonly #keyId: string;

  private constructor(store: Store, clock: Clock, keys: webcrypto.CryptoKeyPair, keyId: string) {
    this.#store = store;
    this.#clock = clock;
    this.#keys = keys;
    this.#keyId = keyId;
  }

  static async create(store: Store, clock: Clock, keys: webcrypto.CryptoKeyPair): Promise<ServiceAccountTokens> {
    const spki = await webcrypto.subtle.exportKey("spki", keys.publicKey);
    const keyId = createHash("sha256").update(Buffer.from(spki)).digest("base64url");
    return new ServiceAccountTokens(store, clock, keys, keyId);
  }

  async issue(subject: TokenSubject): Promise<{ token: string; expiresAtMs: number }> {
    const nowSeconds = Math.floor(this.#clock.now() / 1000);
    const expiry = nowSeconds + subject.lifetimeSeconds;
    const payload = {
      aud: subject.audiences,
      exp: expiry,
      iat: nowSeconds,
      nbf: nowSeconds,
      iss: defaultAudience,
      jti: randomUUID(),
      sub: `system:serviceaccount:${subject.namespace}:${subject.name}`,
      "kubernetes.io": privateClaims(subject),
    };
    const head = encodePart({ alg: "ES256", kid: this.#keyId });
    const signed = `${head}.${encodePart(payload)}`;
    const signature = await webcrypto.subtle.sign(tokenSigning, this.#keys.privateKey, Buffer.from(signed));
    return { token: `${signed}.${Buffer.from(signature).toString("base64url")}`, expiresAtMs: expiry * 1000 };
  }

  /** Undefined for a token that is not ours, has expired, or whose account or bound object is gone. */
  async verify(token: string, audiences: readonly string[] = [defaultAudience]): Promise<UserInfo | undefined> {
    const [head, body, signature] = token.split(".");
    if (head === undefined || body === undefined || signature === undefined) return undefined;
    const bytes = Buffer.from(signature, "base64url");
    const genuine = await webcrypto.subtle.verify(
      tokenSigning,
      this.#keys.publicKey,
      bytes,
      Buffer.from(`${head}.${body}`),
    );
    return genuine ? this.#check(decodePart(body), audiences) : undefined;
  }

  #check(claims: JsonObject, audiences: readonly string[]): UserInfo | undefined {
    const now = this.#clock.now() / 1000;
    if (Number(claims.exp) <= now || !asArray(claims.aud).some((one) => audiences.includes(asString(one))))
      return undefined;
    const own = asObject(claims["kubernetes.io"]);
    const namespace = asString(own.namespace);
    const account = asObject(own.serviceaccount);
    const name = asString(account.name);
    const stored = this.#store.get("serviceaccounts", `${namespace}/${name}`);
    if (stored?.object.metadata.uid !== account.uid || !this.#boundExists(namespace, own)) return undefined;
    return serviceAccountUser({ namespace, name, uid: asString(account.uid), pod: asObject(own.pod) });
  }

  #boundExists(namespace: string, claims: JsonObject): boolean {
    for (const [field, resource] of [
      ["pod", "pods"],
      ["secret", "secrets"],
    ] as const) {
      const bound = claims[field];
      if (!isObject(bound)) continue;
      const stored = this.#store.get(resource, `${namespace}/${asString(bound.name)}`);
      if (stored?.object.metadata.uid !== bound.uid) return false;
    }
    return true;
  }
}

function privateClaims(subject: TokenSubject): JsonObject {
  const { namespace, name, uid, boundObject } = subject;
  const bound =
    boundObject === undefined
      ? {}
      : { [boundObject.kind.toLowerCase()]: { name: boundObject.name, uid: boundObject.uid } };
  return { namespace, serviceaccount: { name, uid }, ...bound };
}

function serviceAccountUser(of: { namespace: string; name: string; uid: string; pod: JsonObject }): UserInfo {
  const groups = ["system:serviceaccounts", `system:serviceaccounts:${of.namespace}`, "system:authenticated"];
  const podName = valueAt(of.pod, ["name"]);
  const extra = typeof podName === "string" ? { "authentication.kubernetes.io/pod-name": [podName] } : {};
  return { username: `system:serviceaccount:${of.namespace}:${of.name}`, uid: of.uid, groups, extra };
}

function encodePart(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString("base64url");
}

function decodePart(text: string): JsonObject {
  return asObject(JSON.parse(Buffer.from(text, "base64url").toString("utf8")));
}
