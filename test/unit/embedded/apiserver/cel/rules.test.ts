import { describe, expect, test } from "vitest";
import { compiledRulesOf } from "../../../../../src/embedded/apiserver/schema/compiled-rules.ts";
import { evaluateRules } from "../../../../../src/embedded/apiserver/schema/evaluate-rules.ts";
import type { Schema, ValidationRule } from "../../../../../src/embedded/apiserver/schema/schema.ts";

const int: Schema = { type: "integer" };
const text: Schema = { type: "string" };
const listOf = (items: Schema): Schema => ({ type: "array", items });
const fields: Schema = {
  type: "object",
  properties: {
    a: int,
    b: int,
    s: text,
    d: { type: "number" },
    any: { "x-kubernetes-int-or-string": true },
    when: { type: "string", format: "date-time" },
    ttl: { type: "string", format: "duration" },
    raw: { type: "string", format: "byte" },
    maybe: { type: "string", nullable: true },
    items: listOf({ type: "object", properties: { v: int } }),
    list: listOf(text),
    set: { ...listOf(text), "x-kubernetes-list-type": "set" },
    keyed: {
      ...listOf({ type: "object", properties: { name: text, v: int } }),
      "x-kubernetes-list-type": "map",
      "x-kubernetes-list-map-keys": ["name"],
    },
    map: { type: "object", additionalProperties: int },
    "x-dash.dot": text,
    namespace: text,
    under__score: text,
  },
};

function judge(rule: string | ValidationRule, spec: unknown, old?: unknown) {
  const rules = [typeof rule === "string" ? { rule } : rule];
  const schema: Schema = { type: "object", properties: { spec: { ...fields, "x-kubernetes-validations": rules } } };
  const compiled = compiledRulesOf(schema);
  const problems = compiled.of(schema.properties?.spec as Schema)?.problems ?? [];
  if (problems.length > 0) throw new Error(problems.map(({ detail }) => detail).join());
  const before = old === undefined ? undefined : { spec: old };
  return evaluateRules(compiled, schema, { spec }, { old: before, isOldJudged: false });
}

describe("rules see the object through its schema", () => {
  const holds: Array<[rule: string, spec: unknown]> = [
    ["!has(self.a) || self.a > 1", {}],
    ["self.items.all(i, i.v > 0) && self.items.exists(i, i.v == 2)", { items: [{ v: 1 }, { v: 2 }] }],
    ["self.items[1].v == 2 && has(self.items[1].v)", { items: [{ v: 1 }, { v: 2 }] }],
    ["self.d / 2.0 == 0.5 && type(self.d) == double && type(self.a) == int", { d: 1, a: 1 }],
    ["type(self.any) == string ? self.any == '80%' : self.any == 80", { any: "80%" }],
    ["type(self.any) == string ? self.any == '80%' : self.any == 80", { any: 80 }],
    [
      "self.when < timestamp('2021-01-01T00:00:00Z') && self.when.getFullYear() == 2020",
      { when: "2020-05-01T00:00:00Z" },
    ],
    ["self.ttl > duration('1h') && self.ttl == duration('5400s')", { ttl: "1h30m" }],
    ["self.raw == b'hi'", { raw: "aGk=" }],
    ["has(self.maybe) && self.maybe == null", { maybe: null }],
    ["'k' in self.map && self.map['k'] == 1 && self.map.all(k, k != '')", { map: { k: 1 } }],
    ["self.set == ['b', 'a'] && self.set + ['a', 'c'] == ['a', 'b', 'c']", { set: ["a", "b"] }],
    ["self.list != ['b', 'a']", { list: ["a", "b"] }],
    ["self.x__dash__dash__dot__dot == 'y' && self.__namespace__ == 'n'", { "x-dash.dot": "y", namespace: "n" }],
    ["self.under__underscores__score == 'u'", { under__score: "u" }],
    ["self.list.map(x, x.size()).sum() == 3", { list: ["a", "bc"] }],
  ];
  test.each(holds)("%s", (rule, spec) => expect(judge(rule, spec).findings).toEqual([]));

  test("lists of a map type are equal whatever their order, and are added by key", () => {
    const now = {
      keyed: [
        { name: "b", v: 2 },
        { name: "a", v: 1 },
      ],
    };
    const before = {
      keyed: [
        { name: "a", v: 1 },
        { name: "b", v: 2 },
      ],
    };
    expect(judge("self.keyed == oldSelf.keyed", now, before).findings).toEqual([]);
    expect(judge("(self.keyed + oldSelf.keyed).size() == 2", now, before).findings).toEqual([]);
  });

  const wrong: Array<[rule: string, want: RegExp]> = [
    ["self.nope == 1", /undefined field 'nope'/],
    ["has(self.nope)", /undefined field 'nope'/],
    ["self.items.all(i, i.nope > 0)", /undefined field 'nope'/],
    ["self.a == 'x'", /found no matching overload for '_==_' applied to '\(int, string\)'/],
    ["self.s + self.a == 'x'", /no matching overload for '_\+_'/],
    ["self.a", /^cel expression must evaluate to a bool$/],
  ];
  test.each(wrong)("%s does not compile", (rule, want) => expect(() => judge(rule, {})).toThrow(want));
});

