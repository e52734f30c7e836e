import { describe, expect, test } from "vitest";
import {
  builtinDefinitions,
  builtinSchema,
  linkDefinition,
} from "../../../../../src/embedded/apiserver/schema/builtin.ts";
import { evaluateRules } from "../../../../../src/embedded/apiserver/schema/cel.ts";
import { DecodeError, decodeBuiltin } from "../../../../../src/embedded/apiserver/schema/decode-builtin.ts";
import { generateDefinitions } from "../../../../../src/embedded/apiserver/schema/generate.ts";
import { applyDefaults, pruneUnknown } from "../../../../../src/embedded/apiserver/schema/prune.ts";
import type { Schema } from "../../../../../src/embedded/apiserver/schema/schema.ts";
import { validateStructure } from "../../../../../src/embedded/apiserver/schema/validate.ts";

describe("built-in schemas", () => {
  test("the committed definitions are what the pinned client models give", () => {
    expect(builtinDefinitions()).toEqual(generateDefinitions());
  });

  test("recursive types are linked to themselves", () => {
    const props = linkDefinition("io.k8s.api.v1.JSONSchemaProps");
    expect(props.properties?.not?.properties).toBe(props.properties);
  });

  const pod = builtinSchema("", "v1", "Pod");
  test("decoding drops nulls and unknown fields, turns numbers into quantities and fills in structs", () => {
    const given = {
      metadata: { name: "a", labels: null, x: 1 },
      spec: { containers: [{ name: "c", y: 1, resources: { limits: { cpu: 1 } } }] },
    };
    const { value, unknownFields } = decodeBuiltin(given, pod);
    expect(value).toEqual({
      metadata: { name: "a" },
      spec: { containers: [{ name: "c", resources: { limits: { cpu: "1" } } }] },
      status: {},
    });
    expect(unknownFields).toEqual(["metadata.x", "spec.containers[0].y"]);
  });

  const wrong: Array<{ name: string; value: unknown; want: RegExp }> = [
    {
      name: "a string for a list",
      value: { spec: { containers: "x" } },
      want: /cannot unmarshal string into Go struct field "spec.containers" of type array/,
    },
    { name: "a number for a string", value: { metadata: { name: 1 } }, want: /field "metadata.name" of type string/ },
    { name: "a fraction for an integer", value: { spec: { priority: 1.5 } }, want: /of type integer/ },
    { name: "a quantity that is none", value: { spec: { overhead: { cpu: "lots" } } }, want: /quantities must match/ },
    { name: "a time that is none", value: { metadata: { creationTimestamp: "today" } }, want: /parsing time "today"/ },
  ];
  test.each(wrong)("$name is refused", ({ value, want }) => {
    expect(() => decodeBuiltin(value, pod)).toThrow(want);
    expect(() => decodeBuiltin(value, pod)).toThrow(DecodeError);
  });

  test("micro-times need exactly six digits", () => {
    const lease = builtinSchema("coordination.k8s.io", "v1", "Lease");
    const at = (renewTime: string) => () => decodeBuiltin({ spec: { renewTime } }, lease);
    expect(at("2026-01-01T00:00:00.123456Z")).not.toThrow();
    for (const bad of ["2026-01-01T00:00:00Z", "2026-01-01T00:00:00.123Z", "2026-01-01T00:00:00.1234567Z"])
      expect(at(bad)).toThrow(/six fractional digits/);
  });
});

const schema: Schema = {
  type: "object",
  properties: {
    a: { type: "string", default: "x" },
    n: { type: "integer", nullable: true },
    map: {
      type: "object",
      additionalProperties: { type: "object", properties: { v: { type: "integer", default: 1 } } },
    },
    keep: {
      type: "object",
      "x-kubernetes-preserve-unknown-fields": true,
      properties: { known: { type: "object", properties: {} } },
    },
    embedded: { type: "object", "x-kubernetes-embedded-resource": true, properties: {} },
  },
};

