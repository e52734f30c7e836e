/** Discovery: groups, versions and resources, one by one and all at once. */
import { expect } from "vitest";
import { area, type Body } from "./support/conformance-case.ts";

const aggregated = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";
const allVerbs = ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"];
const byName = (list: Body, name: string) => list.resources.find((one: { name: string }) => one.name === name);

area("discovery", (conformance) => {
  conformance("the core versions, and how to reach the server", async ({ api }) => {
    const versions = await api.get("/api").expect(200, { kind: "APIVersions", versions: ["v1"] });
    expect(versions.serverAddressByClientCIDRs).toMatchObject([{ clientCIDR: "0.0.0.0/0" }]);
  });

  conformance("the root names the paths of all groups and versions", async ({ api }) => {
    const { paths } = await api.get("/").expect(200);
    const some = [
      "/api",
      "/api/v1",
      "/apis",
      "/apis/apps",
      "/apis/apps/v1",
      "/apis/authentication.k8s.io/v1",
      "/readyz",
    ];
    expect(paths).toEqual(expect.arrayContaining(some));
  });

  conformance("the groups with their versions", async ({ api }) => {
    const list = await api.get("/apis").expect(200, { kind: "APIGroupList", apiVersion: "v1" });
    const apps = { groupVersion: "apps/v1", version: "v1" };
    expect(list.groups).toContainEqual({ name: "apps", versions: [apps], preferredVersion: apps });
    expect(list.groups.map((one: { name: string }) => one.name)).not.toContain("");
    await api.get("/apis/apps").expect(200, { kind: "APIGroup", name: "apps", preferredVersion: apps });
  });

  conformance("a resource has names, scope, verbs and a hash of how it is stored", async ({ api }) => {
    const list = await api.get("/apis/apps/v1").expect(200, { kind: "APIResourceList", groupVersion: "apps/v1" });
    expect(byName(list, "deployments")).toEqual({
      name: "deployments",
      singularName: "deployment",
      namespaced: true,
      kind: "Deployment",
      verbs: allVerbs,
      shortNames: ["deploy"],
      categories: ["all"],
      storageVersionHash: "8aSe+NMegvE=",
    });
  });

  conformance("a subresource has its own kind and verbs, and no singular name", async ({ api }) => {
    const apps = await api.get("/apis/apps/v1").expect(200);
    expect(byName(apps, "deployments/scale")).toEqual({
      name: "deployments/scale",
      singularName: "",
      namespaced: true,
      group: "autoscaling",
      version: "v1",
      kind: "Scale",
      verbs: ["get", "patch", "update"],
    });
    const core = await api.get("/api/v1").expect(200);
    expect(byName(core, "pods/log")).toMatchObject({ kind: "Pod", verbs: ["get"] });
    expect(byName(core, "pods/eviction")).toMatchObject({ group: "policy", version: "v1", kind: "Eviction" });
    expect(byName(core, "serviceaccounts/token")).toMatchObject({ kind: "TokenRequest", verbs: ["create"] });
    expect(byName(core, "namespaces/finalize")).toMatchObject({ verbs: ["update"] });
  });

  conformance("short names and scope of the core resources", async ({ api }) => {
    const core = await api.get("/api/v1").expect(200);
    const want = {
      configmaps: "cm",
      namespaces: "ns",
      nodes: "no",
      pods: "po",
      services: "svc",
      serviceaccounts: "sa",
    };
    for (const [name, short] of Object.entries(want))
      expect(byName(core, name)).toMatchObject({ shortNames: [short], namespaced: name[0] !== "n" });
    const names = core.resources.map((one: { name: string }) => one.name);
    expect(names).toEqual([...names].sort());
  });

  conformance("reviews can only be created", async ({ api }) => {
    const list = await api.get("/apis/authorization.k8s.io/v1").expect(200);
    for (const resource of list.resources) expect(resource.verbs).toEqual(["create"]);
    expect(byName(list, "localsubjectaccessreviews").namespaced).toBe(true);
    expect(byName(list, "selfsubjectrulesreviews").kind).toBe("SelfSubjectRulesReview");
  });

  conformance("what is not served is a 404", async ({ api }) => {
    await api.get("/apis/nothing.example.com").expect(404);
    await api.get("/apis/nothing.example.com/v1").expect(404);
    await api.get("/apis/apps/v9").refuse(404, "NotFound");
    await api.get("/api/v9").expect(404);
  });

  conformance("discovery is only read", async ({ api }) => {
    await api.post("/api", {}).refuse(405, "MethodNotAllowed");
  });

  conformance("a definition's resources are discovered by group, version and name", async ({ api, define }) => {
    const definition = await define({
      kind: "Gadget",
      version: { subresources: { status: {} } },
      spec: {
        names: { kind: "Gadget", plural: "gadgets", singular: "gadget", shortNames: ["gd"], categories: ["toys"] },
      },
    });
    const list = await api.get(`/apis/${definition.group}/v1`).expect(200);
    expect(byName(list, "gadgets")).toMatchObject({ singularName: "gadget", shortNames: ["gd"], categories: ["toys"] });
    expect(byName(list, "gadgets/status").verbs).toEqual(["get", "patch", "update"]);
    const group = await api.get(`/apis/${definition.group}`).expect(200);
    expect(group.preferredVersion.groupVersion).toBe(`${definition.group}/v1`);
  });
});

