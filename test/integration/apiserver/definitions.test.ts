import { readdirSync, readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parse } from "yaml";
import { eventually, startTestServer, type TestServer } from "./api-client.ts";
import { aWidget, definitionsPath, widgetDefinition, widgetsPath } from "./widget-definition.ts";

let one: TestServer;
beforeAll(async () => {
  one = await startTestServer();
});
afterAll(() => one.stop());

describe("a custom resource definition", () => {
  beforeAll(async () => {
    const made = await one.api.post(definitionsPath, widgetDefinition());
    expect(made.status).toBe(201);
    const conditions = made.body.status.conditions.map(
      (one: { type: string; status: string }) => `${one.type}=${one.status}`,
    );
    expect(conditions).toEqual(["NamesAccepted=True", "Established=True"]);
  });

  test("its resource is in discovery at once, in all three forms", async () => {
    const list = (await one.api.get("/apis/example.com/v1")).body;
    expect(list.resources.map((resource: { name: string }) => resource.name)).toEqual([
      "widgets",
      "widgets/status",
      "widgets/scale",
    ]);
    expect(list.resources[0]).toMatchObject({
      kind: "Widget",
      shortNames: ["wd"],
      categories: ["all"],
      namespaced: true,
    });
    expect((await one.api.get("/apis")).body.groups.map((group: { name: string }) => group.name)).toContain(
      "example.com",
    );
    const accept = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json";
    const aggregated = await one.api.get("/apis", { accept });
    expect(aggregated.headers["content-type"]).toMatch(/as=APIGroupDiscoveryList/);
    expect(aggregated.body.items.map((item: { metadata: { name: string } }) => item.metadata.name)).toContain(
      "example.com",
    );
  });

  test("its schema is in OpenAPI v3 and v2", async () => {
    const index = (await one.api.get("/openapi/v3")).body;
    const document = (await one.api.get(index.paths["apis/example.com/v1"].serverRelativeURL)).body;
    const schema = document.components.schemas["com.example.v1.Widget"];
    expect(schema["x-kubernetes-group-version-kind"]).toEqual([
      { group: "example.com", version: "v1", kind: "Widget" },
    ]);
    expect(schema.properties.spec.properties.color.enum).toEqual(["red", "green", "blue"]);
    const v2 = (await one.api.get("/openapi/v2")).body;
    expect(v2.definitions["com.example.v1.Widget"].properties.spec.properties.color.type).toBe("string");
  });

  /** What a real server adds where rules cannot be asked about a malformed object. */
  const skipped = { field: "<nil>", message: expect.stringMatching(/some validation rules were not checked/) };
  const bad: Array<{ name: string; spec: object; want: { field: string; message: RegExp; skipsRules?: true } }> = [
    {
      name: "a missing required field",
      spec: { color: undefined },
      want: { field: "spec.color", message: /^Required value$/, skipsRules: true },
    },
    {
      name: "a value outside of the enum",
      spec: { color: "pink" },
      want: {
        field: "spec.color",
        message: /Unsupported value: "pink": supported values: "red", "green", "blue"/,
        skipsRules: true,
      },
    },
    {
      name: "a wrong type",
      spec: { min: "two" },
      want: { field: "spec.min", message: /must be of type integer: "string"/, skipsRules: true },
    },
    {
      name: "a value below the minimum",
      spec: { min: -1 },
      want: { field: "spec.min", message: /should be greater than or equal to 0/ },
    },
    {
      name: "a duplicate list key",
      spec: { parts: [{ name: "a" }, { name: "a" }] },
      want: { field: "spec.parts[1]", message: /Duplicate value: \{"name":"a"\}/ },
    },
    {
      name: "a duplicate set member",
      spec: { tags: ["a", "a"] },
      want: { field: "spec.tags[1]", message: /Duplicate value: "a"/ },
    },
    {
      name: "a CEL rule that fails",
      spec: { min: 11 },
      want: { field: "spec", message: /^Invalid value: min must not be above max$/ },
    },
  ];
  test.each(bad)("$name is a 422 that names the field", async ({ spec, want }) => {
    const reply = await one.api.post(widgetsPath, aWidget("bad", spec));
    expect(reply.body).toMatchObject({
      code: 422,
      reason: "Invalid",
      details: { kind: "Widget", group: "example.com", name: "bad" },
    });
    expect(reply.body.details.causes).toEqual([
      expect.objectContaining({ field: want.field, message: expect.stringMatching(want.message) }),
      ...(want.skipsRules ? [expect.objectContaining(skipped)] : []),
    ]);
  });

  test("its deletion removes its objects, then itself and its discovery", async () => {
    await one.api.delete(`${definitionsPath}/widgets.example.com`);
    await eventually(
      "the definition is gone",
      async () => (await one.api.get(`${definitionsPath}/widgets.example.com`)).status === 404,
    );
    expect((await one.api.get(widgetsPath)).status).toBe(404);
    expect((await one.api.get("/apis/example.com/v1")).status).toBe(404);
    await one.api.post(definitionsPath, widgetDefinition());
    expect((await one.api.get(widgetsPath)).body.items).toEqual([]);
    await one.api.delete(`${definitionsPath}/widgets.example.com`);
    await eventually(
      "the definition is gone again",
      async () => (await one.api.get(`${definitionsPath}/widgets.example.com`)).status === 404,
    );
  });
});

