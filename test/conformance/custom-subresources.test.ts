/** Status and scale of custom objects, generation, selectable fields and printer columns. */
import { expect } from "vitest";
import { area, eventually } from "./support/conformance-case.ts";
import { customObjects, fields } from "./support/custom-objects.ts";

const text = { type: "string" };
const spec = fields({ a: text, replicas: { type: "integer" }, on: { type: "boolean" } });
const status = fields({ phase: text, replicas: { type: "integer" }, selector: text });
const schema = fields({ spec, status });
const withStatus = { schema, version: { subresources: { status: {} } } };
const scale = {
  specReplicasPath: ".spec.replicas",
  statusReplicasPath: ".status.replicas",
  labelSelectorPath: ".status.selector",
};
const withScale = { schema, version: { subresources: { status: {}, scale } } };

area("custom status", (conformance) => {
  conformance("a status is not taken at creation, nor through the object itself", async (tools) => {
    const { collection, object } = await customObjects(tools, spec, withStatus);
    const made = await tools.api.post(collection, object("a", { a: "x" }, { status: { phase: "Up" } })).expect(201);
    expect(made).not.toHaveProperty("status");
    const put = await tools.api.put(`${collection}/a`, { ...made, status: { phase: "Up" } }).expect(200);
    expect(put).not.toHaveProperty("status");
  });

  conformance("through status nothing but the status changes", async (tools) => {
    const { collection, create } = await customObjects(tools, spec, withStatus);
    const made = await create("a", { a: "x" });
    const changed = await tools.api
      .put(`${collection}/a/status`, {
        ...made,
        metadata: { ...made.metadata, labels: { l: "v" } },
        spec: { a: "other" },
        status: { phase: "Up" },
      })
      .expect(200, { spec: { a: "x" }, status: { phase: "Up" } });
    expect(changed.metadata).not.toHaveProperty("labels");
  });

  conformance("generation counts the spec, not the status or metadata", async (tools) => {
    const { collection, create } = await customObjects(tools, spec, withStatus);
    await create("a", { a: "x" });
    const path = `${collection}/a`;
    const generation = async (sent: Promise<{ metadata: { generation: number } }>) => (await sent).metadata.generation;
    const patch = (where: string, body: object) => tools.api.patch(where, "merge", body).expect(200);
    expect(await generation(patch(`${path}/status`, { status: { phase: "Up" } }))).toBe(1);
    expect(await generation(patch(path, { metadata: { labels: { l: "v" } } }))).toBe(1);
    expect(await generation(patch(path, { spec: { a: "y" } }))).toBe(2);
  });

  conformance("without the subresource a status is a field like others, and counts", async (tools) => {
    const { collection, object } = await customObjects(tools, spec, { schema });
    const made = await tools.api
      .post(collection, object("a", {}, { status: { phase: "Up" } }))
      .expect(201, { status: { phase: "Up" } });
    expect(made.metadata.generation).toBe(1);
    const changed = await tools.api.patch(`${collection}/a`, "merge", { status: { phase: "Down" } }).expect(200);
    expect(changed.metadata.generation).toBe(2);
    await tools.api.get(`${collection}/a/status`).refuse(404, "NotFound");
  });

  conformance("a status is judged by its schema", async (tools) => {
    const { collection, create } = await customObjects(tools, spec, withStatus);
    await create("a", {});
    const refused = await tools.api
      .patch(`${collection}/a/status`, "merge", { status: { phase: 1 } })
      .refuse(422, "Invalid");
    expect(refused.details.causes).toMatchObject([{ field: "status.phase", reason: "FieldValueTypeInvalid" }]);
  });
});

