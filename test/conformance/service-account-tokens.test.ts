/** Tokens of service accounts: requests for them, their claims, and when they end. */
import { expect } from "vitest";
import type { ConformanceApi } from "./support/api.ts";
import { area, type Body } from "./support/conformance-case.ts";

const tokenRequest = (spec: object = {}, metadata: object = {}) => ({
  apiVersion: "authentication.k8s.io/v1",
  kind: "TokenRequest",
  metadata,
  spec,
});
const tokenReviews = "/apis/authentication.k8s.io/v1/tokenreviews";
const aPod = (name: string, account = "default") => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name },
  spec: { serviceAccountName: account, containers: [{ name: "main", image: "registry.example.com/app:1" }] },
});

function claimsOf(token: string): Body {
  return JSON.parse(Buffer.from(token.split(".")[1] ?? "", "base64url").toString());
}

async function review(api: ConformanceApi, token: string, audiences?: readonly string[]): Promise<Body> {
  const spec = audiences === undefined ? { token } : { token, audiences };
  const body = { apiVersion: "authentication.k8s.io/v1", kind: "TokenReview", spec };
  return (await api.post(tokenReviews, body).expect(201)).status;
}

area("service account tokens", (conformance) => {
  conformance(
    "a token authenticates as its account with the groups of its namespace",
    async ({ api, path, namespace }) => {
      const issued = await api.post(`${await path("serviceaccounts")}/default/token`, tokenRequest()).expect(201);
      const ns = await namespace();
      const self = await api
        .withToken(issued.status.token)
        .post("/apis/authentication.k8s.io/v1/selfsubjectreviews", {
          apiVersion: "authentication.k8s.io/v1",
          kind: "SelfSubjectReview",
        })
        .expect(201);
      expect(self.status.userInfo).toMatchObject({
        username: `system:serviceaccount:${ns}:default`,
        uid: issued.metadata.uid,
        groups: ["system:serviceaccounts", `system:serviceaccounts:${ns}`, "system:authenticated"],
        extra: { "authentication.kubernetes.io/credential-id": [`JTI=${claimsOf(issued.status.token).jti}`] },
      });
    },
  );

  conformance("the claims name issuer, subject, audience, lifetime and account", async ({ api, path, namespace }) => {
    const accounts = await path("serviceaccounts");
    const account = await api.get(`${accounts}/default`).expect(200);
    const spec = { audiences: ["vault", "other"], expirationSeconds: 700 };
    const issued = await api.post(`${accounts}/default/token`, tokenRequest(spec)).expect(201);
    const claims = claimsOf(issued.status.token);
    const ns = await namespace();
    expect(claims).toMatchObject({
      aud: ["vault", "other"],
      sub: `system:serviceaccount:${ns}:default`,
      iss: expect.stringMatching(/^https:/),
      jti: expect.any(String),
      "kubernetes.io": { namespace: ns, serviceaccount: { name: "default", uid: account.metadata.uid } },
    });
    expect(claims.exp - claims.iat).toBe(700);
    expect(claims.nbf).toBe(claims.iat);
    expect(issued.spec).toMatchObject(spec);
    const untilMs = Date.parse(issued.status.expirationTimestamp);
    expect(Math.abs(untilMs - claims.exp * 1000)).toBeLessThanOrEqual(2_000);
  });

  conformance("without audience and lifetime it is for this server and an hour", async ({ api, path }) => {
    const issued = await api.post(`${await path("serviceaccounts")}/default/token`, tokenRequest()).expect(201);
    expect(issued.spec.expirationSeconds).toBe(3600);
    expect(issued.spec.audiences).toEqual(claimsOf(issued.status.token).aud);
    expect(issued.spec.audiences.length).toBeGreaterThan(0);
  });

  conformance("less than ten minutes and more than 2^32 seconds are refused", async ({ api, path }) => {
    const tokens = `${await path("serviceaccounts")}/default/token`;
    const short = await api.post(tokens, tokenRequest({ expirationSeconds: 599 })).refuse(422, "Invalid");
    expect(short.details.causes).toMatchObject([
      {
        field: "spec.expirationSeconds",
        reason: "FieldValueInvalid",
        message: "Invalid value: 599: may not specify a duration less than 10 minutes",
      },
    ]);
    await api.post(tokens, tokenRequest({ expirationSeconds: 2 ** 32 + 1 })).refuse(422, "Invalid");
    await api.post(tokens, tokenRequest({ expirationSeconds: 600 })).expect(201);
  });

  conformance("an account that does not exist has no tokens", async ({ api, path }) => {
    await api
      .post(`${await path("serviceaccounts")}/nobody/token`, tokenRequest())
      .refuse(404, "NotFound", { message: 'serviceaccounts "nobody" not found' });
  });

  conformance("name, namespace and UID of a request must be those of the account", async ({ api, path }) => {
    const tokens = `${await path("serviceaccounts")}/default/token`;
    await api.post(tokens, tokenRequest({}, { name: "other" })).refuse(422, "Invalid");
    await api.post(tokens, tokenRequest({}, { uid: "00000000-0000-0000-0000-000000000000" })).refuse(409, "Conflict");
  });

  conformance("a token for another audience does not open this server", async ({ api, path }) => {
    const issued = await api
      .post(`${await path("serviceaccounts")}/default/token`, tokenRequest({ audiences: ["vault"] }))
      .expect(201);
    await api.withToken(issued.status.token).get("/api").refuse(401, "Unauthorized");
    expect(await review(api, issued.status.token, ["vault"])).toMatchObject({
      authenticated: true,
      audiences: ["vault"],
    });
  });

  conformance("a token of a pod names the pod, and binds only to a pod of the account", async ({ api, path }) => {
    const accounts = await path("serviceaccounts");
    await api.post(accounts, { apiVersion: "v1", kind: "ServiceAccount", metadata: { name: "builder" } }).expect(201);
    const pod = await api.post(await path("pods"), aPod("holder", "builder")).expect(201);
    const ref = { kind: "Pod", apiVersion: "v1", name: "holder", uid: pod.metadata.uid };
    const issued = await api.post(`${accounts}/builder/token`, tokenRequest({ boundObjectRef: ref })).expect(201);
    expect(claimsOf(issued.status.token)["kubernetes.io"].pod).toEqual({ name: "holder", uid: pod.metadata.uid });
    expect((await review(api, issued.status.token)).user.extra).toMatchObject({
      "authentication.kubernetes.io/pod-name": ["holder"],
      "authentication.kubernetes.io/pod-uid": [pod.metadata.uid],
    });
    const status = await api
      .post(`${accounts}/default/token`, tokenRequest({ boundObjectRef: ref }))
      .refuse(400, "BadRequest");
    expect(status.message).toBe(
      'cannot bind token for serviceaccount "default" to pod running with different serviceaccount name.',
    );
  });

  conformance("a bound object must exist under the UID that the request names", async ({ api, path }) => {
    const tokens = `${await path("serviceaccounts")}/default/token`;
    const ref = (fields: object) => tokenRequest({ boundObjectRef: { apiVersion: "v1", name: "gone", ...fields } });
    await api.post(tokens, ref({ kind: "Secret" })).refuse(404, "NotFound", { message: 'secrets "gone" not found' });
    await api.post(tokens, ref({ kind: "ConfigMap" })).refuse(400, "BadRequest");
    await api.post(await path("pods"), aPod("gone")).expect(201);
    const uid = "00000000-0000-0000-0000-000000000000";
    await api.post(tokens, ref({ kind: "Pod", uid })).refuse(409, "Conflict");
  });

  conformance("a token bound to a secret ends with the secret", async ({ api, path }) => {
    const secrets = await path("secrets");
    await api.post(secrets, { apiVersion: "v1", kind: "Secret", metadata: { name: "holder" } }).expect(201);
    const boundObjectRef = { kind: "Secret", apiVersion: "v1", name: "holder" };
    const issued = await api
      .post(`${await path("serviceaccounts")}/default/token`, tokenRequest({ boundObjectRef }))
      .expect(201);
    expect(claimsOf(issued.status.token)["kubernetes.io"].secret.name).toBe("holder");
    await api.delete(`${secrets}/holder`).expect(200);
    await untilRefused(api, issued.status.token);
    expect((await review(api, issued.status.token)).error).toContain("service account token has been invalidated");
  });

  conformance("a token bound to a node names the node and ends with it", async ({ api, path, unique }) => {
    const name = unique("node");
    await api.post("/api/v1/nodes", { apiVersion: "v1", kind: "Node", metadata: { name } }).expect(201);
    const boundObjectRef = { kind: "Node", apiVersion: "v1", name };
    const issued = await api
      .post(`${await path("serviceaccounts")}/default/token`, tokenRequest({ boundObjectRef }))
      .expect(201);
    expect((await review(api, issued.status.token)).user.extra).toMatchObject({
      "authentication.kubernetes.io/node-name": [name],
    });
    await api.delete(`/api/v1/nodes/${name}`).expect(200);
    await untilRefused(api, issued.status.token);
  });

  conformance("every token ends with its account, and a namesake does not bring it back", async ({ api, path }) => {
    const accounts = await path("serviceaccounts");
    const account = { apiVersion: "v1", kind: "ServiceAccount", metadata: { name: "shortlived" } };
    await api.post(accounts, account).expect(201);
    const issued = await api.post(`${accounts}/shortlived/token`, tokenRequest()).expect(201);
    expect((await review(api, issued.status.token)).authenticated).toBe(true);
    await api.delete(`${accounts}/shortlived`).expect(200);
    await api.post(accounts, account).expect(201);
    await untilRefused(api, issued.status.token);
  });

  conformance("a token whose claims were changed is none", async ({ api, path }) => {
    const issued = await api.post(`${await path("serviceaccounts")}/default/token`, tokenRequest()).expect(201);
    const [head, , signature] = issued.status.token.split(".");
    const forged = { ...claimsOf(issued.status.token), sub: "system:serviceaccount:kube-system:default" };
    const body = Buffer.from(JSON.stringify(forged)).toString("base64url");
    await api.withToken(`${head}.${body}.${signature}`).get("/api").refuse(401, "Unauthorized");
  });

  conformance("the issuer publishes its keys to service accounts", async ({ api, path }) => {
    const issued = await api.post(`${await path("serviceaccounts")}/default/token`, tokenRequest()).expect(201);
    const account = api.withToken(issued.status.token);
    const document = await account.get("/.well-known/openid-configuration").expect(200);
    expect(document).toMatchObject({
      issuer: claimsOf(issued.status.token).iss,
      jwks_uri: expect.stringMatching(/\/openid\/v1\/jwks$/),
      response_types_supported: ["id_token"],
      subject_types_supported: ["public"],
    });
    const keys = await account.get("/openid/v1/jwks");
    expect(keys.status).toBe(200);
    expect(keys.headers["content-type"]).toBe("application/jwk-set+json");
    const head = JSON.parse(Buffer.from(issued.status.token.split(".")[0], "base64url").toString());
    const published = JSON.parse(String(keys.body)).keys as { kid: string; alg: string }[];
    expect(published.map(({ kid, alg }) => ({ kid, alg }))).toContainEqual({ kid: head.kid, alg: head.alg });
    await api.as({ user: "jane" }).get("/openid/v1/jwks").refuse(403, "Forbidden");
  });
});

/** Servers may remember for some seconds that a token was good. */
async function untilRefused(api: ConformanceApi, token: string): Promise<void> {
  const deadline = Date.now() + 30_000;
  while ((await review(api, token)).authenticated === true) {
    if (Date.now() > deadline) throw new Error("the token is still good after 30 s");
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
