/** RBAC: what roles allow, and how a refusal reads. */
import { expect } from "vitest";
import { allow } from "./support/allow.ts";
import type { ConformanceApi } from "./support/api.ts";
import { area, eventually } from "./support/conformance-case.ts";

const aMap = (name: string) => ({ apiVersion: "v1", kind: "ConfigMap", metadata: { name } });

/** Servers learn of a binding a moment after it is written. */
async function untilAllowed(api: ConformanceApi, path: string): Promise<void> {
  await eventually(`${path} is allowed`, async () => (await api.get(path)).status !== 403);
}

area("rbac: authorization", (conformance) => {
  conformance("a refusal names user, verb, resource, group and namespace", async ({ api, path, namespace }) => {
    const ns = await namespace();
    const status = await api
      .as({ user: "jane" })
      .get(await path("pods"))
      .refuse(403, "Forbidden");
    expect(status.message).toBe(
      `pods is forbidden: User "jane" cannot list resource "pods" in API group "" in the namespace "${ns}"`,
    );
    expect(status.details).toEqual({ kind: "pods" });
  });

  conformance("a refusal of one object names it, also in the details", async ({ api, path, namespace }) => {
    const status = await api
      .as({ user: "jane" })
      .delete(`${await path("deployments", "apps/v1")}/web`)
      .refuse(403, "Forbidden");
    expect(status.message).toBe(
      `deployments.apps "web" is forbidden: User "jane" cannot delete resource "deployments" in API group "apps" in the namespace "${await namespace()}"`,
    );
    expect(status.details).toEqual({ name: "web", group: "apps", kind: "deployments" });
  });

  conformance("a refusal of a subresource names it after a slash", async ({ api, path, namespace }) => {
    const status = await api
      .as({ user: "jane" })
      .get(`${await path("pods")}/web/log`)
      .refuse(403, "Forbidden");
    expect(status.message).toBe(
      `pods "web" is forbidden: User "jane" cannot get resource "pods/log" in API group "" in the namespace "${await namespace()}"`,
    );
  });

  conformance("a refusal of a cluster-scoped object and of a list over all namespaces", async ({ api }) => {
    const jane = api.as({ user: "jane" });
    expect((await jane.get("/api/v1/nodes/n1").refuse(403, "Forbidden")).message).toBe(
      'nodes "n1" is forbidden: User "jane" cannot get resource "nodes" in API group "" at the cluster scope',
    );
    expect((await jane.get("/api/v1/pods").refuse(403, "Forbidden")).message).toBe(
      'pods is forbidden: User "jane" cannot list resource "pods" in API group "" at the cluster scope',
    );
  });

  conformance("each method is refused as its verb", async ({ api, path }) => {
    const maps = await path("configmaps");
    const jane = api.as({ user: "jane" });
    const verb = async (reply: PromiseLike<{ status: number; body: { message: string } }>) =>
      /cannot (\w+) resource/.exec((await reply).body.message)?.[1];
    expect(await verb(jane.get(`${maps}/a`))).toBe("get");
    expect(await verb(jane.get(maps))).toBe("list");
    expect(await verb(jane.get(`${maps}?watch=true`))).toBe("watch");
    expect(await verb(jane.post(maps, aMap("a")))).toBe("create");
    expect(await verb(jane.put(`${maps}/a`, aMap("a")))).toBe("update");
    expect(await verb(jane.patch(`${maps}/a`, "merge", {}))).toBe("patch");
    expect(await verb(jane.delete(`${maps}/a`))).toBe("delete");
    expect(await verb(jane.delete(maps))).toBe("deletecollection");
  });

  conformance("rights come before existence: neither unknown kinds nor missing objects show", async ({ api, path }) => {
    const jane = api.as({ user: "jane" });
    await jane.get(`${await path("configmaps")}/missing`).refuse(403, "Forbidden");
    await jane.get("/apis/no-such-group.example.com/v1/things").refuse(403, "Forbidden");
    await jane.get("/no/such/path").refuse(403, "Forbidden", {
      message: 'forbidden: User "jane" cannot get path "/no/such/path"',
    });
  });

  conformance("rights come before the body is looked at", async ({ api, path }) => {
    await api
      .as({ user: "jane" })
      .send("POST", await path("configmaps"), "{ not json")
      .refuse(403, "Forbidden");
  });

  conformance("a role holds in its namespace only", async (tools) => {
    const { api, path, namespace, unique } = tools;
    const user = unique("user");
    const rules = [{ verbs: ["get", "list"], apiGroups: [""], resources: ["configmaps"] }];
    await allow(tools, { subject: user, rules, namespace: await namespace() });
    const client = api.as({ user });
    await untilAllowed(client, await path("configmaps"));
    await client.get(await path("secrets")).refuse(403, "Forbidden");
    await client.get("/api/v1/namespaces/default/configmaps").refuse(403, "Forbidden");
    await client.get("/api/v1/configmaps").refuse(403, "Forbidden");
    await client.post(await path("configmaps"), aMap("a")).refuse(403, "Forbidden");
  });

  conformance(
    "a cluster role in a role binding holds in that namespace only",
    async ({ api, path, unique, namespace }) => {
      const user = unique("user");
      const group = "rbac.authorization.k8s.io";
      await api
        .post(await path("rolebindings", `${group}/v1`), {
          apiVersion: `${group}/v1`,
          kind: "RoleBinding",
          metadata: { name: "everything-here" },
          roleRef: { apiGroup: group, kind: "ClusterRole", name: "cluster-admin" },
          subjects: [{ kind: "User", apiGroup: group, name: user }],
        })
        .expect(201);
      const client = api.as({ user });
      await untilAllowed(client, await path("secrets"));
      await client.post(await path("configmaps"), aMap("a")).expect(201);
      await client.get(`/api/v1/namespaces/${await namespace()}`).expect(200);
      await client.get("/api/v1/namespaces").refuse(403, "Forbidden");
      await client.get("/api/v1/namespaces/default/configmaps").refuse(403, "Forbidden");
    },
  );

  conformance(
    "groups are subjects, and service accounts without a namespace are those of the binding",
    async (tools) => {
      const { api, path, namespace, unique } = tools;
      const ns = await namespace();
      const group = unique("team");
      const rules = [{ verbs: ["list"], apiGroups: [""], resources: ["configmaps"] }];
      const groupSubject = { kind: "Group", apiGroup: "rbac.authorization.k8s.io", name: group };
      await allow(tools, { subject: groupSubject, rules, namespace: ns });
      await allow(tools, { subject: { kind: "ServiceAccount", name: "default" }, rules, namespace: ns });
      await untilAllowed(api.as({ user: "anybody", groups: [group] }), await path("configmaps"));
      await api
        .as({ user: group })
        .get(await path("configmaps"))
        .refuse(403, "Forbidden");
      await untilAllowed(api.as({ user: `system:serviceaccount:${ns}:default` }), await path("configmaps"));
      await api
        .as({ user: "system:serviceaccount:other:default" })
        .get(await path("configmaps"))
        .refuse(403, "Forbidden");
    },
  );

  conformance("resource names confine a rule to them, and allow to list and watch just one", async (tools) => {
    const { api, path, namespace, unique } = tools;
    const user = unique("user");
    const maps = await path("configmaps");
    const verbs = ["get", "list", "watch", "update", "delete", "create"];
    const rules = [{ verbs, apiGroups: [""], resources: ["configmaps"], resourceNames: ["mine"] }];
    await allow(tools, { subject: user, rules, namespace: await namespace() });
    await api.post(maps, aMap("mine")).expect(201);
    const client = api.as({ user });
    await untilAllowed(client, `${maps}/mine`);
    await client.get(`${maps}/other`).refuse(403, "Forbidden");
    await client.get(maps).refuse(403, "Forbidden");
    const listed = await client.get(`${maps}?fieldSelector=metadata.name%3Dmine`).expect(200);
    expect(listed.items).toHaveLength(1);
    await client.get(`${maps}?fieldSelector=metadata.name%3Dother`).refuse(403, "Forbidden");
    // The name of what is to be created is not known when the request is authorized.
    await client.post(maps, aMap("mine")).refuse(403, "Forbidden");
    await client.delete(`${maps}/mine`).expect(200);
  });

  conformance("a subresource is a resource of its own", async (tools) => {
    const { api, namespace, path, unique } = tools;
    const user = unique("user");
    const scales = await path("deployments", "apps/v1");
    await allow(tools, {
      subject: user,
      rules: [{ verbs: ["get", "patch"], apiGroups: ["*"], resources: ["*/scale"] }],
      namespace: await namespace(),
    });
    const client = api.as({ user });
    await untilAllowed(client, `${scales}/web/scale`);
    await client.get(`${scales}/web/scale`).refuse(404, "NotFound");
    await client.get(`${scales}/web`).refuse(403, "Forbidden");
    await client.get(`${scales}/web/status`).refuse(403, "Forbidden");
    await client.get(`${await path("statefulsets", "apps/v1")}/web/scale`).refuse(404, "NotFound");
  });

  conformance("a resource without its subresources does not allow those", async (tools) => {
    const { api, namespace, path, unique } = tools;
    const user = unique("user");
    const rules = [{ verbs: ["*"], apiGroups: [""], resources: ["pods"] }];
    await allow(tools, { subject: user, rules, namespace: await namespace() });
    const client = api.as({ user });
    await untilAllowed(client, await path("pods"));
    await client.get(`${await path("pods")}/web/log`).refuse(403, "Forbidden");
    await client.patch(`${await path("pods")}/web/status`, "merge", {}).refuse(403, "Forbidden");
  });

  conformance("stars stand for every verb, group and resource", async (tools) => {
    const { api, namespace, path, unique } = tools;
    const user = unique("user");
    const rules = [{ verbs: ["*"], apiGroups: ["*"], resources: ["*"] }];
    await allow(tools, { subject: user, rules, namespace: await namespace() });
    const client = api.as({ user });
    await untilAllowed(client, await path("pods"));
    await client.get(await path("deployments", "apps/v1")).expect(200);
    await client.get(`${await path("pods")}/web/log`).refuse(404, "NotFound");
    await client.delete(await path("configmaps")).expect(200);
    await client.get("/apis/apps/v1/deployments").refuse(403, "Forbidden");
  });

  conformance("paths are allowed exactly, and below a prefix with a star at the end", async (tools) => {
    const { api, unique } = tools;
    const user = unique("user");
    const rules = [
      { verbs: ["get"], nonResourceURLs: ["/metrics"] },
      { verbs: ["get"], nonResourceURLs: ["/readyz/*"] },
    ];
    await allow(tools, { subject: user, rules });
    const client = api.as({ user });
    await eventually("metrics", async () => (await client.get("/metrics")).status === 200);
    await client.get("/readyz/ping").expect(200);
    await client.get("/livez/ping").refuse(403, "Forbidden");
    await client.get("/metrics/slis").refuse(403, "Forbidden");
    await client.post("/metrics", {}).refuse(403, "Forbidden", {
      message: `forbidden: User "${user}" cannot post path "/metrics"`,
    });
  });

  conformance("a binding to a role that does not exist grants nothing, and the refusal says so", async (tools) => {
    const { api, path, unique } = tools;
    const user = unique("user");
    const group = "rbac.authorization.k8s.io";
    await api
      .post(await path("rolebindings", `${group}/v1`), {
        apiVersion: `${group}/v1`,
        kind: "RoleBinding",
        metadata: { name: "dangling" },
        roleRef: { apiGroup: group, kind: "Role", name: "nowhere" },
        subjects: [{ kind: "User", apiGroup: group, name: user }],
      })
      .expect(201);
    await eventually("the reason is given", async () => {
      const { message } = (await api.as({ user }).get(await path("pods"))).body;
      return String(message).endsWith(': RBAC: role.rbac.authorization.k8s.io "nowhere" not found');
    });
  });

  conformance("a right that is taken back is gone", async (tools) => {
    const { api, namespace, path, unique } = tools;
    const user = unique("user");
    const ns = await namespace();
    const rules = [{ verbs: ["list"], apiGroups: [""], resources: ["configmaps"] }];
    const name = await allow(tools, { subject: user, rules, namespace: ns });
    await untilAllowed(api.as({ user }), await path("configmaps"));
    await api.delete(`${await path("rolebindings", "rbac.authorization.k8s.io/v1")}/${name}`).expect(200);
    const maps = await path("configmaps");
    await eventually("it is refused", async () => (await api.as({ user }).get(maps)).status === 403);
  });

  conformance("an apply that creates takes the right to create besides that to patch", async (tools) => {
    const { api, namespace, path, unique } = tools;
    const user = unique("user");
    const rules = [{ verbs: ["get", "patch"], apiGroups: [""], resources: ["configmaps"] }];
    await allow(tools, { subject: user, rules, namespace: await namespace() });
    const maps = await path("configmaps");
    await untilAllowed(api.as({ user }), `${maps}/applied`);
    const status = await api
      .as({ user })
      .patch(`${maps}/applied?fieldManager=test`, "apply", aMap("applied"))
      .refuse(403, "Forbidden");
    expect(status.message).toContain(`User "${user}" cannot create resource "configmaps"`);
    await api.post(maps, aMap("applied")).expect(201);
    await api.as({ user }).patch(`${maps}/applied?fieldManager=test`, "apply", aMap("applied")).expect(200);
  });
});
