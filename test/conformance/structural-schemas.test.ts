/** Custom objects against their structural schema: every value validation, in the server's own words. */
import { expect } from "vitest";
import { area } from "./support/conformance-case.ts";
import { customObjects, fields } from "./support/custom-objects.ts";

interface Wrong {
  readonly title: string;
  readonly schema: object;
  readonly value: unknown;
  readonly field?: string;
  readonly reason?: string;
  readonly message: string;
}

const typeInvalid = "FieldValueTypeInvalid";
const wrong: readonly Wrong[] = [
  {
    title: "a text for an integer",
    schema: { type: "integer" },
    value: "two",
    reason: typeInvalid,
    message: 'Invalid value: "string": spec.a in body must be of type integer: "string"',
  },
  {
    title: "a fraction for an integer",
    schema: { type: "integer" },
    value: 1.5,
    reason: typeInvalid,
    message: 'Invalid value: "number": spec.a in body must be of type integer: "number"',
  },
  {
    title: "a list for an object",
    schema: { type: "object" },
    value: [],
    reason: typeInvalid,
    message: 'Invalid value: "array": spec.a in body must be of type object: "array"',
  },
  {
    title: "a boolean for int-or-string",
    schema: { "x-kubernetes-int-or-string": true },
    value: true,
    reason: typeInvalid,
    message: 'Invalid value: "boolean": spec.a in body must be of type integer,string: "boolean"',
  },
  {
    title: "a word outside an enum",
    schema: { type: "string", enum: ["x", "y"] },
    value: "z",
    reason: "FieldValueNotSupported",
    message: 'Unsupported value: "z": supported values: "x", "y"',
  },
  {
    title: "a number outside an enum",
    schema: { type: "integer", enum: [1, 2] },
    value: 3,
    reason: "FieldValueNotSupported",
    message: 'Unsupported value: 3: supported values: "1", "2"',
  },
  {
    title: "null is no value of an enum, even where it is allowed",
    schema: { type: "string", nullable: true, enum: ["x", null] },
    value: null,
    reason: "FieldValueNotSupported",
    message: 'Unsupported value: null: supported values: "x", "null"',
  },
  {
    title: "less than the minimum",
    schema: { type: "integer", minimum: 1 },
    value: 0,
    message: "Invalid value: 0: spec.a in body should be greater than or equal to 1",
  },
  {
    title: "as much as an exclusive maximum",
    schema: { type: "number", maximum: 2.5, exclusiveMaximum: true },
    value: 2.5,
    message: "Invalid value: 2.5: spec.a in body should be less than 2.5",
  },
  {
    title: "no multiple",
    schema: { type: "integer", multipleOf: 4 },
    value: 6,
    message: "Invalid value: 6: spec.a in body should be a multiple of 4",
  },
  {
    title: "a text that is too long, in characters",
    schema: { type: "string", maxLength: 3 },
    value: "äöüß",
    reason: "FieldValueTooLong",
    message: "Too long: may not be more than 3 bytes",
  },
  {
    title: "a text that is too short",
    schema: { type: "string", minLength: 2 },
    value: "ä",
    message: 'Invalid value: "ä": spec.a in body should be at least 2 chars long',
  },
  {
    title: "a text that does not match its pattern",
    schema: { type: "string", pattern: "^[a-z]+$" },
    value: "A1",
    message: "Invalid value: \"A1\": spec.a in body should match '^[a-z]+$'",
  },
  {
    title: "a pattern in RE2 syntax with a flag",
    schema: { type: "string", pattern: "(?i)^abc$" },
    value: "abd",
    message: "Invalid value: \"abd\": spec.a in body should match '(?i)^abc$'",
  },
  {
    title: "a time that is none",
    schema: { type: "string", format: "date-time" },
    value: "yesterday",
    reason: typeInvalid,
    message: 'Invalid value: "yesterday": spec.a in body must be of type date-time: "yesterday"',
  },
  {
    title: "base64 that is none",
    schema: { type: "string", format: "byte" },
    value: "%%%",
    reason: typeInvalid,
    message: 'Invalid value: "%%%": spec.a in body must be of type byte: "%%%"',
  },
  {
    title: "a duration that is none",
    schema: { type: "string", format: "duration" },
    value: "soon",
    reason: typeInvalid,
    message: 'Invalid value: "soon": spec.a in body must be of type duration: "soon"',
  },
  {
    title: "an address that is none",
    schema: { type: "string", format: "ipv4" },
    value: "1.2.3",
    reason: typeInvalid,
    message: 'Invalid value: "1.2.3": spec.a in body must be of type ipv4: "1.2.3"',
  },
  {
    title: "a short name of Kubernetes that is none",
    schema: { type: "string", format: "k8s-short-name" },
    value: "Not_Short",
    reason: typeInvalid,
    message: 'Invalid value: "Not_Short": spec.a in body must be of type k8s-short-name: "Not_Short"',
  },
  {
    title: "too many items",
    schema: { type: "array", maxItems: 1, items: { type: "string" } },
    value: ["a", "b"],
    reason: "FieldValueTooMany",
    message: "Too many: 2: must have at most 1 item",
  },
  {
    title: "too few items",
    schema: { type: "array", minItems: 1, items: { type: "string" } },
    value: [],
    message: "Invalid value: 0: spec.a in body should have at least 1 items",
  },
  {
    title: "an item of the wrong type",
    schema: { type: "array", items: { type: "string" } },
    value: ["a", 1],
    field: "spec.a[1]",
    reason: typeInvalid,
    message: 'Invalid value: "integer": spec.a[1] in body must be of type string: "integer"',
  },
  {
    title: "too many keys",
    schema: { type: "object", maxProperties: 1, additionalProperties: { type: "string" } },
    value: { x: "1", y: "2" },
    reason: "FieldValueTooMany",
    message: "Too many: 2: must have at most 1 item",
  },
  {
    title: "a value of a map",
    schema: { type: "object", additionalProperties: { type: "integer" } },
    value: { x: "1" },
    field: "spec.a.x",
    reason: typeInvalid,
    message: 'Invalid value: "string": spec.a.x in body must be of type integer: "string"',
  },
  {
    title: "a required field of a required object",
    schema: fields({ b: { type: "string" } }, { required: ["b"] }),
    value: {},
    field: "spec.a.b",
    reason: "FieldValueRequired",
    message: "Required value",
  },
  {
    title: "a value that not excludes",
    schema: { type: "integer", not: { minimum: 5 } },
    value: 6,
    field: "<nil>",
    message: 'Invalid value: "": "spec.a" must not validate the schema (not)',
  },
  {
    title: "two of what should be one",
    schema: { type: "integer", oneOf: [{ minimum: 1 }, { minimum: 2 }] },
    value: 3,
    field: "<nil>",
    message: 'Invalid value: "": "spec.a" must validate one and only one schema (oneOf). Found 2 valid alternatives',
  },
  {
    title: "none of any",
    schema: { type: "integer", anyOf: [{ minimum: 5 }, { maximum: 1 }] },
    value: 3,
    field: "<nil>",
    message: 'Invalid value: "": "spec.a" must validate at least one schema (anyOf)',
  },
  {
    title: "not all of all",
    schema: { type: "integer", allOf: [{ minimum: 5 }, { maximum: 9 }] },
    value: 3,
    field: "<nil>",
    message: 'Invalid value: "": "spec.a" must validate all the schemas (allOf)',
  },
  {
    title: "no scalar for an enum in anyOf of int-or-string",
    schema: {
      "x-kubernetes-int-or-string": true,
      anyOf: [{ type: "integer" }, { type: "string" }],
      pattern: "^[0-9]+%$",
    },
    value: "half",
    message: "Invalid value: \"half\": spec.a in body should match '^[0-9]+%$'",
  },
];

