import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { applyJsonPatch, JsonPatchError } from "../../../../../src/embedded/apiserver/patch/json-patch.ts";

const base = { a: { b: [1, 2, 3] }, "x/y": 1, "~": 2 };

describe("JSON patch", () => {
  const cases: Array<{ name: string; patch: Record<string, unknown>[]; want: unknown }> = [
    { name: "adds a field", patch: [{ op: "add", path: "/a/c", value: 1 }], want: { ...base, a: { ...base.a, c: 1 } } },
    {
      name: "inserts an item",
      patch: [{ op: "add", path: "/a/b/1", value: 9 }],
      want: { ...base, a: { b: [1, 9, 2, 3] } },
    },
    { name: "appends", patch: [{ op: "add", path: "/a/b/-", value: 9 }], want: { ...base, a: { b: [1, 2, 3, 9] } } },
    { name: "counts from the end", patch: [{ op: "remove", path: "/a/b/-1" }], want: { ...base, a: { b: [1, 2] } } },
    {
      name: "reads escapes",
      patch: [
        { op: "replace", path: "/x~1y", value: 5 },
        { op: "replace", path: "/~0", value: 6 },
      ],
      want: { ...base, "x/y": 5, "~": 6 },
    },
    {
      name: "moves",
      patch: [{ op: "move", from: "/a/b", path: "/b" }],
      want: { a: {}, "x/y": 1, "~": 2, b: [1, 2, 3] },
    },
    {
      name: "replaces what is not there",
      patch: [{ op: "replace", path: "/new", value: 1 }],
      want: { ...base, new: 1 },
    },
    { name: "takes null for absent in a test", patch: [{ op: "test", path: "/none", value: null }], want: base },
    { name: "replaces the whole", patch: [{ op: "add", path: "", value: {} }], want: {} },
  ];
  test.each(cases)("$name", ({ patch, want }) => {
    const before = JSON.stringify(base);
    expect(applyJsonPatch(base, patch)).toEqual(want);
    expect(JSON.stringify(base)).toBe(before);
  });

  const refused: Array<{ name: string; operation: Record<string, unknown> }> = [
    { name: "an unknown operation", operation: { op: "twist", path: "/a" } },
    { name: "no path", operation: { op: "remove" } },
    { name: "no value", operation: { op: "add", path: "/c" } },
    { name: "a relative path", operation: { op: "remove", path: "a" } },
    { name: "removing what is not there", operation: { op: "remove", path: "/none" } },
    { name: "adding below what is not there", operation: { op: "add", path: "/none/a", value: 1 } },
    { name: "an index behind the end", operation: { op: "add", path: "/a/b/4", value: 1 } },
    { name: "a word for an index", operation: { op: "add", path: "/a/b/x", value: 1 } },
    { name: "an index with a leading zero", operation: { op: "remove", path: "/a/b/01" } },
    { name: "a test that does not hold", operation: { op: "test", path: "/a/b", value: [1] } },
  ];
  test.each(refused)("$name is refused", ({ operation }) => {
    expect(() => applyJsonPatch(base, [operation])).toThrow(JsonPatchError);
  });

  test("law: adding and then removing a new field changes nothing", () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), fc.jsonValue(), (document, value) => {
        const path = "/new~1field";
        fc.pre(!Object.hasOwn(document, "new/field"));
        const plain = JSON.parse(JSON.stringify(document)) as unknown;
        expect(
          applyJsonPatch(plain, [
            { op: "add", path, value },
            { op: "remove", path },
          ]),
        ).toEqual(plain);
      }),
    );
  });
});
