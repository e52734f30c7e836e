/** RBAC objects: their validation, what may not change, the default roles, and that nobody grants more than they hold. */
import { expect } from "vitest";
import { allow } from "./support/allow.ts";
import { area, type Body, type CaseTools, eventually } from "./support/conformance-case.ts";

const group = "rbac.authorization.k8s.io";
const root = `/apis/${group}/v1`;
const aRole = (name: string, rules: readonly object[]) => ({
  apiVersion: `${group}/v1`,
  kind: "Role",
  metadata: { name },
  rules,
});
const aBinding = (name: string, fields: object = {}) => ({
  apiVersion: `${group}/v1`,
  kind: "RoleBinding",
  metadata: { name },
  roleRef: { apiGroup: group, kind: "Role", name: "some-role" },
  subjects: [{ kind: "User", apiGroup: group, name: "jane" }],
  ...fields,
});
const causesOf = (status: Body) =>
  (status.details.causes as { field: string; message: string }[]).map(({ field, message }) => `${field}: ${message}`);
const readPods = { verbs: ["get"], apiGroups: [""], resources: ["pods"] };

/** A user who may write roles and bindings in the case's namespace, and do what `rules` say. */
async function roleWriter(tools: CaseTools, rules: readonly object[]): Promise<string> {
  const user = tools.unique("writer");
  const verbs = ["get", "list", "create", "update", "patch"];
  const write = { verbs, apiGroups: [group], resources: ["roles", "rolebindings"] };
  await allow(tools, { subject: user, rules: [write, ...rules], namespace: await tools.namespace() });
  const roles = await tools.path("roles", `${group}/v1`);
  await eventually("roles can be listed", async () => (await tools.api.as({ user }).get(roles)).status === 200);
  return user;
}

