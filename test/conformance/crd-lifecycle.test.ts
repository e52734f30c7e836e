/** CustomResourceDefinitions: their status, names, discovery, change and end. */
import { expect } from "vitest";
import { area, eventually } from "./support/conformance-case.ts";
import { customObjects, fields } from "./support/custom-objects.ts";

const definitions = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
const open = fields({ a: { type: "string" } });

interface Condition {
  readonly type: string;
  readonly status: string;
  readonly reason: string;
}

const conditionOf = (body: { status?: { conditions?: Condition[] } }, type: string) =>
  body.status?.conditions?.find((condition) => condition.type === type);

area("crd lifecycle", (conformance) => {
  conformance("a new definition is established with the names that it asked for", async (tools) => {
    const { definition } = await customObjects(tools, open);
    const stored = await tools.api.get(`${definitions}/${definition.name}`).expect(200);
    expect(conditionOf(stored, "Established")).toMatchObject({ status: "True", reason: "InitialNamesAccepted" });
    expect(conditionOf(stored, "NamesAccepted")).toMatchObject({ status: "True", reason: "NoConflicts" });
    expect(stored.status).toMatchObject({
      storedVersions: ["v1"],
      acceptedNames: { kind: "Thing", listKind: "ThingList", plural: "things", singular: "thing" },
    });
    expect(stored.spec.conversion).toEqual({ strategy: "None" });
  });

  conformance("it is discovered with its names, scope and subresources", async (tools) => {
    const { definition } = await customObjects(tools, open, {
      version: { subresources: { status: {} } },
      spec: { names: { kind: "Thing", plural: "things", shortNames: ["th"], categories: ["all"] } },
    });
    await eventually("it is discovered", async () => (await tools.api.get(`/apis/${definition.group}`)).status === 200);
    const { resources } = await tools.api.get(`/apis/${definition.group}/v1`).expect(200);
    expect(resources).toMatchObject([
      {
        name: "things",
        singularName: "thing",
        namespaced: true,
        kind: "Thing",
        shortNames: ["th"],
        categories: ["all"],
      },
      { name: "things/status", kind: "Thing", verbs: ["get", "patch", "update"] },
    ]);
  });

  conformance("its objects list under their list kind", async (tools) => {
    const { collection, create, definition } = await customObjects(tools, open);
    await create("one", { a: "x" });
    const list = await tools.api.get(collection).expect(200);
    expect(list).toMatchObject({ kind: "ThingList", apiVersion: definition.apiVersion(), items: [{ kind: "Thing" }] });
  });

  conformance("what it does not specify is defaulted: singular and list kind", async (tools) => {
    const { definition } = await customObjects(tools, open, { spec: { names: { kind: "Thing", plural: "things" } } });
    const stored = await tools.api.get(`${definitions}/${definition.name}`).expect(200);
    expect(stored.spec.names).toMatchObject({ singular: "thing", listKind: "ThingList" });
  });

  conformance("group, plural and, once established, kind and scope never change", async (tools) => {
    const { definition } = await customObjects(tools, open);
    const path = `${definitions}/${definition.name}`;
    const status = await tools.api
      .patch(path, "merge", { spec: { scope: "Cluster", names: { kind: "Other" } } })
      .refuse(422, "Invalid");
    const changed = status.details.causes.map((cause: { field: string }) => cause.field);
    expect(changed).toEqual(expect.arrayContaining(["spec.scope", "spec.names.kind"]));
    await tools.api.patch(path, "merge", { spec: { group: "other.example.com" } }).refuse(422, "Invalid");
  });

  conformance("a kind that another definition of the group has is not accepted", async (tools) => {
    const { definition } = await customObjects(tools, open);
    const rival = {
      apiVersion: "apiextensions.k8s.io/v1",
      kind: "CustomResourceDefinition",
      metadata: { name: `rivals.${definition.group}` },
      spec: {
        group: definition.group,
        scope: "Namespaced",
        names: { kind: "Thing", plural: "rivals", singular: "rival", listKind: "RivalList" },
        versions: [{ name: "v1", served: true, storage: true, schema: { openAPIV3Schema: { type: "object" } } }],
      },
    };
    await tools.api.post(definitions, rival).expect(201);
    const path = `${definitions}/${rival.metadata.name}`;
    tools.removeLater(path);
    await eventually("the conflict is told", async () => {
      const body = await tools.api.get(path).expect(200);
      return conditionOf(body, "NamesAccepted")?.reason === "KindConflict";
    });
    const stored = await tools.api.get(path).expect(200);
    expect(conditionOf(stored, "Established")).toMatchObject({ status: "False", reason: "NotAccepted" });
    await tools.api.get(`/apis/${definition.group}/v1/rivals`).expect(404);
  });

  conformance("a schema that changes counts for the next write, and generation counts the change", async (tools) => {
    const { definition, create, object, collection } = await customObjects(tools, open);
    await create("before", { a: "long" });
    const path = `${definitions}/${definition.name}`;
    const schema = fields({ spec: fields({ a: { type: "string", maxLength: 2 } }) });
    const before = await tools.api.get(path).expect(200);
    const changed = await tools.api
      .patch(path, "json", [{ op: "replace", path: "/spec/versions/0/schema/openAPIV3Schema", value: schema }])
      .expect(200);
    expect(changed.metadata.generation).toBe(before.metadata.generation + 1);
    await eventually("the schema counts", async () => {
      const reply = await tools.api.post(`${collection}?dryRun=All`, object("after", { a: "long" }));
      return reply.status === 422;
    });
    await tools.api.get(`${collection}/before`).expect(200, { spec: { a: "long" } });
  });

  conformance("its deletion removes its objects; made again, it has none", async (tools) => {
    const { definition, create, collection } = await customObjects(tools, open);
    await create("one", {});
    const path = `${definitions}/${definition.name}`;
    const stored = await tools.api.get(path).expect(200);
    expect(stored.metadata.finalizers).toBeUndefined();
    await tools.api
      .delete(path)
      .expect(200, { metadata: { finalizers: ["customresourcecleanup.apiextensions.k8s.io"] } });
    await eventually("it is gone", async () => (await tools.api.get(path)).status === 404);
    await eventually("it is not served", async () => (await tools.api.get(collection)).status === 404);
    const { metadata, spec, apiVersion, kind } = stored;
    await tools.api.post(definitions, { apiVersion, kind, metadata: { name: metadata.name }, spec }).expect(201);
    await eventually("it is served again", async () => (await tools.api.get(collection)).status === 200);
    await tools.api.get(collection).expect(200, { items: [] });
  });

  conformance("while it ends, nothing is created, and what has finalizers holds it", async (tools) => {
    const { definition, object, collection } = await customObjects(tools, open);
    await tools.api
      .post(collection, object("held", {}, { metadata: { name: "held", finalizers: ["example.com/hold"] } }))
      .expect(201);
    const path = `${definitions}/${definition.name}`;
    await tools.api.delete(path).expect(200);
    await eventually("it ends", async () => {
      const body = await tools.api.get(path).expect(200);
      return conditionOf(body, "Terminating")?.status === "True";
    });
    await tools.api.post(collection, object("late", {})).refuse(403, "Forbidden");
    await tools.api.patch(`${collection}/held`, "merge", { metadata: { finalizers: null } }).expect(200);
    await eventually("it is gone", async () => (await tools.api.get(path)).status === 404);
  });

  conformance("a version is not removed while objects may be stored in it", async (tools) => {
    const { definition } = await customObjects(tools, open);
    const path = `${definitions}/${definition.name}`;
    const version = (name: string, storage: boolean) => ({
      name,
      served: true,
      storage,
      schema: { openAPIV3Schema: fields({ spec: open }) },
    });
    const both = await tools.api
      .patch(path, "merge", { spec: { versions: [version("v1", false), version("v2", true)] } })
      .expect(200);
    expect(both.status.storedVersions).toEqual(["v1", "v2"]);
    const status = await tools.api
      .patch(path, "merge", { spec: { versions: [version("v2", true)] } })
      .refuse(422, "Invalid");
    expect(status.details.causes).toMatchObject([{ field: "status.storedVersions[0]" }]);
    await tools.api.patch(`${path}/status`, "merge", { status: { storedVersions: ["v2"] } }).expect(200);
    await tools.api.patch(path, "merge", { spec: { versions: [version("v2", true)] } }).expect(200);
  });

  conformance("an update must name the version that it changes", async (tools) => {
    const { definition } = await customObjects(tools, open);
    const path = `${definitions}/${definition.name}`;
    const stored = await tools.api.get(path).expect(200);
    const { resourceVersion: _version, ...metadata } = stored.metadata;
    await tools.api.put(path, { ...stored, metadata }).refuse(422, "Invalid");
  });
});
