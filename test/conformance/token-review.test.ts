/** TokenReview: what a webhook or a proxy learns of a token that it was shown. */
import { expect } from "vitest";
import { area, type Body } from "./support/conformance-case.ts";

const reviews = "/apis/authentication.k8s.io/v1/tokenreviews";
const aReview = (spec: object, fields: object = {}) => ({
  apiVersion: "authentication.k8s.io/v1",
  kind: "TokenReview",
  ...fields,
  spec,
});
const tokenRequest = (spec: object = {}) => ({ apiVersion: "authentication.k8s.io/v1", kind: "TokenRequest", spec });

area("token review", (conformance) => {
  conformance("a good token is reviewed with its user and audiences", async ({ api, path, namespace }) => {
    const issued = await api.post(`${await path("serviceaccounts")}/default/token`, tokenRequest()).expect(201);
    const review: Body = await api.post(reviews, aReview({ token: issued.status.token })).expect(201);
    expect(review).toMatchObject({ kind: "TokenReview", apiVersion: "authentication.k8s.io/v1" });
    expect(review.spec.token).toBe(issued.status.token);
    expect(review.status).toMatchObject({
      authenticated: true,
      user: { username: `system:serviceaccount:${await namespace()}:default`, uid: issued.metadata.uid },
      audiences: issued.spec.audiences,
    });
    expect(review.status.error).toBeUndefined();
  });

  conformance("a bad token is an answer, not a failure", async ({ api }) => {
    const review = await api.post(reviews, aReview({ token: "not-a-token" })).expect(201);
    expect(review.status.authenticated).toBeUndefined();
    expect(review.status.error).toContain("invalid bearer token");
    expect(review.status.user).toEqual({});
  });

  conformance("a review without a token is a bad request", async ({ api }) => {
    await api.post(reviews, aReview({})).refuse(400, "BadRequest", {
      message: "token is required for TokenReview in authentication",
    });
  });

  conformance("the audiences of the answer are those that token and question share", async ({ api, path }) => {
    const audiences = ["vault", "registry", "mesh"];
    const issued = await api
      .post(`${await path("serviceaccounts")}/default/token`, tokenRequest({ audiences }))
      .expect(201);
    const asked = aReview({ token: issued.status.token, audiences: ["registry", "elsewhere", "mesh"] });
    const review = await api.post(reviews, asked).expect(201);
    expect([...review.status.audiences].sort()).toEqual(["mesh", "registry"]);
  });

  conformance("a token for others is not authenticated, and the error names both audiences", async ({ api, path }) => {
    const issued = await api
      .post(`${await path("serviceaccounts")}/default/token`, tokenRequest({ audiences: ["vault"] }))
      .expect(201);
    const review = await api.post(reviews, aReview({ token: issued.status.token, audiences: ["mesh"] })).expect(201);
    expect(review.status.authenticated).toBeUndefined();
    expect(review.status.error).toContain('token audiences ["vault"] is invalid for the target audiences ["mesh"]');
  });

  conformance("nothing is stored: there is no list, no name and no namespace", async ({ api, path }) => {
    await api.get(reviews).refuse(405, "MethodNotAllowed");
    await api
      .post(await path("tokenreviews", "authentication.k8s.io/v1"), aReview({ token: "x" }))
      .refuse(404, "NotFound");
  });

  conformance("reviewing tokens is a right of its own", async ({ api, unique, removeLater }) => {
    const user = unique("reviewer");
    await api
      .as({ user })
      .post(reviews, aReview({ token: "x" }))
      .refuse(403, "Forbidden");
    const bindings = "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings";
    await api
      .post(bindings, {
        apiVersion: "rbac.authorization.k8s.io/v1",
        kind: "ClusterRoleBinding",
        metadata: { name: user },
        roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: "system:auth-delegator" },
        subjects: [{ kind: "User", apiGroup: "rbac.authorization.k8s.io", name: user }],
      })
      .expect(201);
    removeLater(`${bindings}/${user}`);
    await untilAllowed(() => api.as({ user }).post(reviews, aReview({ token: "x" })));
  });
});

/** Servers learn of a binding a moment after it is written. */
async function untilAllowed(ask: () => PromiseLike<{ status: number }>): Promise<void> {
  const deadline = Date.now() + 10_000;
  while ((await ask()).status === 403) {
    if (Date.now() > deadline) throw new Error("still forbidden after 10 s");
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
