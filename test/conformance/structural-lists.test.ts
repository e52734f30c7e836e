/** Lists as sets and maps, embedded resources and preserved fields of custom objects. */
import { expect } from "vitest";
import { area } from "./support/conformance-case.ts";
import { customObjects, fields } from "./support/custom-objects.ts";

const text = { type: "string" };
const set = { type: "array", items: text, "x-kubernetes-list-type": "set" };
const byName = {
  type: "array",
  items: fields({ name: text, port: { type: "integer", default: 1 }, v: text }, { required: ["name"] }),
  "x-kubernetes-list-type": "map",
  "x-kubernetes-list-map-keys": ["name"],
};
const twoKeys = { ...byName, "x-kubernetes-list-map-keys": ["name", "port"] };
const embedded = {
  type: "object",
  "x-kubernetes-embedded-resource": true,
  "x-kubernetes-preserve-unknown-fields": true,
};

area("structural lists and embedded resources", (conformance) => {
  conformance("a set has no member twice", async (tools) => {
    const { refuse } = await customObjects(tools, fields({ l: set }));
    expect(await refuse("bad", { l: ["a", "b", "a"] })).toEqual([
      { field: "spec.l[2]", reason: "FieldValueDuplicate", message: 'Duplicate value: "a"' },
    ]);
  });

  conformance("a member that stands there three times is told once", async (tools) => {
    const { refuse } = await customObjects(tools, fields({ l: set }));
    expect(await refuse("bad", { l: ["a", "a", "a"] })).toHaveLength(1);
  });

  conformance("a map has no key twice", async (tools) => {
    const { refuse } = await customObjects(tools, fields({ l: byName }));
    expect(await refuse("bad", { l: [{ name: "a" }, { name: "a", v: "x" }] })).toEqual([
      { field: "spec.l[1]", reason: "FieldValueDuplicate", message: 'Duplicate value: {"name":"a"}' },
    ]);
  });

  conformance("several keys count together, defaults included", async (tools) => {
    const { refuse, create } = await customObjects(tools, fields({ l: twoKeys }));
    const made = await create("good", { l: [{ name: "a", port: 2 }, { name: "a" }] });
    expect(made.spec.l).toEqual([
      { name: "a", port: 2 },
      { name: "a", port: 1 },
    ]);
    expect(await refuse("bad", { l: [{ name: "a", port: 1 }, { name: "a" }] })).toMatchObject([
      { field: "spec.l[1]", message: 'Duplicate value: {"name":"a","port":1}' },
    ]);
  });

  conformance("apply merges a map list by its keys, and a set by its members", async (tools) => {
    const { collection, object } = await customObjects(tools, fields({ m: byName, s: set }));
    const apply = (manager: string, spec: object) =>
      tools.api.patch(`${collection}/a?fieldManager=${manager}`, "apply", JSON.stringify(object("a", spec)));
    await apply("one", { m: [{ name: "x", v: "1" }], s: ["p"] }).expect(201);
    const both = await apply("two", { m: [{ name: "y", v: "2" }], s: ["q"] }).expect(200);
    expect(both.spec.m).toMatchObject([
      { name: "x", v: "1" },
      { name: "y", v: "2" },
    ]);
    expect(both.spec.s).toEqual(["p", "q"]);
  });

  conformance("apply replaces an atomic list whole, in conflict with who had it", async (tools) => {
    const { collection, object } = await customObjects(tools, fields({ l: { type: "array", items: text } }));
    const apply = (manager: string, l: string[], query = "") =>
      tools.api.patch(`${collection}/a?fieldManager=${manager}${query}`, "apply", JSON.stringify(object("a", { l })));
    await apply("one", ["a"]).expect(201);
    await apply("two", ["b"]).refuse(409, "Conflict");
    expect((await apply("two", ["b"], "&force=true").expect(200)).spec.l).toEqual(["b"]);
  });

  conformance("an embedded resource says what it is", async (tools) => {
    const { refuse } = await customObjects(tools, fields({ o: embedded }));
    const causes = await refuse("bad", { o: { metadata: { name: "x" } } });
    const named = causes.map(({ field, reason }: { field: string; reason: string }) => `${field} ${reason}`).sort();
    expect(named).toEqual(["spec.o.apiVersion FieldValueRequired", "spec.o.kind FieldValueRequired"]);
  });

  conformance("the metadata of an embedded resource is checked as metadata", async (tools) => {
    const { refuse } = await customObjects(tools, fields({ o: embedded }));
    const o = { apiVersion: "v1", kind: "Pod", metadata: { name: "x", labels: { "a/b/c": "x" } } };
    expect(await refuse("bad", { o })).toMatchObject([
      { field: "spec.o.metadata.labels", reason: "FieldValueInvalid" },
    ]);
  });

  conformance("unknown fields of embedded metadata go, all others stay", async (tools) => {
    const { create } = await customObjects(tools, fields({ o: embedded }));
    const o = { apiVersion: "v1", kind: "Pod", metadata: { name: "x", odd: 1 }, spec: { free: [1, { deep: true }] } };
    expect((await create("good", { o })).spec.o).toMatchObject({
      metadata: { name: "x" },
      spec: { free: [1, { deep: true }] },
    });
  });
});
