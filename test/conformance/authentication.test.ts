/** Authentication: bearer tokens, the anonymous user, and what a request learns of itself. */
import { expect } from "vitest";
import { area } from "./support/conformance-case.ts";

const selfReview = { apiVersion: "authentication.k8s.io/v1", kind: "SelfSubjectReview" };
const selfReviews = "/apis/authentication.k8s.io/v1/selfsubjectreviews";

area("authentication", (conformance) => {
  conformance("a token that nobody issued is a 401 with a Status", async ({ api }) => {
    await api
      .withToken("not-a-token")
      .get("/api/v1/namespaces")
      .refuse(401, "Unauthorized", { message: "Unauthorized" });
  });

  conformance("a token that looks like a JWT but is none of this server's is a 401", async ({ api }) => {
    const part = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
    const token = `${part({ alg: "RS256" })}.${part({ iss: "https://elsewhere.example.com", sub: "x" })}.c2ln`;
    await api.withToken(token).get("/api").refuse(401, "Unauthorized");
  });

  conformance("a wrong token is refused on paths that are open to everybody", async ({ api }) => {
    await api.withToken("not-a-token").get("/version").refuse(401, "Unauthorized");
  });

  conformance("who shows no credential is system:anonymous, who may read health and version only", async ({ api }) => {
    for (const path of ["/healthz", "/livez", "/readyz", "/version"]) await api.anonymous().get(path).expect(200);
    const status = await api.anonymous().get("/api/v1/namespaces").refuse(403, "Forbidden");
    expect(status.message).toBe(
      'namespaces is forbidden: User "system:anonymous" cannot list resource "namespaces" in API group "" at the cluster scope',
    );
    await api.anonymous().get("/apis").refuse(403, "Forbidden", {
      message: 'forbidden: User "system:anonymous" cannot get path "/apis"',
    });
  });

  conformance("an Authorization header of another scheme counts as none", async ({ api }) => {
    await api
      .anonymous()
      .get("/api", { headers: { authorization: "Basic dXNlcjpwYXNz" } })
      .refuse(403, "Forbidden", { message: 'forbidden: User "system:anonymous" cannot get path "/api"' });
  });

  conformance("a SelfSubjectReview tells user and groups", async ({ api }) => {
    const review = await api
      .as({ user: "jane", groups: ["team-a"] })
      .post(selfReviews, selfReview)
      .expect(201);
    expect(review.status.userInfo).toEqual({ username: "jane", groups: ["team-a", "system:authenticated"] });
    expect(review.metadata.creationTimestamp).toMatch(/^\d{4}-/);
  });

  conformance("a SelfSubjectReview of the anonymous user is not allowed", async ({ api }) => {
    await api.anonymous().post(selfReviews, selfReview).refuse(403, "Forbidden");
  });

  conformance("a review must be of the kind that its path names", async ({ api }) => {
    await api
      .post(selfReviews, { apiVersion: "authentication.k8s.io/v1", kind: "TokenReview" })
      .refuse(400, "BadRequest");
  });

  conformance("every answer carries an audit ID, that of the client where it sent one", async ({ api }) => {
    const own = await api.get("/version");
    expect(String(own.headers["audit-id"])).toMatch(/^[0-9a-f-]{36}$/);
    const given = await api.get("/version", { headers: { "audit-id": "my-own-audit-id" } });
    expect(given.headers["audit-id"]).toBe("my-own-audit-id");
  });

  conformance("answers are not to be cached by anybody in between", async ({ api }) => {
    expect((await api.get("/api/v1/namespaces/default")).headers["cache-control"]).toBe("no-cache, private");
    expect((await api.get("/api/v1/namespaces/no-such-namespace")).headers["cache-control"]).toBe("no-cache, private");
  });
});