describe("pruning and defaulting", () => {
  test("unknown fields go, preserved subtrees and embedded metadata stay", () => {
    const given = {
      apiVersion: "v1",
      metadata: { anything: 1 },
      b: 1,
      map: { k: { v: 1, w: 2 } },
      keep: { free: { x: 1 }, known: { y: 1 } },
      embedded: { kind: "K", z: 1 },
    };
    const { value, unknownFields } = pruneUnknown(given, schema);
    expect(value).toEqual({
      apiVersion: "v1",
      metadata: { anything: 1 },
      map: { k: { v: 1 } },
      keep: { free: { x: 1 }, known: {} },
      embedded: { kind: "K" },
    });
    expect(unknownFields).toEqual(["b", "map.k.w", "keep.known.y", "embedded.z"]);
  });

  test("defaults fill what is absent or wrongly null, at every depth, and leave what is allowed to be null", () => {
    expect(applyDefaults({ a: null, n: null, map: { k: {} } }, schema)).toEqual({
      a: "x",
      n: null,
      map: { k: { v: 1 } },
    });
    expect(applyDefaults({ a: "y" }, schema)).toEqual({ a: "y" });
  });

  test("a name out of the prototype is no property", () => {
    const given = JSON.parse('{"__proto__": {"v": 1}, "constructor": 1}') as object;
    expect(pruneUnknown(given, schema).unknownFields).toEqual(["__proto__", "constructor"]);
  });
});

describe("validation", () => {
  const cases: Array<{ name: string; schema: Schema; value: unknown; want: string[] }> = [
    { name: "null where it is not allowed", schema: { type: "string" }, value: null, want: ["must be of type string"] },
    { name: "an integer is a number", schema: { type: "number" }, value: 1, want: [] },
    { name: "a number is no integer", schema: { type: "integer" }, value: 1.5, want: ["must be of type integer"] },
    {
      name: "int-or-string takes both and nothing else",
      schema: { "x-kubernetes-int-or-string": true },
      value: true,
      want: ["must be of type integer,string"],
    },
    {
      name: "exclusive bounds",
      schema: { type: "integer", maximum: 5, exclusiveMaximum: true },
      value: 5,
      want: ["should be less than 5"],
    },
    {
      name: "lengths count characters",
      schema: { type: "string", maxLength: 2 },
      value: "äöü",
      want: ["Too long: may not be more than 2 bytes"],
    },
    { name: "a pattern", schema: { type: "string", pattern: "^a+$" }, value: "b", want: ["should match '^a+$'"] },
    {
      name: "a format",
      schema: { type: "string", format: "date-time" },
      value: "now",
      want: ["must be of type date-time"],
    },
    {
      name: "too many items",
      schema: { type: "array", maxItems: 1, items: { type: "string" } },
      value: ["a", "b"],
      want: ["Too many: 2: must have at most 1 items"],
    },
    {
      name: "oneOf with two that hold",
      schema: { type: "integer", oneOf: [{ minimum: 1 }, { minimum: 2 }] },
      value: 3,
      want: ["Found 2 valid"],
    },
    {
      name: "anyOf with none",
      schema: { type: "integer", anyOf: [{ minimum: 5 }, { maximum: 1 }] },
      value: 3,
      want: ["at least one schema (anyOf)"],
    },
    {
      name: "not",
      schema: { type: "integer", not: { minimum: 1 } },
      value: 3,
      want: ["must not validate the schema (not)"],
    },
    { name: "multipleOf", schema: { type: "integer", multipleOf: 4 }, value: 6, want: ["should be a multiple of 4"] },
  ];
  test.each(cases)("$name", ({ schema: given, value, want }) => {
    const messages = validateStructure(value, given, "spec.x").map((finding) => finding.message);
    expect(messages).toHaveLength(want.length);
    for (const [index, part] of want.entries()) expect(messages[index]).toContain(part);
  });

  test("an unchanged part of an update is not judged again", () => {
    const tightened: Schema = {
      type: "object",
      properties: { a: { type: "string", maxLength: 1 }, b: { type: "string" } },
    };
    expect(validateStructure({ a: "long", b: "new" }, tightened, "", { a: "long", b: "old" })).toEqual([]);
    expect(validateStructure({ a: "longer", b: "old" }, tightened, "", { a: "long", b: "old" })).toHaveLength(1);
  });
});