area("structural schemas", (conformance) => {
  for (const { title, schema, value, field = "spec.a", reason = "FieldValueInvalid", message } of wrong) {
    conformance(title, async (tools) => {
      const { refuse } = await customObjects(tools, fields({ a: schema }));
      const causes = await refuse("bad", { a: value });
      expect(causes).toContainEqual({ field, reason, message });
    });
  }

  conformance("all that is wrong is told at once, under the whole message", async (tools) => {
    const { collection, object } = await customObjects(
      tools,
      fields({ a: { type: "integer", minimum: 1 }, b: { type: "string", minLength: 2 } }, { required: ["c"] }),
    );
    const status = await tools.api.post(collection, object("bad", { a: 0, b: "" })).refuse(422, "Invalid");
    const named = status.details.causes.map((cause: { field: string }) => cause.field).sort();
    expect(named).toEqual(["spec.a", "spec.b", "spec.c"]);
    expect(status.message).toMatch(/^Thing\.[^ ]+ "bad" is invalid: \[spec\./);
  });

  const right: ReadonlyArray<readonly [title: string, schema: object, value: unknown]> = [
    ["an integer is a number", { type: "number" }, 1],
    ["a whole number with a point is an integer", { type: "integer" }, 2.0],
    ["an unknown format is not checked", { type: "string", format: "colour" }, "anything"],
    ["null where it is allowed", { type: "string", nullable: true }, null],
    ["int-or-string takes an integer", { "x-kubernetes-int-or-string": true }, 5],
    ["int-or-string takes a text", { "x-kubernetes-int-or-string": true }, "5%"],
    ["a duration as Go writes it", { type: "string", format: "duration" }, "1h30m0.5s"],
    ["a decimal multiple", { type: "number", multipleOf: 0.1 }, 0.3],
  ];
  for (const [title, schema, value] of right) {
    conformance(title, async (tools) => {
      const { create } = await customObjects(tools, fields({ a: schema }));
      expect((await create("good", { a: value })).spec.a).toEqual(value);
    });
  }

  conformance("what a schema says of metadata.name counts", async (tools) => {
    const name = { type: "string", maxLength: 3 };
    const schema = fields({ metadata: { type: "object", properties: { name } }, spec: { type: "object" } });
    const { api, define } = tools;
    const definition = await define({ kind: "Thing", schema });
    const object = { apiVersion: definition.apiVersion(), kind: "Thing", metadata: { name: "long" }, spec: {} };
    const status = await api.post(await definition.path(), object).refuse(422, "Invalid");
    expect(status.details.causes).toMatchObject([{ field: "metadata.name", reason: "FieldValueTooLong" }]);
  });
});