area("custom scale", (conformance) => {
  conformance("a scale takes no patch of a type that is not known", async (tools) => {
    const { collection, create } = await customObjects(tools, spec, withScale);
    await create("a", { replicas: 1 });
    const headers = { "content-type": "application/json" };
    await tools.api
      .send("PATCH", `${collection}/a/scale`, { spec: { replicas: 2 } }, { headers })
      .refuse(415, "UnsupportedMediaType");
  });

  conformance("a scale shows replicas and the selector", async (tools) => {
    const { collection, create } = await customObjects(tools, spec, withScale);
    const made = await create("a", { replicas: 3 });
    await tools.api
      .patch(`${collection}/a/status`, "merge", { status: { replicas: 2, selector: "app=a" } })
      .expect(200);
    const shown = await tools.api.get(`${collection}/a/scale`).expect(200, {
      kind: "Scale",
      apiVersion: "autoscaling/v1",
      spec: { replicas: 3 },
      status: { replicas: 2, selector: "app=a" },
    });
    expect(shown.metadata).toMatchObject({ name: "a", uid: made.metadata.uid });
  });

  conformance("a scale changes the replicas alone, and generation counts it", async (tools) => {
    const { collection, create } = await customObjects(tools, spec, withScale);
    await create("a", { replicas: 1, a: "x" });
    const before = await tools.api.get(`${collection}/a/scale`).expect(200);
    await tools.api
      .put(`${collection}/a/scale`, { ...before, spec: { replicas: 5 } })
      .expect(200, { kind: "Scale", spec: { replicas: 5 } });
    const stored = await tools.api.get(`${collection}/a`).expect(200, { spec: { replicas: 5, a: "x" } });
    expect(stored.metadata.generation).toBe(2);
  });

  conformance("a merge patch of a scale", async (tools) => {
    const { collection, create } = await customObjects(tools, spec, withScale);
    await create("a", { replicas: 1 });
    await tools.api
      .patch(`${collection}/a/scale`, "merge", { spec: { replicas: 2 } })
      .expect(200, { kind: "Scale", spec: { replicas: 2 } });
  });

  conformance("a scale cannot be negative, nor can the object's replicas", async (tools) => {
    const { collection, create, refuse } = await customObjects(tools, spec, withScale);
    await create("a", { replicas: 1 });
    const refused = await tools.api
      .patch(`${collection}/a/scale`, "merge", { spec: { replicas: -1 } })
      .refuse(422, "Invalid");
    expect(refused.details.causes[0].message).toMatch(/^Invalid value: -1/);
    expect(await refuse("b", { replicas: -1 })).toEqual([
      {
        field: ".spec.replicas",
        reason: "FieldValueInvalid",
        message: "Invalid value: -1: should be a non-negative integer",
      },
    ]);
  });

  conformance("an object without replicas has no scale to show", async (tools) => {
    const { collection, create } = await customObjects(tools, spec, withScale);
    await create("a", {});
    const failed = await tools.api.get(`${collection}/a/scale`).refuse(500, "InternalError");
    expect(failed.message).toContain('the spec replicas field ".spec.replicas" does not exist');
  });

  conformance("an old version in a scale is a conflict", async (tools) => {
    const { collection, create } = await customObjects(tools, spec, withScale);
    await create("a", { replicas: 1 });
    const before = await tools.api.get(`${collection}/a/scale`).expect(200);
    await tools.api.patch(`${collection}/a`, "merge", { spec: { a: "y" } }).expect(200);
    await tools.api.put(`${collection}/a/scale`, { ...before, spec: { replicas: 5 } }).refuse(409, "Conflict");
  });
});

area("selectable fields", (conformance) => {
  const version = {
    selectableFields: [{ jsonPath: ".spec.a" }, { jsonPath: ".spec.on" }, { jsonPath: ".spec.replicas" }],
  };
  const names = (list: { items: Array<{ metadata: { name: string } }> }) =>
    list.items.map((item) => item.metadata.name);

  conformance("lists select by declared fields of every scalar type", async (tools) => {
    const { collection, create } = await customObjects(tools, spec, { schema, version });
    await create("one", { a: "x", on: true, replicas: 1 });
    await create("two", { a: "y", on: false, replicas: 2 });
    const select = async (selector: string) =>
      names(await tools.api.get(`${collection}?fieldSelector=${encodeURIComponent(selector)}`).expect(200));
    expect(await select("spec.a=x")).toEqual(["one"]);
    expect(await select("spec.a!=x")).toEqual(["two"]);
    expect(await select("spec.on=true")).toEqual(["one"]);
    expect(await select("spec.replicas=2,spec.a=y")).toEqual(["two"]);
    expect(await select("metadata.name=two")).toEqual(["two"]);
  });

  conformance("an object without the field matches the empty value", async (tools) => {
    const { collection, create } = await customObjects(tools, spec, { schema, version });
    await create("one", {});
    expect(names(await tools.api.get(`${collection}?fieldSelector=spec.a%3D`).expect(200))).toEqual(["one"]);
  });

  conformance("a field that is not declared is a bad request", async (tools) => {
    const { collection } = await customObjects(tools, spec, { schema, version });
    const refused = await tools.api.get(`${collection}?fieldSelector=spec.b%3Dx`).refuse(400, "BadRequest");
    expect(refused.message).toContain("field label not supported: spec.b");
  });

  conformance("a watch sees an object come into and leave its selection", async (tools) => {
    const { collection, create } = await customObjects(tools, spec, { schema, version });
    await create("one", { a: "y" });
    const list = await tools.api.get(collection).expect(200);
    const query = `watch=true&fieldSelector=spec.a%3Dx&resourceVersion=${list.metadata.resourceVersion}`;
    const events = await tools.api.watch(`${collection}?${query}`, (all) => all.length >= 2, {
      onOpen: async () => {
        await tools.api.patch(`${collection}/one`, "merge", { spec: { a: "x" } }).expect(200);
        await tools.api.patch(`${collection}/one`, "merge", { spec: { a: "z" } }).expect(200);
      },
    });
    expect(events.map((event) => event.type)).toEqual(["ADDED", "DELETED"]);
  });

  conformance("a collection delete takes what is selected", async (tools) => {
    const { collection, create } = await customObjects(tools, spec, { schema, version });
    await create("one", { a: "x" });
    await create("two", { a: "y" });
    await tools.api.delete(`${collection}?fieldSelector=spec.a%3Dx`).expect(200);
    await eventually("one is gone", async () => {
      return JSON.stringify(names(await tools.api.get(collection).expect(200))) === '["two"]';
    });
  });
});