describe("CEL rules", () => {
  const judge = (rule: string, value: unknown, old?: unknown, more: Schema = {}) =>
    evaluateRules({
      value,
      old,
      schema: {
        type: "object",
        "x-kubernetes-preserve-unknown-fields": true,
        "x-kubernetes-validations": [{ rule }],
        ...more,
      },
      path: "spec",
    });
  const holds: Array<{ rule: string; value: unknown }> = [
    { rule: "!has(self.a) || self.a > 1", value: {} },
    { rule: "self.items.all(i, i.v > 0) && self.items.exists(i, i.v == 2)", value: { items: [{ v: 1 }, { v: 2 }] } },
    { rule: "size(self.list) == 2 && self.list.exists_one(x, x == 'a')", value: { list: ["a", "b"] } },
    { rule: "self.s.matches('^[a-z]+$') && self.s.startsWith('a') && !self.s.contains('z')", value: { s: "abc" } },
    { rule: "self.kind in ['A', 'B']", value: { kind: "A" } },
    { rule: "'k' in self.map", value: { map: { k: 1 } } },
    { rule: "self.list.map(x, x.n).filter(n, n > 1).size() == 1", value: { list: [{ n: 1 }, { n: 2 }] } },
    { rule: "(has(self.a) ? 1 : 0) + (has(self.b) ? 1 : 0) == 1", value: { b: 1 } },
    { rule: "!has(self.constructor) && !has(self.toString)", value: {} },
    { rule: "self.a.replace('x', 'y') == 'yy' && 'a1b2'.find('[0-9]+') == '1'", value: { a: "xx" } },
    { rule: "[1, 2, 3].isSorted() && [3, 1].max() == 3 && [1, 2].sum() == 3", value: {} },
  ];
  test.each(holds)("$rule holds", ({ rule, value }) => expect(judge(rule, value)).toEqual([]));

  test("a rule that reads oldSelf runs on updates only", () => {
    expect(judge("self.a == oldSelf.a", { a: 1 })).toEqual([]);
    expect(judge("self.a == oldSelf.a", { a: 1 }, { a: 1 })).toEqual([]);
    expect(judge("self.a == oldSelf.a", { a: 1 }, { a: 2 })[0]?.message).toContain("failed rule: self.a == oldSelf.a");
  });

  test("optionalOldSelf runs on creation too", () => {
    const rules: Schema = {
      "x-kubernetes-validations": [{ rule: "!oldSelf.hasValue()", optionalOldSelf: true, message: "born only" }],
    };
    expect(judge("", { a: 1 }, undefined, rules)).toEqual([]);
    expect(judge("", { a: 1 }, { a: 2 }, rules)).toHaveLength(1);
  });

  test("a missing field in a rule is an evaluation error of the object, worded as such", () => {
    expect(judge("self.a > 1", {})[0]?.message).toMatch(/rule evaluation error: .*a/);
  });

  test("messageExpression, fieldPath and reason shape the finding", () => {
    const rules: Schema = {
      "x-kubernetes-validations": [
        { rule: "false", messageExpression: "'got ' + string(self.a)", fieldPath: ".a", reason: "FieldValueForbidden" },
      ],
    };
    expect(judge("", { a: 1 }, undefined, rules)).toEqual([
      { field: "spec.a", reason: "FieldValueForbidden", message: "Forbidden: got 1" },
    ]);
  });

  test("items of a list-map are compared with their own past, others are not", () => {
    const item: Schema = {
      type: "object",
      "x-kubernetes-preserve-unknown-fields": true,
      properties: { name: { type: "string" } },
      "x-kubernetes-validations": [{ rule: "self.v == oldSelf.v" }],
    };
    const list = (type: "map" | "atomic"): Schema => ({
      type: "array",
      items: item,
      "x-kubernetes-list-type": type,
      ...(type === "map" ? { "x-kubernetes-list-map-keys": ["name"] } : {}),
    });
    const now = [
      { name: "b", v: 1 },
      { name: "a", v: 9 },
    ];
    const before = [
      { name: "a", v: 2 },
      { name: "b", v: 1 },
    ];
    const paths = (type: "map" | "atomic") =>
      evaluateRules({ value: now, old: before, schema: list(type), path: "l" }).map((finding) => finding.field);
    expect(paths("map")).toEqual(["l[1]"]);
    expect(paths("atomic")).toEqual([]);
  });
});
