import { describe, expect, test } from "vitest";
import { mergePatch } from "../../../../../src/embedded/apiserver/patch/apply-patch.ts";
import { strategicMerge } from "../../../../../src/embedded/apiserver/patch/strategic-merge.ts";
import { builtinSchema } from "../../../../../src/embedded/apiserver/schema/builtin.ts";

const pod = builtinSchema("", "v1", "Pod");
const base = {
  metadata: { finalizers: ["a", "b"], labels: { x: "1" } },
  spec: {
    containers: [
      { name: "a", image: "1", ports: [{ containerPort: 80 }], args: ["old"] },
      { name: "b", image: "2" },
    ],
    volumes: [{ name: "v", emptyDir: {} }],
    tolerations: [{ key: "t" }],
  },
};

describe("strategic merge patch", () => {
  const cases: Array<{ name: string; patch: Record<string, unknown>; want: Record<string, unknown> }> = [
    {
      name: "list items merge by their key, new ones are added",
      patch: {
        spec: {
          containers: [
            { name: "b", image: "3" },
            { name: "c", image: "4" },
          ],
        },
      },
      want: {
        spec: {
          ...base.spec,
          containers: [base.spec.containers[0], { name: "b", image: "3" }, { name: "c", image: "4" }],
        },
      },
    },
    {
      name: "$patch: delete removes an item",
      patch: { spec: { containers: [{ name: "a", $patch: "delete" }] } },
      want: { spec: { ...base.spec, containers: [{ name: "b", image: "2" }] } },
    },
    {
      name: "$patch: replace replaces a list",
      patch: { spec: { containers: [{ $patch: "replace" }, { name: "z", image: "9" }] } },
      want: { spec: { ...base.spec, containers: [{ name: "z", image: "9" }] } },
    },
    {
      name: "a list without a key is replaced",
      patch: { spec: { tolerations: [{ key: "u" }] } },
      want: { spec: { ...base.spec, tolerations: [{ key: "u" }] } },
    },
    {
      name: "a set takes new members, first, and gives up named ones",
      patch: { metadata: { finalizers: ["c"], "$deleteFromPrimitiveList/finalizers": ["a"] } },
      want: { metadata: { ...base.metadata, finalizers: ["c", "b"] } },
    },
    {
      name: "$retainKeys drops the other keys of a volume",
      patch: { spec: { volumes: [{ name: "v", $retainKeys: ["name", "hostPath"], hostPath: { path: "/x" } }] } },
      want: { spec: { ...base.spec, volumes: [{ name: "v", hostPath: { path: "/x" } }] } },
    },
    {
      name: "$setElementOrder orders the items it names",
      patch: { spec: { "$setElementOrder/containers": [{ name: "b" }, { name: "a" }] } },
      want: { spec: { ...base.spec, containers: [base.spec.containers[1], base.spec.containers[0]] } },
    },
    {
      name: "null removes a field",
      patch: { metadata: { labels: null } },
      want: { metadata: { finalizers: ["a", "b"] } },
    },
    {
      name: "$patch: replace replaces a map",
      patch: { metadata: { labels: { $patch: "replace", y: "2" } } },
      want: { metadata: { ...base.metadata, labels: { y: "2" } } },
    },
  ];
  test.each(cases)("$name", ({ patch, want }) => {
    const before = JSON.stringify(base);
    expect(strategicMerge(base, patch, pod)).toEqual({ ...base, ...want });
    expect(JSON.stringify(base)).toBe(before);
  });

  test("an item without its merge key is refused", () => {
    expect(() => strategicMerge(base, { spec: { containers: [{ image: "x" }] } }, pod)).toThrow(
      /does not contain declared merge key: name/,
    );
  });
});

describe("JSON merge patch (RFC 7396)", () => {
  const cases: Array<{ target: unknown; patch: unknown; want: unknown }> = [
    { target: { a: "b" }, patch: { a: "c" }, want: { a: "c" } },
    { target: { a: "b" }, patch: { a: null }, want: {} },
    { target: { a: ["b"] }, patch: { a: "c" }, want: { a: "c" } },
    { target: { a: { b: "c" } }, patch: { a: { b: "d", c: null } }, want: { a: { b: "d" } } },
    { target: { a: [{ b: "c" }] }, patch: { a: [1] }, want: { a: [1] } },
    { target: "foo", patch: { a: { bb: { ccc: null } } }, want: { a: { bb: {} } } },
  ];
  test.each(cases)("%j", ({ target, patch, want }) => expect(mergePatch(target, patch)).toEqual(want));
});
