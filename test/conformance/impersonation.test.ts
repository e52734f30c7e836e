/** Impersonation: acting as somebody else, and the rights that it takes. */
import { expect } from "vitest";
import { allow } from "./support/allow.ts";
import { area, eventually } from "./support/conformance-case.ts";

const selfReviews = "/apis/authentication.k8s.io/v1/selfsubjectreviews";
const selfReview = { apiVersion: "authentication.k8s.io/v1", kind: "SelfSubjectReview" };
const impersonateRule = (resources: string[], resourceNames?: string[]) => ({
  verbs: ["impersonate"],
  apiGroups: ["", "authentication.k8s.io"],
  resources,
  ...(resourceNames === undefined ? {} : { resourceNames }),
});

area("impersonation", (conformance) => {
  conformance("the request is made as the user that the headers name", async ({ api }) => {
    const headers = {
      "impersonate-user": "jane",
      "impersonate-uid": "some-uid",
      "impersonate-extra-scopes": "view",
      "impersonate-extra-acme.com%2Fproject": "one",
    };
    const review = await api.post(selfReviews, selfReview, { headers }).expect(201);
    expect(review.status.userInfo).toEqual({
      username: "jane",
      uid: "some-uid",
      groups: ["system:authenticated"],
      extra: { scopes: ["view"], "acme.com/project": ["one"] },
    });
  });

  conformance("named groups are the groups, with system:authenticated added", async ({ api }) => {
    const review = await api
      .as({ user: "jane", groups: ["a", "b"] })
      .post(selfReviews, selfReview)
      .expect(201);
    expect(review.status.userInfo.groups).toEqual(["a", "b", "system:authenticated"]);
  });

  conformance("a service account has the groups of its namespace where none are named", async ({ api }) => {
    const user = "system:serviceaccount:default:builder";
    const plain = await api.as({ user }).post(selfReviews, selfReview).expect(201);
    expect(plain.status.userInfo).toEqual({
      username: user,
      groups: ["system:serviceaccounts", "system:serviceaccounts:default", "system:authenticated"],
    });
    const named = await api
      .as({ user, groups: ["only"] })
      .post(selfReviews, selfReview)
      .expect(201);
    expect(named.status.userInfo.groups).toEqual(["only", "system:authenticated"]);
  });

  conformance("the anonymous user is unauthenticated", async ({ api }) => {
    const status = await api.as({ user: "system:anonymous" }).post(selfReviews, selfReview).refuse(403, "Forbidden");
    expect(status.message).toContain('User "system:anonymous" cannot create resource "selfsubjectreviews"');
    await api.as({ user: "system:anonymous" }).get("/version").expect(200);
    await api.as({ user: "system:anonymous" }).get("/api").refuse(403, "Forbidden");
  });

  conformance("groups, UID or extra without a user are a bad request", async ({ api }) => {
    for (const header of ["impersonate-group", "impersonate-uid", "impersonate-extra-scopes"])
      await api.get("/api", { headers: { [header]: "x" } }).refuse(400, "BadRequest");
  });

  conformance("the impersonated user's rights count, not those of who impersonates", async ({ api, path }) => {
    await api
      .as({ user: "jane" })
      .get(await path("secrets"))
      .refuse(403, "Forbidden");
    await api
      .as({ user: "jane", groups: ["system:masters"] })
      .get(await path("secrets"))
      .expect(200);
  });

  conformance("who holds no right to it cannot impersonate", async (tools) => {
    const { api, unique } = tools;
    const token = await tokenWith(tools, unique("account"), []);
    const status = await api
      .withToken(token)
      .get("/api", { headers: { "impersonate-user": "jane" } })
      .refuse(403, "Forbidden");
    expect(status.message).toContain("cannot impersonate");
  });

  conformance("the right may be confined to names of users and groups", async (tools) => {
    const { api, unique } = tools;
    const token = await tokenWith(tools, unique("account"), [
      impersonateRule(["users"], ["jane"]),
      impersonateRule(["groups"], ["team-a"]),
    ]);
    const as = (headers: Record<string, string>) => api.withToken(token).post(selfReviews, selfReview, { headers });
    await eventually("jane", async () => (await as({ "impersonate-user": "jane" })).status === 201);
    await as({ "impersonate-user": "jane", "impersonate-group": "team-a" }).expect(201);
    await as({ "impersonate-user": "joe" }).refuse(403, "Forbidden");
    await as({ "impersonate-user": "jane", "impersonate-group": "team-b" }).refuse(403, "Forbidden");
    await as({ "impersonate-user": "jane", "impersonate-group": "system:masters" }).refuse(403, "Forbidden");
    await as({ "impersonate-user": "jane", "impersonate-uid": "x" }).refuse(403, "Forbidden");
    await as({ "impersonate-user": "jane", "impersonate-extra-scopes": "x" }).refuse(403, "Forbidden");
  });

  conformance("extra values are rights by their key", async (tools) => {
    const { api, unique } = tools;
    const token = await tokenWith(tools, unique("account"), [
      impersonateRule(["users"], ["jane"]),
      impersonateRule(["userextras/scopes"], ["view"]),
      impersonateRule(["uids"], ["one"]),
    ]);
    const as = (headers: Record<string, string>) =>
      api.withToken(token).post(selfReviews, selfReview, { headers: { "impersonate-user": "jane", ...headers } });
    await eventually("view", async () => (await as({ "impersonate-extra-scopes": "view" })).status === 201);
    await as({ "impersonate-extra-scopes": "edit" }).refuse(403, "Forbidden");
    await as({ "impersonate-extra-other": "view" }).refuse(403, "Forbidden");
    await as({ "impersonate-uid": "one" }).expect(201);
  });

  conformance("impersonating a service account is a right in its namespace", async (tools) => {
    const { api, namespace, unique } = tools;
    const ns = await namespace();
    const account = unique("account");
    const token = await tokenWith(tools, account, []);
    const subject = { kind: "ServiceAccount", name: account, namespace: ns };
    await allow(tools, { subject, rules: [impersonateRule(["serviceaccounts"], ["default"])], namespace: ns });
    const as = (user: string) =>
      api.withToken(token).post(selfReviews, selfReview, { headers: { "impersonate-user": user } });
    await eventually("default", async () => (await as(`system:serviceaccount:${ns}:default`)).status === 201);
    await as("system:serviceaccount:kube-system:default").refuse(403, "Forbidden");
    await as(`system:serviceaccount:${ns}:other`).refuse(403, "Forbidden");
  });
});

/** A token of a fresh account that holds these rules in the whole cluster. */
async function tokenWith(
  tools: Parameters<typeof allow>[0],
  account: string,
  rules: readonly object[],
): Promise<string> {
  const { api, path, namespace } = tools;
  const accounts = await path("serviceaccounts");
  await api.post(accounts, { apiVersion: "v1", kind: "ServiceAccount", metadata: { name: account } }).expect(201);
  const subject = { kind: "ServiceAccount", name: account, namespace: await namespace() };
  if (rules.length > 0) await allow(tools, { subject, rules });
  const request = { apiVersion: "authentication.k8s.io/v1", kind: "TokenRequest", spec: {} };
  return (await api.post(`${accounts}/${account}/token`, request).expect(201)).status.token;
}