describe("a definition that cannot work is a clear 422", () => {
  const noType = { properties: { spec: { properties: {} } } };
  const wrong: Array<{ name: string; definition: object; want: RegExp }> = [
    { name: "no types", definition: widgetDefinition({}, noType), want: /properties\[spec\]\.type: Required value/ },
    {
      name: "no schema",
      definition: widgetDefinition({ schema: undefined }),
      want: /spec\.versions\[0\]\.schema\.openAPIV3Schema: Required value/,
    },
    {
      name: "a rule that does not parse",
      definition: widgetDefinition({}, { "x-kubernetes-validations": [{ rule: "self.a ==" }] }),
      want: /x-kubernetes-validations\[0\]\.rule: Invalid value.*compilation failed/s,
    },
    {
      name: "a rule that is no condition",
      definition: widgetDefinition({}, { "x-kubernetes-validations": [{ rule: "1 + 1" }] }),
      want: /must evaluate to a bool/,
    },
    {
      name: "a pattern that does not compile",
      definition: widgetDefinition(
        {},
        { properties: { spec: { type: "object", properties: { a: { type: "string", pattern: "(" } } } } },
      ),
      want: /must be a valid regular expression/,
    },
    {
      name: "a default of the wrong type",
      definition: widgetDefinition(
        {},
        { properties: { spec: { type: "object", properties: { a: { type: "string", default: 1 } } } } },
      ),
      want: /default.*must be of type string/s,
    },
    {
      name: "a reference",
      definition: widgetDefinition({}, { properties: { spec: { $ref: "#/x" } } }),
      want: /\$ref is not supported/,
    },
    {
      name: "a name that does not fit",
      definition: { ...widgetDefinition(), metadata: { name: "other.example.com" } },
      want: /must be spec\.names\.plural/,
    },
    {
      name: "no storage version",
      definition: widgetDefinition({ storage: false }),
      want: /exactly one version marked as storage/,
    },
    {
      name: "a column path that does not begin with a dot",
      definition: widgetDefinition({ additionalPrinterColumns: [{ name: "X", type: "string", jsonPath: "a" }] }),
      want: /spec\.additionalPrinterColumns\[0\]\.JSONPath/,
    },
    {
      name: "a selectable field that does not exist",
      definition: widgetDefinition({ selectableFields: [{ jsonPath: ".spec.nope" }] }),
      want: /selectableFields\[0\]\.jsonPath/,
    },
  ];
  test.each(wrong)("$name", async ({ definition, want }) => {
    const reply = await one.api.post(definitionsPath, definition);
    expect(reply.body).toMatchObject({ code: 422, reason: "Invalid" });
    expect(reply.body.message).toMatch(want);
  });
});

describe("the definitions of this project", () => {
  const folder = new URL("../../../crds/", import.meta.url);
  const files = readdirSync(folder).filter((name) => name.endsWith(".yaml"));
  const tasks = "/apis/inferium.io/v1alpha1/namespaces/default/inferencetasks";
  const task = (name: string, spec: object = {}) => ({
    apiVersion: "inferium.io/v1alpha1",
    kind: "InferenceTask",
    metadata: { name },
    spec: {
      model: { uri: "https://example.com/m.onnx", digest: `sha256:${"0".repeat(64)}` },
      input: { configMapRef: { name: "input", key: "x" } },
      ...spec,
    },
  });

  test("all of them are there and are accepted strictly", async () => {
    expect(files.length).toBeGreaterThanOrEqual(3);
    for (const file of files) {
      const definition: unknown = parse(readFileSync(new URL(file, folder), "utf8"));
      const reply = await one.api.post(`${definitionsPath}?fieldValidation=Strict`, definition);
      expect({ file, status: reply.status, message: reply.body.message }).toEqual({
        file,
        status: 201,
        message: undefined,
      });
    }
  });

  test("a good task is accepted with its defaults", async () => {
    const made = await one.api.post(`${tasks}?fieldValidation=Strict`, task("good"));
    expect(made.status).toBe(201);
    expect(made.body.spec.type).toBe("Inference");
  });

  const bad: Array<{ name: string; spec: object }> = [
    { name: "an unknown type", spec: { type: "Mining" } },
    { name: "a digest that is none", spec: { model: { uri: "https://example.com/m", digest: "abc" } } },
    { name: "an input without a source", spec: { input: {} } },
    {
      name: "more votes needed than validators",
      spec: { verification: { policy: "Exact", validators: 2, quorum: 3 } },
    },
  ];
  test.each(bad)("$name is a 422", async ({ spec }) => {
    const reply = await one.api.post(tasks, task("bad", spec));
    expect(reply.body).toMatchObject({ code: 422, reason: "Invalid" });
  });

  test("the model of a task cannot change, its priority can", async () => {
    await one.api.post(tasks, task("kept"));
    expect(
      (await one.api.patch(`${tasks}/kept`, "merge", { spec: { model: { uri: "https://example.com/other" } } })).status,
    ).toBe(422);
    expect((await one.api.patch(`${tasks}/kept`, "merge", { spec: { priority: 7 } })).status).toBe(200);
  });
});