area("rbac: objects", (conformance) => {
  conformance("a rule needs verbs, groups and resources", async ({ api, path }) => {
    const status = await api
      .post(await path("roles", `${group}/v1`), aRole("empty", [{ verbs: [] }]))
      .refuse(422, "Invalid");
    expect(causesOf(status)).toEqual([
      "rules[0].verbs: Required value: verbs must contain at least one value",
      "rules[0].apiGroups: Required value: resource rules must supply at least one api group",
      "rules[0].resources: Required value: resource rules must supply at least one resource",
    ]);
  });

  conformance("paths belong to cluster roles, and not beside resources", async ({ api, path, unique }) => {
    const url = { verbs: ["get"], nonResourceURLs: ["/metrics"] };
    const inRole = await api.post(await path("roles", `${group}/v1`), aRole("urls", [url])).refuse(422, "Invalid");
    expect(causesOf(inRole)[0]).toContain("namespaced rules cannot apply to non-resource URLs");
    const mixed = { ...aRole(unique("mixed"), [{ ...url, ...readPods }]), kind: "ClusterRole" };
    const status = await api.post(`${root}/clusterroles`, mixed).refuse(422, "Invalid");
    expect(causesOf(status)[0]).toContain("rules cannot apply to both regular resources and non-resource URLs");
  });

  conformance("a role reference has a group, a kind and a name", async ({ api, path }) => {
    const bindings = await path("rolebindings", `${group}/v1`);
    const roleRef = { apiGroup: group, kind: "Deployment", name: "" };
    const status = await api.post(bindings, aBinding("b", { roleRef })).refuse(422, "Invalid");
    expect(causesOf(status)).toEqual([
      'roleRef.kind: Unsupported value: "Deployment": supported values: "Role", "ClusterRole"',
      "roleRef.name: Required value",
    ]);
  });

  conformance("a cluster role binding refers to cluster roles only", async ({ api, unique }) => {
    const binding = { ...aBinding(unique("b")), kind: "ClusterRoleBinding" };
    const status = await api.post(`${root}/clusterrolebindings`, binding).refuse(422, "Invalid");
    expect(causesOf(status)[0]).toBe('roleRef.kind: Unsupported value: "Role": supported values: "ClusterRole"');
  });

  conformance("subjects are users, groups and service accounts with a namespace", async ({ api, path, unique }) => {
    const bindings = await path("rolebindings", `${group}/v1`);
    const subjects = [
      { kind: "Robot", apiGroup: group, name: "x" },
      { kind: "User", apiGroup: "", name: "" },
      { kind: "ServiceAccount", apiGroup: group, name: "x" },
    ];
    const status = await api.post(bindings, aBinding("b", { subjects })).refuse(422, "Invalid");
    expect(causesOf(status)).toEqual([
      'subjects[0].kind: Unsupported value: "Robot": supported values: "ServiceAccount", "User", "Group"',
      "subjects[1].name: Required value",
      'subjects[2].apiGroup: Unsupported value: "rbac.authorization.k8s.io": supported values: ""',
    ]);
    const clusterWide = {
      ...aBinding(unique("b"), { roleRef: { apiGroup: group, kind: "ClusterRole", name: "view" } }),
      kind: "ClusterRoleBinding",
      subjects: [{ kind: "ServiceAccount", name: "x" }],
    };
    const cluster = await api.post(`${root}/clusterrolebindings`, clusterWide).refuse(422, "Invalid");
    expect(causesOf(cluster)).toEqual(["subjects[0].namespace: Required value"]);
  });

  conformance("the API group of role and subjects is filled in", async ({ api, path }) => {
    const made = await api
      .post(
        await path("rolebindings", `${group}/v1`),
        aBinding("b", {
          roleRef: { kind: "Role", name: "some-role" },
          subjects: [
            { kind: "User", name: "jane" },
            { kind: "ServiceAccount", name: "x", namespace: "default" },
          ],
        }),
      )
      .expect(201);
    expect(made.roleRef.apiGroup).toBe(group);
    expect(made.subjects).toEqual([
      { kind: "User", apiGroup: group, name: "jane" },
      { kind: "ServiceAccount", name: "x", namespace: "default" },
    ]);
  });

  conformance("a role reference never changes", async ({ api, path }) => {
    const bindings = await path("rolebindings", `${group}/v1`);
    const made = await api.post(bindings, aBinding("b")).expect(201);
    const status = await api
      .put(`${bindings}/b`, { ...made, roleRef: { ...made.roleRef, name: "another" } })
      .refuse(422, "Invalid");
    expect(causesOf(status)[0]).toMatch(/^roleRef: Invalid value: .*: cannot change roleRef$/);
    await api.put(`${bindings}/b`, { ...made, subjects: [] }).expect(200);
  });

  conformance("names may hold what a path segment may", async ({ api, path }) => {
    const roles = await path("roles", `${group}/v1`);
    await api.post(roles, aRole("Team A:readers", [readPods])).expect(201);
    await api.get(`${roles}/Team%20A:readers`).expect(200);
    await api.post(roles, aRole("a/b", [readPods])).refuse(422, "Invalid");
  });

  conformance("the default roles are there, marked for reconciliation", async ({ api }) => {
    const names = ["cluster-admin", "admin", "edit", "view", "system:discovery", "system:basic-user", "system:node"];
    for (const name of [...names, "system:public-info-viewer", "system:kube-scheduler", "system:auth-delegator"]) {
      const role = await api.get(`${root}/clusterroles/${name}`).expect(200);
      expect(role.metadata.labels["kubernetes.io/bootstrapping"]).toBe("rbac-defaults");
      expect(role.metadata.annotations["rbac.authorization.kubernetes.io/autoupdate"]).toBe("true");
    }
    const admin = await api.get(`${root}/clusterroles/cluster-admin`).expect(200);
    expect(admin.rules).toEqual([
      { verbs: ["*"], apiGroups: ["*"], resources: ["*"] },
      { verbs: ["*"], nonResourceURLs: ["*"] },
    ]);
  });

  conformance("the default bindings give discovery to the authenticated and all to system:masters", async ({ api }) => {
    const binding = await api.get(`${root}/clusterrolebindings/system:discovery`).expect(200);
    expect(binding.roleRef).toEqual({ apiGroup: group, kind: "ClusterRole", name: "system:discovery" });
    expect(binding.subjects).toEqual([{ kind: "Group", apiGroup: group, name: "system:authenticated" }]);
    const masters = await api.get(`${root}/clusterrolebindings/cluster-admin`).expect(200);
    expect(masters.subjects).toEqual([{ kind: "Group", apiGroup: group, name: "system:masters" }]);
  });

  conformance("the roles for people collect others by label", async ({ api }) => {
    const edit = await api.get(`${root}/clusterroles/edit`).expect(200);
    expect(edit.metadata.labels[`${group}/aggregate-to-admin`]).toBe("true");
    expect(edit.aggregationRule.clusterRoleSelectors).toEqual([
      { matchLabels: { [`${group}/aggregate-to-edit`]: "true" } },
    ]);
    const view = await api.get(`${root}/clusterroles/system:aggregate-to-view`).expect(200);
    expect(JSON.stringify(view.rules)).not.toContain('"secrets"');
  });

  conformance("the role of each controller is bound to its service account", async ({ api }) => {
    const name = "system:controller:deployment-controller";
    const role = await api.get(`${root}/clusterroles/${name}`).expect(200);
    expect(role.rules).toContainEqual({
      verbs: ["create", "delete", "get", "list", "patch", "update", "watch"].sort(),
      apiGroups: ["apps", "extensions"],
      resources: ["replicasets"],
    });
    const binding = await api.get(`${root}/clusterrolebindings/${name}`).expect(200);
    expect(binding.subjects).toEqual([
      { kind: "ServiceAccount", name: "deployment-controller", namespace: "kube-system" },
    ]);
  });

  conformance("nobody makes a role with rights that they do not hold", async (tools) => {
    const { api, path } = tools;
    const user = await roleWriter(tools, [readPods]);
    const roles = await path("roles", `${group}/v1`);
    await api
      .as({ user })
      .post(roles, aRole("held", [readPods]))
      .expect(201);
    const more = [{ verbs: ["get", "list"], apiGroups: ["", "apps"], resources: ["pods", "deployments"] }];
    const status = await api.as({ user }).post(roles, aRole("more", more)).refuse(403, "Forbidden");
    expect(status.message).toBe(
      [
        `roles.${group} "more" is forbidden: user "${user}" (groups=["system:authenticated"]) is attempting to grant RBAC permissions not currently held:`,
        '{APIGroups:[""], Resources:["deployments"], Verbs:["get" "list"]}',
        '{APIGroups:[""], Resources:["pods"], Verbs:["list"]}',
        '{APIGroups:["apps"], Resources:["deployments"], Verbs:["get" "list"]}',
        '{APIGroups:["apps"], Resources:["pods"], Verbs:["get" "list"]}',
      ].join("\n"),
    );
  });

  conformance("nobody changes a role to more than they hold", async (tools) => {
    const { api, path } = tools;
    const user = await roleWriter(tools, [readPods]);
    const roles = await path("roles", `${group}/v1`);
    await api.post(roles, aRole("grown", [readPods])).expect(201);
    const rules = [{ ...readPods, verbs: ["get", "delete"] }];
    await api.as({ user }).patch(`${roles}/grown`, "merge", { rules }).refuse(403, "Forbidden");
    await api
      .as({ user })
      .patch(`${roles}/grown`, "merge", { metadata: { labels: { a: "b" } } })
      .expect(200);
  });

  conformance("who may escalate roles makes them as they like", async (tools) => {
    const { api, path } = tools;
    const escalate = { verbs: ["escalate"], apiGroups: [group], resources: ["roles"] };
    const user = await roleWriter(tools, [escalate]);
    const roles = await path("roles", `${group}/v1`);
    await api
      .as({ user })
      .post(roles, aRole("any", [{ verbs: ["*"], apiGroups: ["*"], resources: ["*"] }]))
      .expect(201);
  });

  conformance("nobody binds a role with rights that they do not hold, unless they may bind it", async (tools) => {
    const { api, path, namespace, unique } = tools;
    const user = unique("binder");
    const bindings = await path("rolebindings", `${group}/v1`);
    const roles = await path("roles", `${group}/v1`);
    const write = { verbs: ["get", "create", "update"], apiGroups: [group], resources: ["rolebindings"] };
    const bind = { verbs: ["bind"], apiGroups: [group], resources: ["roles"], resourceNames: ["bindable"] };
    await allow(tools, { subject: user, rules: [write, bind, readPods], namespace: await namespace() });
    await api.post(roles, aRole("held", [readPods])).expect(201);
    for (const name of ["bindable", "strange"])
      await api.post(roles, aRole(name, [{ ...readPods, verbs: ["delete"] }])).expect(201);
    await eventually("bindings can be read", async () => (await api.as({ user }).get(`${bindings}/x`)).status === 404);
    const to = (name: string) => aBinding(name, { roleRef: { apiGroup: group, kind: "Role", name } });
    await eventually("held", async () => (await api.as({ user }).post(bindings, to("held"))).status === 201);
    await eventually("bindable", async () => (await api.as({ user }).post(bindings, to("bindable"))).status === 201);
    const status = await api.as({ user }).post(bindings, to("strange")).refuse(403, "Forbidden");
    expect(status.message).toContain("is attempting to grant RBAC permissions not currently held:");
    expect(status.message).toContain('{APIGroups:[""], Resources:["pods"], Verbs:["delete"]}');
    await api
      .as({ user })
      .post(bindings, { ...to("missing"), metadata: { name: "to-missing" } })
      .refuse(404, "NotFound");
  });

  conformance("setting an aggregation rule takes all rights there are", async (tools) => {
    const { api, unique, removeLater } = tools;
    const user = unique("writer");
    await allow(tools, {
      subject: user,
      rules: [{ verbs: ["get", "create"], apiGroups: [group], resources: ["clusterroles"] }],
    });
    const name = unique("collector");
    const role = {
      apiVersion: `${group}/v1`,
      kind: "ClusterRole",
      metadata: { name },
      aggregationRule: { clusterRoleSelectors: [{ matchLabels: { a: "b" } }] },
    };
    const roles = `${root}/clusterroles`;
    await eventually("roles can be read", async () => (await api.as({ user }).get(`${roles}/view`)).status === 200);
    await api
      .as({ user })
      .post(roles, role)
      .refuse(403, "Forbidden", {
        message: `clusterroles.${group} "${name}" is forbidden: must have cluster-admin privileges to use the aggregationRule`,
      });
    removeLater(`${roles}/${name}`);
    await api.post(roles, role).expect(201);
    await api.post(roles, { ...role, metadata: { name: unique("x") }, aggregationRule: {} }).refuse(422, "Invalid");
  });
});