area("printer columns", (conformance) => {
  const table = { headers: { accept: "application/json;as=Table;v=v1;g=meta.k8s.io" } };
  const columns = (additionalPrinterColumns: object[]) => ({ schema, version: { additionalPrinterColumns } });

  conformance("without columns a table has name and age", async (tools) => {
    const { collection, create } = await customObjects(tools, spec, { schema });
    await create("one", {});
    const shown = await tools.api.get(collection, table).expect(200, { kind: "Table", apiVersion: "meta.k8s.io/v1" });
    expect(shown.columnDefinitions.map((column: { name: string }) => column.name)).toEqual(["Name", "Age"]);
    expect(shown.rows[0].cells[0]).toBe("one");
  });

  conformance("declared columns come with their type, priority and description", async (tools) => {
    const { collection } = await customObjects(
      tools,
      spec,
      columns([{ name: "A", type: "string", jsonPath: ".spec.a", description: "what", priority: 1 }]),
    );
    const shown = await tools.api.get(collection, table).expect(200);
    expect(shown.columnDefinitions[1]).toMatchObject({ name: "A", type: "string", description: "what", priority: 1 });
  });

  conformance("cells have the type of their column, and are empty where the value has not", async (tools) => {
    const { collection, create } = await customObjects(
      tools,
      spec,
      columns([
        { name: "R", type: "integer", jsonPath: ".spec.replicas" },
        { name: "On", type: "boolean", jsonPath: ".spec.on" },
        { name: "Wrong", type: "integer", jsonPath: ".spec.a" },
        { name: "None", type: "string", jsonPath: ".spec.none" },
        { name: "Text", type: "string", jsonPath: ".spec.replicas" },
      ]),
    );
    await create("one", { replicas: 3, on: true, a: "x" });
    const shown = await tools.api.get(collection, table).expect(200);
    expect(shown.rows[0].cells).toEqual(["one", 3, true, null, null, "3"]);
  });

  conformance("a date is shown as an age", async (tools) => {
    const { collection, create } = await customObjects(
      tools,
      spec,
      columns([{ name: "Born", type: "date", jsonPath: ".metadata.creationTimestamp" }]),
    );
    await create("one", {});
    const shown = await tools.api.get(collection, table).expect(200);
    expect(shown.rows[0].cells[1]).toMatch(/^\d+(s|m\d*s?)$/);
  });

  conformance("a filter finds the condition that it names", async (tools) => {
    const conditions = { type: "array", items: fields({ type: text, status: text }) };
    const { collection, create } = await customObjects(tools, fields({ conditions }), {
      schema: fields({ spec: fields({ conditions }) }),
      version: {
        additionalPrinterColumns: [
          { name: "Ready", type: "string", jsonPath: '.spec.conditions[?(@.type=="Ready")].status' },
        ],
      },
    });
    await create("one", {
      conditions: [
        { type: "Other", status: "False" },
        { type: "Ready", status: "True" },
      ],
    });
    const shown = await tools.api.get(collection, table).expect(200);
    expect(shown.rows[0].cells).toEqual(["one", "True"]);
  });
});
