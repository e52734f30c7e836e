import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type ApplyOutcome, applyConfig } from "../../../../../src/embedded/apiserver/apply/apply-config.ts";
import { compareObjects } from "../../../../../src/embedded/apiserver/apply/compare-objects.ts";
import { unionAll } from "../../../../../src/embedded/apiserver/apply/field-set.ts";
import {
  type Managers,
  readManagers,
  writeManagers,
} from "../../../../../src/embedded/apiserver/apply/managed-entries.ts";
import { mergeConfig, removeFields } from "../../../../../src/embedded/apiserver/apply/merge-config.ts";
import { fieldsOf } from "../../../../../src/embedded/apiserver/apply/object-fields.ts";
import { updateManagers } from "../../../../../src/embedded/apiserver/apply/track-update.ts";
import type { KubeObject } from "../../../../../src/embedded/apiserver/object.ts";
import { customKinds } from "../../../../../src/embedded/apiserver/registry/custom-kind.ts";
import type { ResourceKind } from "../../../../../src/embedded/apiserver/registry/kind.ts";

const spec = {
  type: "object",
  properties: {
    size: { type: "integer" },
    labels: { type: "object", additionalProperties: { type: "string" } },
    parts: {
      type: "array",
      "x-kubernetes-list-type": "map",
      "x-kubernetes-list-map-keys": ["name"],
      items: {
        type: "object",
        required: ["name"],
        properties: { name: { type: "string" }, size: { type: "integer" } },
      },
    },
    tags: { type: "array", "x-kubernetes-list-type": "set", items: { type: "string" } },
    whole: { type: "array", items: { type: "string" } },
    frozen: { type: "object", "x-kubernetes-map-type": "atomic", additionalProperties: { type: "string" } },
  },
};
const definition = {
  apiVersion: "apiextensions.k8s.io/v1",
  kind: "CustomResourceDefinition",
  metadata: { name: "things.example.com" },
  spec: {
    group: "example.com",
    scope: "Namespaced",
    names: { kind: "Thing", plural: "things", singular: "thing", listKind: "ThingList" },
    versions: [
      {
        name: "v1",
        served: true,
        storage: true,
        schema: { openAPIV3Schema: { type: "object", properties: { spec } } },
      },
    ],
  },
};
const kind = customKinds(definition)[0] as ResourceKind;
const versions = { kindOf: (apiVersion: string) => (apiVersion === kind.apiVersion ? kind : undefined) };

const word = fc.constantFrom("a", "b", "c");
const texts = fc.dictionary(word, fc.constantFrom("1", "2"), { maxKeys: 3 });
const part = (name: string) =>
  fc.record({ name: fc.constant(name), size: fc.integer({ min: 1, max: 2 }) }, { requiredKeys: ["name"] });
// An empty list by key or member names nothing, so a second apply may put it back: Kubernetes has that too.
const specs = fc.record(
  {
    size: fc.integer({ min: 1, max: 3 }),
    labels: texts,
    parts: fc.subarray(["a", "b", "c"], { minLength: 1 }).chain((names) => fc.tuple(...names.map(part))),
    tags: fc.subarray(["t", "u", "v"], { minLength: 1 }),
    whole: fc.array(word, { maxLength: 2 }),
    frozen: texts,
  },
  { requiredKeys: [] },
);
const objects = specs.map(
  (content) =>
    ({ apiVersion: "example.com/v1", kind: "Thing", metadata: { name: "one" }, spec: content }) as KubeObject,
);
const steps = fc.array(
  fc.record({
    manager: fc.constantFrom("m1", "m2", "m3"),
    config: objects,
    isApply: fc.boolean(),
  }),
  { minLength: 1, maxLength: 6 },
);

interface State {
  readonly object: KubeObject;
  readonly managers: Managers;
}

const empty: KubeObject = { apiVersion: "example.com/v1", kind: "Thing", metadata: { name: "one" } };
const start: State = { object: empty, managers: new Map() };
const plain = <T>(value: T): T => JSON.parse(JSON.stringify(value)) as T;

function applyTo(state: State, manager: string, config: KubeObject): ApplyOutcome {
  const input = { kind, versions, live: state.object, config, managers: state.managers };
  return applyConfig({ ...input, manager, subresource: "", nowMs: 0 });
}

function updateTo(state: State, manager: string, next: KubeObject): State {
  const writer = { kind, versions, manager, subresource: "", nowMs: 0 };
  return { object: next, managers: updateManagers(state.managers, { old: state.object, next }, writer) };
}

const run = (list: readonly { manager: string; config: KubeObject; isApply: boolean }[]): State =>
  list.reduce<State>(
    (state, { manager, config, isApply }) =>
      isApply ? applyTo(state, manager, config) : updateTo(state, manager, config),
    start,
  );

