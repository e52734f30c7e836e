import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { cloneJson, type JsonObject } from "../../../../../src/embedded/apiserver/json-value.ts";
import type { KubeObject } from "../../../../../src/embedded/apiserver/object.ts";
import { mergePatch } from "../../../../../src/embedded/apiserver/patch/apply-patch.ts";
import { customKinds } from "../../../../../src/embedded/apiserver/registry/custom-kind.ts";

const part = {
  type: "object",
  properties: {
    size: { type: "integer", default: 3 },
    note: { type: "string", nullable: true },
    names: { type: "array", items: { type: "string" }, "x-kubernetes-list-type": "set" },
    deep: { type: "object", properties: { on: { type: "boolean", default: true }, at: { type: "string" } } },
    free: { type: "object", "x-kubernetes-preserve-unknown-fields": true },
  },
};

const definition = {
  ...{ apiVersion: "apiextensions.k8s.io/v1", kind: "CustomResourceDefinition" },
  metadata: { name: "things.example.com", resourceVersion: "5" },
  spec: {
    ...{ group: "example.com", scope: "Namespaced", names: { plural: "things", kind: "Thing" } },
    versions: [
      {
        ...{ name: "v1", served: true, storage: true, subresources: { status: {} } },
        schema: { openAPIV3Schema: { type: "object", properties: { spec: part, status: part } } },
      },
    ],
  },
} as unknown as KubeObject;

const [kind] = customKinds(definition);
if (kind === undefined) throw new Error("the definition serves no version");

const content = fc.record(
  {
    size: fc.oneof(fc.integer(), fc.constant(null)),
    note: fc.oneof(fc.string(), fc.constant(null)),
    names: fc.array(fc.string(), { maxLength: 3 }),
    deep: fc.oneof(fc.record({ at: fc.string(), on: fc.boolean() }, { requiredKeys: [] }), fc.constant(null)),
    free: fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 1 }), { maxKeys: 2 }),
    unknown: fc.boolean(),
  },
  { requiredKeys: [] },
);
const things = fc.record({ spec: content, status: content }, { requiredKeys: [] });
const metadata = fc.record(
  {
    labels: fc.dictionary(fc.constantFrom("a", "b"), fc.constantFrom("x", "y")),
    generation: fc.nat(),
    finalizers: fc.array(fc.string(), { maxLength: 2 }),
  },
  { requiredKeys: [] },
);

const thing = (parts: JsonObject, more: JsonObject): JsonObject => ({
  ...{ apiVersion: "example.com/v1", kind: "Thing", ...parts },
  metadata: { name: "one", namespace: "default", ...more },
});

describe("an object that shares parts with a known one", () => {
  test("law: is read as if it shared nothing, and the known one stays as it was", () => {
    fc.assert(
      fc.property(things, metadata, things, metadata, (before, own, change, other) => {
        const known = kind.decode(cloneJson(thing(before, own)), true).object;
        const kept = structuredClone(known);
        const patched = mergePatch(known, { ...change, metadata: other }) as JsonObject;
        const shared = kind.decode(patched, true, known);
        expect(shared).toEqual(kind.decode(cloneJson(patched), true));
        expect(known).toEqual(kept);
      }),
    );
  });

  test("takes over what was not touched, so that nobody need look at it again", () => {
    const known = kind.decode(thing({ spec: { note: "kept" }, status: { size: 1 } }, {}), true).object;
    const { object } = kind.decode(mergePatch(known, { status: { size: 2 } }) as JsonObject, true, known);
    expect(object.spec).toBe(known.spec);
    expect(object.status).toEqual({ size: 2 });
    expect(object.metadata).toEqual(known.metadata);
  });
});