area("aggregated discovery", (conformance) => {
  conformance("all groups in one document", async ({ api }) => {
    const reply = await api.get("/apis", { headers: { accept: aggregated } });
    expect(reply.status).toBe(200);
    expect(reply.headers["content-type"]).toBe(aggregated);
    expect(reply.headers.vary).toBe("Accept");
    const document = reply.body as Body;
    expect(document).toMatchObject({ kind: "APIGroupDiscoveryList", apiVersion: "apidiscovery.k8s.io/v2" });
    const apps = document.items.find((one: Body) => one.metadata.name === "apps");
    expect(apps.versions[0]).toMatchObject({ version: "v1", freshness: "Current" });
    const deployments = apps.versions[0].resources.find((one: Body) => one.resource === "deployments");
    expect(deployments).toMatchObject({
      responseKind: { kind: "Deployment" },
      scope: "Namespaced",
      singularResource: "deployment",
      verbs: allVerbs,
      shortNames: ["deploy"],
      categories: ["all"],
    });
    expect(deployments.subresources).toContainEqual({
      subresource: "scale",
      responseKind: { group: "autoscaling", version: "v1", kind: "Scale" },
      verbs: ["get", "patch", "update"],
    });
  });

  conformance("the core group is in a document of its own", async ({ api }) => {
    const document: Body = (await api.get("/api", { headers: { accept: aggregated } })).body;
    expect(document.items).toHaveLength(1);
    const nodes = document.items[0].versions[0].resources.find((one: Body) => one.resource === "nodes");
    expect(nodes.scope).toBe("Cluster");
  });

  conformance("an unchanged document is not sent again", async ({ api }) => {
    const first = await api.get("/apis", { headers: { accept: aggregated } });
    const tag = String(first.headers.etag);
    expect(tag).toMatch(/^"[0-9A-F]{128}"$/);
    const again = await api.get("/apis", { headers: { accept: aggregated, "if-none-match": tag } });
    expect(again.status).toBe(304);
    const other = await api.get("/apis", { headers: { accept: aggregated, "if-none-match": '"other"' } });
    expect(other.status).toBe(200);
  });

  conformance("the first acceptable form is sent", async ({ api }) => {
    const v9 = aggregated.replace("v=v2", "v=v9");
    const fallback = await api.get("/apis", { headers: { accept: `${v9},application/json` } });
    expect(fallback.body).toMatchObject({ kind: "APIGroupList" });
    await api.get("/apis", { headers: { accept: v9 } }).refuse(406, "NotAcceptable");
    await api.get("/apis", { headers: { accept: "text/html" } }).refuse(406, "NotAcceptable");
  });

  conformance("a definition is in it with its group and version as the kind's", async ({ api, define }) => {
    const definition = await define({ kind: "Gizmo" });
    const document: Body = (await api.get("/apis", { headers: { accept: aggregated } })).body;
    const group = document.items.find((one: Body) => one.metadata.name === definition.group);
    expect(group.versions[0].resources[0]).toMatchObject({
      resource: "gizmos",
      responseKind: { group: definition.group, version: "v1", kind: "Gizmo" },
    });
  });
});