/** Of this file alone: other files run in the same process. */
const runs = { numRuns: 50 };

describe("laws of apply", () => {
  test("applying the same again changes neither the object nor its managers", () => {
    fc.assert(
      fc.property(steps, objects, (before, config) => {
        const first = applyTo(run(before), "m1", config);
        const second = applyTo(first, "m1", config);
        expect(plain(second.object)).toEqual(plain(first.object));
        expect(writeManagers(second.managers)).toEqual(writeManagers(first.managers));
        expect(second.conflicts.size).toBe(0);
      }),
      runs,
    );
  });

  test("what is applied is in the result", () => {
    fc.assert(
      fc.property(steps, objects, (before, config) => {
        const { object } = applyTo(run(before), "m1", config);
        const wanted = fieldsOf(config, kind.schema);
        const { added, modified } = compareObjects(object, mergeConfig(object, config, kind.schema), kind.schema);
        expect(added.union(modified).intersection(wanted).isEmpty).toBe(true);
      }),
      runs,
    );
  });

  test("what others own and the configuration does not name stays as it was", () => {
    fc.assert(
      fc.property(steps, objects, (before, config) => {
        const state = run(before);
        const { object } = applyTo(state, "m9", config);
        const others = unionAll([...state.managers.values()].map((record) => record.fields));
        const untouched = others.difference(fieldsOf(config, kind.schema));
        expect(compareObjects(state.object, object, kind.schema).removed.intersection(untouched).isEmpty).toBe(true);
      }),
      runs,
    );
  });

  test("nobody owns a field that the object does not have", () => {
    fc.assert(
      fc.property(steps, (list) => {
        const { object, managers } = run(list);
        const { added } = compareObjects(undefined, object, kind.schema);
        for (const { fields } of managers.values()) expect(fields.difference(added).toJson()).toEqual({});
      }),
      runs,
    );
  });

  test("updates alone make ownership a partition: every field has one owner", () => {
    fc.assert(
      fc.property(steps, (list) => {
        const { object, managers } = run(list.map((step) => ({ ...step, isApply: false })));
        const records = [...managers.values()];
        for (const [index, one] of records.entries())
          for (const other of records.slice(index + 1))
            expect(one.fields.intersection(other.fields).isEmpty).toBe(true);
        const { added } = compareObjects(undefined, object.spec, kind.schema.properties?.spec ?? {});
        const owned = unionAll(records.map((record) => record.fields)).children.get("f:spec");
        expect(added.difference(owned ?? unionAll([])).toJson()).toEqual({});
      }),
      runs,
    );
  });

  test("the last one to take its fields back leaves nothing of them", () => {
    fc.assert(
      fc.property(objects, objects, (one, other) => {
        const both = applyTo(applyTo(start, "m1", one), "m2", other);
        const less = applyTo(applyTo(both, "m1", empty), "m2", empty);
        expect(less.object).not.toHaveProperty("spec");
        expect(less.managers.size).toBe(0);
      }),
      runs,
    );
  });

  test("managed fields read back as they were written", () => {
    fc.assert(
      fc.property(steps, (list) => {
        const entries = writeManagers(run(list).managers);
        expect(writeManagers(readManagers(plain(entries)) ?? new Map())).toEqual(entries);
      }),
      runs,
    );
  });
});

describe("laws of objects", () => {
  test("what is compared is what was done: removing what was added and putting back what was removed", () => {
    fc.assert(
      fc.property(objects, objects, (a, b) => {
        const forth = compareObjects(a, b, kind.schema);
        const back = compareObjects(b, a, kind.schema);
        expect(forth.added.equals(back.removed)).toBe(true);
        expect(forth.modified.equals(back.modified)).toBe(true);
      }),
      runs,
    );
  });

  test("merging is idempotent, and nothing is removed by it", () => {
    fc.assert(
      fc.property(objects, objects, (live, config) => {
        const merged = mergeConfig(live, config, kind.schema);
        expect(mergeConfig(merged, config, kind.schema)).toEqual(merged);
        expect(compareObjects(live, merged, kind.schema).removed.toJson()).toEqual({});
      }),
      runs,
    );
  });

  test("removing no field changes nothing, removing all of them leaves no spec", () => {
    fc.assert(
      fc.property(objects, (object) => {
        expect(removeFields(object, unionAll([]), kind.schema)).toEqual(object);
        const all = fieldsOf(object, kind.schema).withNamedFields(kind.schema);
        const left = removeFields(object, all, kind.schema) as KubeObject;
        expect(Object.keys(object.spec as object).length === 0 || left.spec === undefined).toBe(
          fieldsOf(object, kind.schema).children.has("f:spec") || Object.keys(object.spec as object).length === 0,
        );
      }),
      runs,
    );
  });
});
