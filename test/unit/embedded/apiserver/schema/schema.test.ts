import { describe, expect, test } from "vitest";
import {
  builtinDefinitions,
  builtinSchema,
  linkDefinition,
} from "../../../../../src/embedded/apiserver/schema/builtin.ts";
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
      want: /cannot unmarshal string into Go struct field PodSpec.spec.containers of type \[\]v1.Container/,
    },
    {
      name: "a number for a string",
      value: { metadata: { name: 1 } },
      want: /number into Go struct field ObjectMeta.metadata.name of type string/,
    },
    { name: "a fraction for an integer", value: { spec: { priority: 1.5 } }, want: /number 1.5 into .* of type int32/ },
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
    expect(unknownFields).toEqual(["b", "embedded.z", "keep.known.y", "map.k.w"]);
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
      want: ["Too many: 2: must have at most 1 item"],
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
      want: ["at least one schema (anyOf)", "greater than or equal to 5"],
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
