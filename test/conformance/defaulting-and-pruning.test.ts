/** What a custom object gains by defaults and loses by pruning, and what is said of it. */
import { expect } from "vitest";
import { area, eventually } from "./support/conformance-case.ts";
import { customObjects, fields } from "./support/custom-objects.ts";

const text = { type: "string" };
const withDefault = { type: "string", default: "d" };
const definitions = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";

interface Change {
  readonly title: string;
  readonly schema: object;
  readonly given: unknown;
  readonly kept: unknown;
}

const defaulting: readonly Change[] = [
  {
    title: "a field that is absent gets its default",
    schema: fields({ a: withDefault }),
    given: {},
    kept: { a: "d" },
  },
  {
    title: "an object that is absent gets no defaults of its fields",
    schema: fields({ o: fields({ a: withDefault }) }),
    given: {},
    kept: {},
  },
  {
    title: "the default of an object is completed by those of its fields",
    schema: fields({ o: { ...fields({ a: withDefault, b: { type: "integer", default: 2 } }), default: { a: "x" } } }),
    given: {},
    kept: { o: { a: "x", b: 2 } },
  },
  {
    title: "items and map values get theirs",
    schema: fields({
      l: { type: "array", items: fields({ a: withDefault }) },
      m: { type: "object", additionalProperties: fields({ a: withDefault }) },
    }),
    given: { l: [{}], m: { k: {} } },
    kept: { l: [{ a: "d" }], m: { k: { a: "d" } } },
  },
  {
    title: "a null that is not allowed gives way to the default",
    schema: fields({ a: withDefault }),
    given: { a: null },
    kept: { a: "d" },
  },
  {
    title: "a null that is allowed stays, whatever the default",
    schema: fields({ a: { ...withDefault, nullable: true } }),
    given: { a: null },
    kept: { a: null },
  },
  {
    title: "a null that is not allowed and has no default is dropped",
    schema: fields({ a: text, b: text }),
    given: { a: null, b: "x" },
    kept: { b: "x" },
  },
  {
    title: "a value that is empty is not absent",
    schema: fields({ a: withDefault }),
    given: { a: "" },
    kept: { a: "" },
  },
];

const pruning: readonly Change[] = [
  {
    title: "a field that is not specified is dropped",
    schema: fields({ a: text }),
    given: { a: "x", b: 1 },
    kept: { a: "x" },
  },
  {
    title: "at every depth",
    schema: fields({ l: { type: "array", items: fields({ a: text }) } }),
    given: { l: [{ a: "x", b: 1 }] },
    kept: { l: [{ a: "x" }] },
  },
  {
    title: "what is preserved keeps everything below",
    schema: { type: "object", "x-kubernetes-preserve-unknown-fields": true },
    given: { any: { thing: [{ at: "all" }] } },
    kept: { any: { thing: [{ at: "all" }] } },
  },
  {
    title: "a specified field within a preserved object is pruned again",
    schema: { ...fields({ o: fields({ a: text }) }), "x-kubernetes-preserve-unknown-fields": true },
    given: { free: 1, o: { a: "x", b: 1 } },
    kept: { free: 1, o: { a: "x" } },
  },
  {
    title: "keys of a map are free, their values are not",
    schema: { type: "object", additionalProperties: fields({ a: text }) },
    given: { k: { a: "x", b: 1 } },
    kept: { k: { a: "x" } },
  },
  {
    title: "a map of anything keeps its keys, and nothing below them",
    schema: { type: "object", additionalProperties: true },
    given: { k: { a: "x" }, n: 1 },
    kept: { k: {}, n: 1 },
  },
];

area("defaulting and pruning", (conformance) => {
  for (const { title, schema, given, kept } of [...defaulting, ...pruning]) {
    conformance(title, async (tools) => {
      const { create, collection } = await customObjects(tools, schema);
      expect((await create("a", given)).spec).toEqual(kept);
      expect((await tools.api.get(`${collection}/a`).expect(200)).spec).toEqual(kept);
    });
  }

  conformance("fieldValidation Warn names what was dropped, Strict refuses it, Ignore is silent", async (tools) => {
    const { collection, object } = await customObjects(tools, fields({ a: text }));
    const given = object("a", { a: "x", b: 1 });
    const warned = await tools.api.post(`${collection}?dryRun=All`, given);
    expect(warned.headers.warning).toBe('299 - "unknown field \\"spec.b\\""');
    const silent = await tools.api.post(`${collection}?dryRun=All&fieldValidation=Ignore`, given);
    expect([silent.status, silent.headers.warning]).toEqual([201, undefined]);
    const status = await tools.api.post(`${collection}?fieldValidation=Strict`, given).refuse(400, "BadRequest");
    expect(status.message).toMatch(/strict decoding error: unknown field "spec\.b"$/);
  });

  conformance("a default that comes later shows on objects that are there already", async (tools) => {
    const { definition, create, collection } = await customObjects(tools, fields({ b: text }));
    const made = await create("a", { b: "x" });
    const schema = fields({ spec: fields({ a: withDefault, b: text }) });
    await tools.api
      .patch(`${definitions}/${definition.name}`, "json", [
        { op: "replace", path: "/spec/versions/0/schema/openAPIV3Schema", value: schema },
      ])
      .expect(200);
    await eventually("the default shows", async () => {
      const { body } = await tools.api.get(`${collection}/a`);
      return body.spec?.a === "d";
    });
    const shown = await tools.api.get(`${collection}/a`).expect(200);
    expect(shown.metadata.resourceVersion).toBe(made.metadata.resourceVersion);
  });

  conformance("metadata of the wrong type is a bad request", async (tools) => {
    const { collection, object } = await customObjects(tools, fields({ a: text }));
    await tools.api
      .post(collection, object("a", {}, { metadata: { name: "a", labels: { x: 1 } } }))
      .refuse(400, "BadRequest");
  });

  conformance("unknown fields of metadata are dropped", async (tools) => {
    const { collection, object } = await customObjects(tools, fields({ a: text }));
    const made = await tools.api
      .post(collection, object("a", {}, { metadata: { name: "a", odd: 1, labels: { x: "y" } } }))
      .expect(201);
    expect(made.metadata).toMatchObject({ labels: { x: "y" } });
    expect(made.metadata).not.toHaveProperty("odd");
  });
});
