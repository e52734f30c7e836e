/** `fieldValidation`: fields that are unknown or there twice are ignored, warned of (the default) or refused. */
import { expect } from "vitest";
import { area } from "./support/conformance-case.ts";
import { aDeployment, aMap } from "./support/sample-objects.ts";

const warningsOf = (reply: { headers: Record<string, string | string[] | undefined> }) =>
  [reply.headers.warning ?? []].flat().flatMap((text) => text.split(/,\s*(?=299 )/));
const warning = (text: string) => `299 - "${text.replaceAll('"', '\\"')}"`;
const closed = {
  type: "object",
  properties: { spec: { type: "object", properties: { size: { type: "integer" } } } },
};

area("field validation", (conformance) => {
  conformance("by default an unknown field is dropped with a warning", async ({ api, path }) => {
    const body = { ...aDeployment("one", { paused: true }), bogus: 1 };
    const reply = await api.post(await path("deployments", "apps/v1"), {
      ...body,
      spec: { ...body.spec, nonsense: { a: 1 } },
    });
    expect(reply.status).toBe(201);
    expect(reply.body.spec).not.toHaveProperty("nonsense");
    expect(warningsOf(reply).sort()).toEqual(
      [warning('unknown field "bogus"'), warning('unknown field "spec.nonsense"')].sort(),
    );
  });

  conformance("Strict refuses it by name", async ({ api, path }) => {
    const status = await api
      .post(`${await path("configmaps")}?fieldValidation=Strict`, { ...aMap("one"), bogus: 1 })
      .refuse(400, "BadRequest");
    expect(status.message).toBe(
      'ConfigMap in version "v1" cannot be handled as a ConfigMap: strict decoding error: unknown field "bogus"',
    );
  });

  conformance("Ignore says nothing", async ({ api, path }) => {
    const reply = await api.post(`${await path("configmaps")}?fieldValidation=Ignore`, { ...aMap("one"), bogus: 1 });
    expect(reply.status).toBe(201);
    expect(warningsOf(reply)).toEqual([]);
  });

  conformance("paths into lists carry the index", async ({ api, path }) => {
    const containers = [{ name: "main", image: "example.com/image:1", colour: "red" }];
    const reply = await api.post(await path("deployments", "apps/v1"), aDeployment("one", {}, { containers }));
    expect(warningsOf(reply)).toEqual([warning('unknown field "spec.template.spec.containers[0].colour"')]);
  });

  conformance("a field that is there twice is warned of, and the last one counts", async ({ api, path }) => {
    const text = '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"one"},"data":{"a":"1","a":"2"}}';
    const reply = await api.post(await path("configmaps"), text);
    expect(reply.status).toBe(201);
    expect(reply.body.data).toEqual({ a: "2" });
    expect(warningsOf(reply)).toEqual([warning('duplicate field "data.a"')]);
  });

  conformance("Strict refuses a field that is there twice", async ({ api, path }) => {
    const text = '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"one","name":"two"}}';
    const status = await api.post(`${await path("configmaps")}?fieldValidation=Strict`, text).refuse(400, "BadRequest");
    expect(status.message).toContain('strict decoding error: duplicate field "metadata.name"');
  });

  conformance("YAML with a key that is there twice is refused by Strict", async ({ api, path }) => {
    const text = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: one\ndata:\n  a: '1'\n  a: '2'\n";
    const headers = { "content-type": "application/yaml" };
    const status = await api
      .post(`${await path("configmaps")}?fieldValidation=Strict`, text, { headers })
      .refuse(400, "BadRequest");
    expect(status.message).toContain('line 7: key "a" already set in map');
  });

  conformance("replacements are validated alike", async ({ api, path }) => {
    const maps = await path("configmaps");
    const made = await api.post(maps, aMap("one")).expect(201);
    const reply = await api.put(`${maps}/one`, { ...made, bogus: 1 });
    expect(warningsOf(reply)).toEqual([warning('unknown field "bogus"')]);
    await api.put(`${maps}/one?fieldValidation=Strict`, { ...reply.body, bogus: 1 }).refuse(400, "BadRequest");
  });

  for (const kind of ["merge", "strategic"] as const) {
    conformance(`a ${kind} patch with an unknown field warns, or is a 422`, async ({ api, path }) => {
      const deployments = await path("deployments", "apps/v1");
      await api.post(deployments, aDeployment("one")).expect(201);
      const patch = { spec: { nonsense: 1 } };
      const reply = await api.patch(`${deployments}/one`, kind, patch);
      expect(reply.status).toBe(200);
      expect(warningsOf(reply)).toEqual([warning('unknown field "spec.nonsense"')]);
      const status = await api.patch(`${deployments}/one?fieldValidation=Strict`, kind, patch).refuse(422, "Invalid");
      expect(status.details.causes[0]).toMatchObject({ field: "patch" });
      expect(status.message).toContain('strict decoding error: unknown field "spec.nonsense"');
    });
  }

  conformance("a JSON patch with an unknown field warns", async ({ api, path }) => {
    const deployments = await path("deployments", "apps/v1");
    await api.post(deployments, aDeployment("one")).expect(201);
    const reply = await api.patch(`${deployments}/one`, "json", [{ op: "add", path: "/spec/nonsense", value: 1 }]);
    expect(reply.status).toBe(200);
    expect(warningsOf(reply)).toEqual([warning('unknown field "spec.nonsense"')]);
  });

  conformance("custom objects lose what their schema does not name, with a warning", async ({ api, define }) => {
    const things = await define({ kind: "Thing", schema: closed });
    const body = {
      apiVersion: things.apiVersion(),
      kind: "Thing",
      metadata: { name: "one" },
      spec: { size: 1, extra: 2 },
    };
    const reply = await api.post(await things.path(), body);
    expect(reply.status).toBe(201);
    expect(reply.body.spec).toEqual({ size: 1 });
    expect(warningsOf(reply)).toEqual([warning('unknown field "spec.extra"')]);
    const again = { ...body, metadata: { name: "two" } };
    const status = await api.post(`${await things.path()}?fieldValidation=Strict`, again).refuse(400, "BadRequest");
    expect(status.message).toContain('strict decoding error: unknown field "spec.extra"');
  });

  conformance("an applied field that nobody declares is refused whatever was asked", async ({ api, path }) => {
    const at = `${await path("deployments", "apps/v1")}/one?fieldManager=m&fieldValidation=Ignore`;
    const reply = await api.patch(at, "apply", aDeployment("one", { nonsense: 1 }));
    expect(reply.status).toBe(500);
    expect(reply.body.message).toContain(".spec.nonsense: field not declared in schema");
  });

  conformance("an unknown mode is a 422", async ({ api, path }) => {
    const status = await api
      .post(`${await path("configmaps")}?fieldValidation=Sometimes`, aMap("one"))
      .refuse(422, "Invalid");
    expect(status.message).toBe(
      'CreateOptions.meta.k8s.io "" is invalid: fieldValidation: Unsupported value: "Sometimes": supported values: "", "Ignore", "Strict", "Warn"',
    );
  });
});