describe("rules and what was there before", () => {
  test("a rule that reads oldSelf runs on updates only; a word in a string does not read it", () => {
    expect(judge("self.a == oldSelf.a", { a: 1 }).findings).toEqual([]);
    expect(judge("self.a == oldSelf.a", { a: 1 }, { a: 1 }).findings).toEqual([]);
    expect(judge("self.a == oldSelf.a", { a: 1 }, { a: 2 }).findings[0]?.message).toContain("failed rule: self.a");
    expect(judge("self.s == 'oldSelf'", { s: "x" }).findings).toHaveLength(1);
  });

  test("with optionalOldSelf it runs on creation too", () => {
    const rule = { rule: "!oldSelf.hasValue()", optionalOldSelf: true, message: "born only" };
    expect(judge(rule, { a: 1 }).findings).toEqual([]);
    expect(judge(rule, { a: 1 }, { a: 2 }).findings).toHaveLength(1);
  });

  test("a rule that fails on an unchanged part warns, and one that reads oldSelf still fails", () => {
    const spec = { a: 5 };
    expect(judge("self.a < 3", spec, spec)).toMatchObject({ findings: [], warnings: [{ field: "spec" }] });
    expect(judge("self.a < 3 || oldSelf.a < 3", spec, spec).findings).toHaveLength(1);
    expect(judge("self.a < 3", { a: 6 }, spec).findings).toHaveLength(1);
  });

  test("items of a list-map are compared with their own past, others are not", () => {
    const item: Schema = {
      type: "object",
      properties: { name: text, v: int },
      "x-kubernetes-validations": [{ rule: "self.v == oldSelf.v" }],
    };
    const now = [
      { name: "b", v: 1 },
      { name: "a", v: 9 },
    ];
    const before = [
      { name: "a", v: 2 },
      { name: "b", v: 1 },
    ];
    const paths = (more: Schema) => {
      const schema: Schema = { type: "object", properties: { l: { ...listOf(item), ...more } } };
      return evaluateRules(
        compiledRulesOf(schema),
        schema,
        { l: now },
        { old: { l: before }, isOldJudged: false },
      ).findings.map(({ field }) => field);
    };
    expect(paths({ "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"] })).toEqual(["l[1]"]);
    expect(paths({ "x-kubernetes-list-type": "atomic" })).toEqual([]);
  });
});

describe("findings", () => {
  test("what fails while it runs is told with the type of the part and the rule", () => {
    expect(judge("self.a > 1", {}).findings[0]).toEqual({
      field: "spec",
      reason: "FieldValueInvalid",
      message: 'Invalid value: "object": no such key: a evaluating rule: self.a > 1',
    });
  });

  test("messageExpression, fieldPath and reason shape the finding", () => {
    const rule = {
      rule: "false",
      messageExpression: "'got ' + string(self.a)",
      fieldPath: ".map['k.x']",
      reason: "FieldValueForbidden",
    };
    expect(judge(rule, { a: 1 }).findings).toEqual([
      { field: "spec.map[k.x]", reason: "FieldValueForbidden", message: "Forbidden: got 1" },
    ]);
    expect(judge({ rule: "false", message: " fixed ", messageExpression: "self.s" }, {}).findings[0]?.message).toBe(
      "Invalid value: fixed",
    );
  });
});

describe("parts that were judged before by the same rules", () => {
  const schema: Schema = {
    type: "object",
    properties: {
      spec: { type: "object", properties: { n: int }, "x-kubernetes-validations": [{ rule: "12 / self.n < 2" }] },
      frozen: {
        ...{ type: "object", properties: { n: int } },
        "x-kubernetes-validations": [{ rule: "self.n != oldSelf.n" }, { rule: "self.n > 5" }],
      },
    },
  };
  const look = (now: unknown, old: unknown, isOldJudged: boolean) =>
    evaluateRules(compiledRulesOf(schema), schema, now, { old, isOldJudged }).findings.map(({ field }) => field);

  const zero = { spec: { n: 0 } };
  const bad = { spec: { n: 1 }, frozen: { n: 1 } };
  const cases = [
    { name: "are not judged again", now: bad, old: bad, judged: true, want: ["frozen"] },
    { name: "are again where they changed", now: { spec: { n: 2 } }, old: bad, judged: true, want: ["spec"] },
    { name: "are where there was nothing before", now: { spec: { n: 2 } }, old: {}, judged: true, want: ["spec"] },
    { name: "nor is what cannot be judged", now: zero, old: zero, judged: true, want: [] },
    { name: "but by other rules everything is", now: zero, old: zero, judged: false, want: ["spec"] },
  ];
  for (const { name, now, old, judged, want } of cases) {
    test(name, () => {
      expect(look(now, old, judged)).toEqual(want);
      expect(look(now, old, judged)).toEqual(want);
    });
  }

  test("are taken as they are where the very same value passed its transition rules, and only then", () => {
    const same: Schema = {
      type: "object",
      properties: {
        spec: { type: "object", properties: { n: int }, "x-kubernetes-validations": [{ rule: "self == oldSelf" }] },
      },
    };
    const rules = compiledRulesOf(same);
    const spec = {};
    const now = { spec };
    expect(evaluateRules(rules, same, now, { old: { spec }, isOldJudged: true }).findings).toEqual([]);
    const kept = rules.of(same.properties?.spec as Schema)?.keptWithoutFindings;
    expect([kept?.has(spec), kept?.has({})]).toEqual([true, false]);
    const other = { spec: { n: 1 } };
    expect(look({ frozen: { n: 7 } }, { frozen: { n: 7 } }, true)).toEqual(["frozen"]);
    expect(evaluateRules(rules, same, other, { old: { spec }, isOldJudged: true }).findings).not.toEqual([]);
  });
});
