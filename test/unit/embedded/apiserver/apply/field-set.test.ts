import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { compareObjects } from "../../../../../src/embedded/apiserver/apply/compare-objects.ts";
import { type FieldSet, fieldSetFromJson, formatPath } from "../../../../../src/embedded/apiserver/apply/field-set.ts";
import { fieldsOf } from "../../../../../src/embedded/apiserver/apply/object-fields.ts";
import { fieldsFromJson, fieldsToJson } from "../../../../../src/embedded/apiserver/apply/shared-fields.ts";
import { builtinSchema } from "../../../../../src/embedded/apiserver/schema/builtin.ts";

const json = fc.letrec((tie) => ({
  node: fc.dictionary(
    fc.constantFrom("f:a", "f:b", "f:c"),
    fc.oneof({ depthSize: "small" }, fc.constant({}), tie("node")),
    { minKeys: 1, maxKeys: 3 },
  ),
})).node as fc.Arbitrary<Record<string, unknown>>;
const sets = json.map((value) => fieldSetFromJson(value));
const paths = (set: FieldSet) => new Set([...set.paths()].map((path) => path.join("/")));

describe("field sets", () => {
  test("law: the operations are those of sets of paths", () => {
    fc.assert(
      fc.property(sets, sets, (a, b) => {
        expect(paths(a.union(b))).toEqual(paths(a).union(paths(b)));
        expect(paths(a.intersection(b))).toEqual(paths(a).intersection(paths(b)));
        expect(paths(a.difference(b))).toEqual(paths(a).difference(paths(b)));
      }),
    );
  });

  test("law: the JSON form reads back the same", () => {
    fc.assert(
      fc.property(sets, (set) => {
        expect(fieldSetFromJson(set.toJson()).equals(set)).toBe(true);
      }),
    );
  });

  test("paths are shown as Kubernetes shows them", () => {
    expect(formatPath(["f:spec", "f:containers", 'k:{"name":"a"}', "f:image"])).toBe(
      '.spec.containers[name="a"].image',
    );
    expect(formatPath(["f:metadata", "f:finalizers", 'v:"x"'])).toBe('.metadata.finalizers[="x"]');
  });
});

describe("fields of objects", () => {
  const pod = builtinSchema("", "v1", "Pod");
  test("maps by field, list-maps by key, sets by member, other lists whole", () => {
    const value = {
      metadata: { labels: { a: "1" }, finalizers: ["f"] },
      spec: { containers: [{ name: "c", args: ["x"], ports: [{ containerPort: 80 }] }], nodeSelector: { n: "1" } },
    };
    expect(fieldsOf(value, pod).toJson()).toEqual({
      "f:metadata": { "f:finalizers": { 'v:"f"': {} }, "f:labels": { "f:a": {} } },
      "f:spec": {
        "f:containers": {
          'k:{"name":"c"}': {
            ".": {},
            "f:args": {},
            "f:name": {},
            "f:ports": { 'k:{"containerPort":80,"protocol":"TCP"}': { ".": {}, "f:containerPort": {} } },
          },
        },
        "f:nodeSelector": {},
      },
    });
  });

  test("only leaves that both have and that differ are modified", () => {
    const before = { spec: { containers: [{ name: "c", image: "1", args: ["x"] }], priority: 1 } };
    const after = { spec: { containers: [{ name: "c", image: "2", args: ["x"], tty: true }], priority: 1 } };
    expect(compareObjects(before, after, pod).modified.toJson()).toEqual({
      "f:spec": { "f:containers": { 'k:{"name":"c"}': { "f:image": {} } } },
    });
  });
});

describe("shared field sets", () => {
  const ofLabel = (name: string) => fieldSetFromJson({ "f:metadata": { "f:labels": { [`f:${name}`]: {} } } });

  test("equal ones have one JSON, which is read back without being walked", () => {
    const json = fieldsToJson(ofLabel("a"));
    expect(fieldsToJson(ofLabel("a"))).toBe(json);
    expect(fieldsFromJson(json)).toBe(fieldsFromJson(json));
    expect(fieldsFromJson(json).equals(ofLabel("a"))).toBe(true);
    expect(fieldsToJson(ofLabel("b"))).not.toEqual(json);
  });

  test("are forgotten where there are too many, and are then only made again", () => {
    const first = fieldsToJson(ofLabel("first"));
    for (let index = 0; index < 5_000; index++) fieldsToJson(ofLabel(`label-${index}`));
    expect(fieldsToJson(ofLabel("first"))).not.toBe(first);
    expect(fieldsToJson(ofLabel("first"))).toEqual(first);
    expect(fieldsFromJson(first).equals(ofLabel("first"))).toBe(true);
  });
});
