/** Access reviews: asking what somebody may do. */
import { expect } from "vitest";
import { allow } from "./support/allow.ts";
import { area, type Body, eventually } from "./support/conformance-case.ts";

const group = "authorization.k8s.io";
const root = `/apis/${group}/v1`;
const aReview = (kind: string, spec: object, metadata?: object) => ({
  apiVersion: `${group}/v1`,
  kind,
  ...(metadata === undefined ? {} : { metadata }),
  spec,
});
const listPods = { verb: "list", resource: "pods", namespace: "default" };
const fieldsOf = (status: Body) => (status.details.causes as { field: string }[]).map(({ field }) => field);

area("access reviews", (conformance) => {
  conformance("a SelfSubjectAccessReview answers for the caller", async ({ api }) => {
    const path = `${root}/selfsubjectaccessreviews`;
    const review = aReview("SelfSubjectAccessReview", { resourceAttributes: listPods });
    const admin = await api.post(path, review).expect(201);
    expect(admin).toMatchObject({ kind: "SelfSubjectAccessReview", spec: review.spec, status: { allowed: true } });
    const jane = await api.as({ user: "jane" }).post(path, review).expect(201);
    expect(jane.status).toEqual({ allowed: false });
  });

  conformance("the reason names binding, role and subject", async (tools) => {
    const { api, namespace, unique } = tools;
    const user = unique("user");
    const ns = await namespace();
    const rules = [{ verbs: ["list"], apiGroups: [""], resources: ["pods"] }];
    const name = await allow(tools, { subject: user, rules, namespace: ns });
    const spec = { user, resourceAttributes: { ...listPods, namespace: ns } };
    await eventually("it is allowed", async () => {
      const review = await api.post(`${root}/subjectaccessreviews`, aReview("SubjectAccessReview", spec));
      return review.body.status.allowed === true;
    });
    const review = await api.post(`${root}/subjectaccessreviews`, aReview("SubjectAccessReview", spec)).expect(201);
    expect(review.status).toEqual({
      allowed: true,
      reason: `RBAC: allowed by RoleBinding "${name}/${ns}" of Role "${name}" to User "${user}"`,
    });
  });

  conformance("groups are asked about as well as users", async (tools) => {
    const { api, unique } = tools;
    const name = unique("team");
    const subject = { kind: "Group", apiGroup: "rbac.authorization.k8s.io", name };
    await allow(tools, { subject, rules: [{ verbs: ["get"], nonResourceURLs: ["/metrics"] }] });
    const asks = { nonResourceAttributes: { verb: "get", path: "/metrics" } };
    const ask = (spec: object) => api.post(`${root}/subjectaccessreviews`, aReview("SubjectAccessReview", spec));
    await eventually("the group may", async () => (await ask({ groups: [name], ...asks })).body.status.allowed);
    expect((await ask({ user: "jane", ...asks }).expect(201)).status.allowed).toBe(false);
    const reason = (await ask({ user: "jane", groups: [name], ...asks }).expect(201)).status.reason;
    expect(reason).toMatch(
      /^RBAC: allowed by ClusterRoleBinding "granted-.*" of ClusterRole "granted-.*" to Group "team-/,
    );
  });

  conformance("subresources, names and verbs of no method can be asked about", async ({ api }) => {
    const ask = (resourceAttributes: object) =>
      api.post(
        `${root}/subjectaccessreviews`,
        aReview("SubjectAccessReview", { user: "system:kube-scheduler", resourceAttributes }),
      );
    const allowed = async (attributes: object) => (await ask(attributes).expect(201)).status.allowed;
    expect(await allowed({ verb: "create", resource: "pods", subresource: "binding", namespace: "default" })).toBe(
      true,
    );
    expect(await allowed({ verb: "create", resource: "pods", namespace: "default" })).toBe(false);
    const lease = { verb: "update", group: "coordination.k8s.io", resource: "leases", namespace: "kube-system" };
    expect(await allowed({ ...lease, name: "kube-scheduler" })).toBe(true);
    expect(await allowed({ verb: "escalate", group: "rbac.authorization.k8s.io", resource: "roles" })).toBe(false);
  });

  conformance("exactly one kind of attributes is asked about", async ({ api }) => {
    const path = `${root}/selfsubjectaccessreviews`;
    const none = await api.post(path, aReview("SelfSubjectAccessReview", {})).refuse(422, "Invalid");
    expect(fieldsOf(none)).toEqual(["spec.resourceAttributes"]);
    const both = { resourceAttributes: listPods, nonResourceAttributes: { verb: "get", path: "/" } };
    const status = await api.post(path, aReview("SelfSubjectAccessReview", both)).refuse(422, "Invalid");
    expect(fieldsOf(status)).toEqual(["spec.nonResourceAttributes"]);
    expect(status.details.causes[0].message).toContain("cannot be specified in combination with resourceAttributes");
  });

  conformance("a SubjectAccessReview names somebody", async ({ api }) => {
    const status = await api
      .post(`${root}/subjectaccessreviews`, aReview("SubjectAccessReview", { resourceAttributes: listPods }))
      .refuse(422, "Invalid");
    expect(fieldsOf(status)).toEqual(["spec.user"]);
    expect(status.details.causes[0].message).toContain("at least one of user or group must be specified");
  });

  conformance("a review has no metadata", async ({ api }) => {
    const review = aReview("SelfSubjectAccessReview", { resourceAttributes: listPods }, { labels: { a: "b" } });
    const status = await api.post(`${root}/selfsubjectaccessreviews`, review).refuse(422, "Invalid");
    expect(fieldsOf(status)).toEqual(["metadata"]);
  });

  conformance("a LocalSubjectAccessReview is about its own namespace", async ({ api, path, namespace }) => {
    const reviews = await path("localsubjectaccessreviews", `${group}/v1`);
    const ns = await namespace();
    const local = (resourceAttributes: object) =>
      aReview("LocalSubjectAccessReview", { user: "jane", resourceAttributes });
    const review = await api.post(reviews, local({ ...listPods, namespace: ns })).expect(201);
    expect(review.metadata.namespace).toBe(ns);
    expect(review.status.allowed).toBe(false);
    const elsewhere = await api.post(reviews, local(listPods)).refuse(422, "Invalid");
    expect(fieldsOf(elsewhere)).toEqual(["spec.resourceAttributes.namespace"]);
    const spec = { user: "jane", nonResourceAttributes: { verb: "get", path: "/" } };
    await api.post(reviews, aReview("LocalSubjectAccessReview", spec)).refuse(422, "Invalid");
  });

  conformance("asking for others is a right, asking for oneself everybody's", async ({ api }) => {
    const jane = api.as({ user: "jane" });
    const spec = { user: "joe", resourceAttributes: listPods };
    await jane.post(`${root}/subjectaccessreviews`, aReview("SubjectAccessReview", spec)).refuse(403, "Forbidden");
    const own = aReview("SelfSubjectAccessReview", { resourceAttributes: listPods });
    await jane.post(`${root}/selfsubjectaccessreviews`, own).expect(201);
  });

  conformance("selectors can be part of the question, in one form each", async ({ api }) => {
    const ask = (selectors: object) =>
      api.post(
        `${root}/selfsubjectaccessreviews`,
        aReview("SelfSubjectAccessReview", { resourceAttributes: { ...listPods, ...selectors } }),
      );
    const requirement = { key: "spec.nodeName", operator: "In", values: ["n1"] };
    await ask({ fieldSelector: { requirements: [requirement] }, labelSelector: { rawSelector: "a=b" } }).expect(201);
    const both = { fieldSelector: { rawSelector: "a=b", requirements: [requirement] } };
    expect(fieldsOf(await ask(both).refuse(422, "Invalid"))).toEqual([
      "spec.resourceAttributes.fieldSelector.rawSelector",
    ]);
    expect(fieldsOf(await ask({ labelSelector: {} }).refuse(422, "Invalid"))).toEqual([
      "spec.resourceAttributes.labelSelector.requirements",
    ]);
    const valueless = { fieldSelector: { requirements: [{ ...requirement, values: [] }] } };
    expect(fieldsOf(await ask(valueless).refuse(422, "Invalid"))).toEqual([
      "spec.resourceAttributes.fieldSelector.requirements[0].values",
    ]);
  });

  conformance("a SelfSubjectRulesReview lists the rules that hold in a namespace", async (tools) => {
    const { api, namespace, unique } = tools;
    const user = unique("user");
    const ns = await namespace();
    const rules = [{ verbs: ["get"], apiGroups: [""], resources: ["configmaps"], resourceNames: ["mine"] }];
    await allow(tools, { subject: user, rules, namespace: ns });
    const ask = (where: string) =>
      api.as({ user }).post(`${root}/selfsubjectrulesreviews`, aReview("SelfSubjectRulesReview", { namespace: where }));
    await eventually("the rule is listed", async () => {
      const { resourceRules } = (await ask(ns)).body.status;
      return JSON.stringify(resourceRules).includes('"mine"');
    });
    const here = (await ask(ns).expect(201)).status;
    expect(here.incomplete).toBe(false);
    expect(here.resourceRules).toContainEqual(rules[0]);
    expect(here.resourceRules).toContainEqual({
      verbs: ["create"],
      apiGroups: [group],
      resources: ["selfsubjectaccessreviews", "selfsubjectrulesreviews"],
    });
    expect(JSON.stringify(here.nonResourceRules)).toContain("/openapi/*");
    expect(JSON.stringify((await ask("default").expect(201)).status.resourceRules)).not.toContain('"mine"');
  });

  conformance("a SelfSubjectRulesReview needs a namespace", async ({ api }) => {
    await api
      .post(`${root}/selfsubjectrulesreviews`, aReview("SelfSubjectRulesReview", {}))
      .refuse(400, "BadRequest", { message: "no namespace on request" });
  });
});
