/** `x-kubernetes-validations`: what rules see, what they say, transition rules, ratcheting and the Kubernetes libraries. */
import { expect } from "vitest";
import { area } from "./support/conformance-case.ts";
import { customObjects, fields } from "./support/custom-objects.ts";

// Bounds keep the estimated cost of the rules within the server's budget.
const text = { type: "string", maxLength: 50 };
const int = { type: "integer" };
const named = fields({ name: text, v: int }, { required: ["name"] });
const properties = {
  a: int,
  b: int,
  d: { type: "number" },
  s: text,
  any: { "x-kubernetes-int-or-string": true },
  when: { type: "string", format: "date-time" },
  ttl: { type: "string", format: "duration" },
  raw: { type: "string", format: "byte" },
  list: { type: "array", items: text, maxItems: 10 },
  set: { type: "array", items: text, maxItems: 10, "x-kubernetes-list-type": "set" },
  items: { type: "array", items: named, maxItems: 10 },
  keyed: {
    type: "array",
    items: named,
    maxItems: 10,
    "x-kubernetes-list-type": "map",
    "x-kubernetes-list-map-keys": ["name"],
  },
  map: { type: "object", additionalProperties: int, maxProperties: 10 },
  "x-dash.dot": text,
  namespace: text,
};
type Rule = string | { readonly rule: string; readonly [field: string]: unknown };
const withRules = (...rules: Rule[]) =>
  fields(properties, {
    "x-kubernetes-validations": rules.map((rule) => (typeof rule === "string" ? { rule } : rule)),
  });

interface Told {
  readonly title: string;
  readonly rule: Rule;
  readonly good: unknown;
  readonly bad: unknown;
}

const seen: readonly Told[] = [
  {
    title: "distinct, sort and reverse of lists",
    rule: "self.list.distinct().sort() == ['a', 'b'] && self.list.reverse()[0] == 'a'",
    good: { list: ["b", "a", "b", "a"] },
    bad: { list: ["a", "b", "c"] },
  },
  {
    title: "slices of lists",
    rule: "self.list.slice(1, 3) == ['b', 'c']",
    good: { list: ["a", "b", "c", "d"] },
    bad: { list: ["b", "c", "d"] },
  },
  {
    title: "flattened lists",
    rule: "[[self.a], [5]].flatten()[0] == 2",
    good: { a: 2 },
    bad: { a: 1 },
  },
  {
    title: "ranges",
    rule: "lists.range(3)[2] == self.a",
    good: { a: 2 },
    bad: { a: 3 },
  },
  { title: "numbers", rule: "self.a < self.b", good: { a: 1, b: 2 }, bad: { a: 2, b: 1 } },
  { title: "absent fields, by has()", rule: "!has(self.a) || self.a > 1", good: {}, bad: { a: 1 } },
  { title: "doubles as doubles", rule: "self.d / 2.0 == 0.5", good: { d: 1 }, bad: { d: 3 } },
  {
    title: "items",
    rule: "self.items.all(i, i.v > 0)",
    good: { items: [{ name: "x", v: 1 }] },
    bad: { items: [{ name: "x", v: 0 }] },
  },
  { title: "maps", rule: "'k' in self.map && self.map['k'] > 1", good: { map: { k: 2 } }, bad: { map: { k: 1 } } },
  {
    title: "int-or-string by its type",
    rule: "type(self.any) == string ? self.any == '80%' : self.any == 80",
    good: { any: 80 },
    bad: { any: "8%" },
  },
  {
    title: "times as times",
    rule: "self.when < timestamp('2021-01-01T00:00:00Z')",
    good: { when: "2020-12-31T23:59:59Z" },
    bad: { when: "2021-01-01T00:00:00Z" },
  },
  { title: "durations as durations", rule: "self.ttl > duration('1h')", good: { ttl: "61m" }, bad: { ttl: "59m" } },
  { title: "base64 as bytes", rule: "self.raw == b'hi'", good: { raw: "aGk=" }, bad: { raw: "aG8=" } },
  {
    title: "sets without order",
    rule: "self.set == ['a', 'b']",
    good: { set: ["b", "a"] },
    bad: { set: ["a"] },
  },
  { title: "lists with order", rule: "self.list == ['a', 'b']", good: { list: ["a", "b"] }, bad: { list: ["b", "a"] } },
  {
    title: "names that CEL cannot write, escaped",
    rule: "self.x__dash__dash__dot__dot == 'y' && self.__namespace__ == 'n'",
    good: { "x-dash.dot": "y", namespace: "n" },
    bad: { "x-dash.dot": "y", namespace: "m" },
  },
  {
    title: "the list library",
    rule: "self.list.isSorted() && self.list.indexOf('b') == 1",
    good: { list: ["a", "b"] },
    bad: { list: ["b", "a"] },
  },
  { title: "find and findAll", rule: "self.s.findAll('[0-9]+').size() == 2", good: { s: "a1b22" }, bad: { s: "a1" } },
  {
    title: "URLs",
    rule: "isURL(self.s) && url(self.s).getScheme() == 'https'",
    good: { s: "https://a.b/c" },
    bad: { s: "http://a.b" },
  },
  {
    title: "quantities",
    rule: "quantity(self.s).isGreaterThan(quantity('1Gi'))",
    good: { s: "2Gi" },
    bad: { s: "1024Mi" },
  },
  { title: "addresses", rule: "isIP(self.s) && ip(self.s).family() == 6", good: { s: "::1" }, bad: { s: "1.2.3.4" } },
  { title: "CIDRs", rule: "cidr('10.0.0.0/8').containsIP(self.s)", good: { s: "10.1.2.3" }, bad: { s: "11.0.0.1" } },
  {
    title: "named formats",
    rule: "!format.dns1123Label().validate(self.s).hasValue()",
    good: { s: "a-b" },
    bad: { s: "A_b" },
  },
  {
    title: "semantic versions",
    rule: "semver(self.s).isLessThan(semver('2.0.0'))",
    good: { s: "1.10.0" },
    bad: { s: "2.0.1" },
  },
  {
    title: "sets of values",
    rule: "sets.contains(['a', 'b'], self.list)",
    good: { list: ["a"] },
    bad: { list: ["c"] },
  },
  { title: "optional values", rule: "self.?a.orValue(5) > 3", good: {}, bad: { a: 1 } },
  {
    title: "comprehensions of two variables",
    rule: "self.list.all(i, x, i < 2 && x != '')",
    good: { list: ["a", "b"] },
    bad: { list: ["a", "b", "c"] },
  },
  {
    title: "formatted text",
    rule: "'%s-%d'.format([self.s, self.a]) == 'x-1'",
    good: { s: "x", a: 1 },
    bad: { s: "x", a: 2 },
  },
];

area("cel rules", (conformance) => {
  for (const { title, rule, good, bad } of seen) {
    conformance(`a rule sees ${title}`, async (tools) => {
      const { create, refuse } = await customObjects(tools, withRules(rule));
      await create("good", good);
      const [cause] = await refuse("bad", bad);
      expect(cause).toMatchObject({ field: "spec", reason: "FieldValueInvalid" });
    });
  }

  conformance("a rule without a message says itself", async (tools) => {
    const { refuse } = await customObjects(tools, withRules("self.a > 1"));
    expect(await refuse("bad", { a: 1 })).toEqual([
      { field: "spec", reason: "FieldValueInvalid", message: "Invalid value: failed rule: self.a > 1" },
    ]);
  });

  conformance("a rule on a scalar shows the value", async (tools) => {
    const a = { ...int, "x-kubernetes-validations": [{ rule: "self > 1", message: "more" }] };
    const { refuse } = await customObjects(tools, fields({ a }));
    expect(await refuse("bad", { a: 1 })).toEqual([
      { field: "spec.a", reason: "FieldValueInvalid", message: "Invalid value: 1: more" },
    ]);
  });

  conformance("a message expression computes the message; one that fails gives way to the fixed one", async (tools) => {
    const { refuse } = await customObjects(
      tools,
      withRules(
        { rule: "self.a > 1", messageExpression: "'s is ' + self.s", message: "fixed" },
        { rule: "self.a > 1", messageExpression: "self.list[3]", message: "fixed" },
      ),
    );
    const messages = (await refuse("bad", { a: 1, s: "x", list: [] })).map(
      (cause: { message: string }) => cause.message,
    );
    expect(messages).toEqual(["Invalid value: s is x", "Invalid value: fixed"]);
  });

  conformance("reason and fieldPath shape the cause", async (tools) => {
    const { refuse } = await customObjects(
      tools,
      withRules(
        { rule: "has(self.a)", reason: "FieldValueRequired", fieldPath: ".a", message: "is needed" },
        { rule: "false", reason: "FieldValueForbidden", fieldPath: ".map['k.x']", message: "not this" },
      ),
    );
    expect(await refuse("bad", {})).toEqual([
      { field: "spec.a", reason: "FieldValueRequired", message: "Required value: is needed" },
      { field: "spec.map[k.x]", reason: "FieldValueForbidden", message: "Forbidden: not this" },
    ]);
  });

  conformance("all rules that fail are told, in their order", async (tools) => {
    const { refuse } = await customObjects(
      tools,
      withRules({ rule: "self.a > 1", message: "one" }, "self.a > 0", { rule: "self.a > 2", message: "three" }),
    );
    const messages = (await refuse("bad", { a: 1 })).map((cause: { message: string }) => cause.message);
    expect(messages).toEqual(["Invalid value: one", "Invalid value: three"]);
  });

  conformance("a field that is absent fails the rule that reads it", async (tools) => {
    const { refuse } = await customObjects(tools, withRules("self.a > 1"));
    expect(await refuse("bad", {})).toEqual([
      {
        field: "spec",
        reason: "FieldValueInvalid",
        message: 'Invalid value: "object": no such key: a evaluating rule: self.a > 1',
      },
    ]);
  });

  conformance("an index out of bounds and a division by zero fail the rule", async (tools) => {
    const { refuse } = await customObjects(tools, withRules("self.list[3] == 'x'", "1 / self.a == 1"));
    const messages = (await refuse("bad", { list: [], a: 0 })).map((cause: { message: string }) => cause.message);
    expect(messages).toEqual([
      expect.stringMatching(/index out of bounds: 3/),
      expect.stringMatching(/division by zero/),
    ]);
  });

  conformance("rules wait until the structure is sound, and it is said", async (tools) => {
    const { refuse } = await customObjects(tools, withRules("self.a > 1"));
    expect(await refuse("bad", { a: 1, b: "x" })).toEqual([
      expect.objectContaining({ field: "spec.b" }),
      {
        field: "<nil>",
        reason: "FieldValueInvalid",
        message:
          "Invalid value: null: some validation rules were not checked because the object was invalid; correct the existing errors to complete validation",
      },
    ]);
  });

  conformance("a rule of the root reads the name of the object", async (tools) => {
    const schema = {
      ...fields({ spec: fields({}) }),
      "x-kubernetes-validations": [{ rule: "self.metadata.name.startsWith('a')", message: "begin with a" }],
    };
    const { create, refuse } = await customObjects(tools, {}, { schema });
    await create("able", {});
    expect(await refuse("bad", {})).toMatchObject([{ field: "<nil>", message: "Invalid value: begin with a" }]);
  });

  conformance("a rule within items names the item", async (tools) => {
    const item = { ...named, "x-kubernetes-validations": [{ rule: "self.v > 0", message: "positive" }] };
    const { refuse } = await customObjects(tools, fields({ l: { type: "array", maxItems: 5, items: item } }));
    expect(
      await refuse("bad", {
        l: [
          { name: "a", v: 1 },
          { name: "b", v: 0 },
        ],
      }),
    ).toMatchObject([{ field: "spec.l[1]", message: "Invalid value: positive" }]);
  });
});

area("cel transition rules", (conformance) => {
  conformance("a rule that reads oldSelf lets everything be created, and guards updates", async (tools) => {
    const rule = { rule: "self.a == oldSelf.a", message: "a is immutable" };
    const { create, collection } = await customObjects(tools, withRules(rule));
    await create("one", { a: 1 });
    const path = `${collection}/one`;
    await tools.api.patch(path, "merge", { spec: { b: 2 } }).expect(200);
    const status = await tools.api.patch(path, "merge", { spec: { a: 2 } }).refuse(422, "Invalid");
    expect(status.details.causes).toEqual([
      { field: "spec", reason: "FieldValueInvalid", message: "Invalid value: a is immutable" },
    ]);
  });

  conformance("a transition rule does not run where the old object had no such field", async (tools) => {
    const a = { ...int, "x-kubernetes-validations": [{ rule: "self == oldSelf" }] };
    const { create, collection } = await customObjects(tools, fields({ a, b: int }));
    await create("one", { b: 1 });
    await tools.api.patch(`${collection}/one`, "merge", { spec: { a: 1 } }).expect(200);
    await tools.api.patch(`${collection}/one`, "merge", { spec: { a: 2 } }).refuse(422, "Invalid");
    await tools.api.patch(`${collection}/one`, "merge", { spec: { a: null } }).expect(200);
  });

  conformance("items of a map list are compared with their own past, whatever their order", async (tools) => {
    const item = { ...named, "x-kubernetes-validations": [{ rule: "self.v == oldSelf.v", message: "fixed" }] };
    const l = { ...properties.keyed, items: item };
    const { create, collection } = await customObjects(tools, fields({ l }));
    await create("one", {
      l: [
        { name: "a", v: 1 },
        { name: "b", v: 2 },
      ],
    });
    const put = (items: object[]) => tools.api.patch(`${collection}/one`, "merge", { spec: { l: items } });
    await put([
      { name: "b", v: 2 },
      { name: "a", v: 1 },
      { name: "c", v: 3 },
    ]).expect(200);
    const status = await put([
      { name: "b", v: 9 },
      { name: "a", v: 1 },
    ]).refuse(422, "Invalid");
    expect(status.details.causes).toMatchObject([{ field: "spec.l[0]", message: "Invalid value: fixed" }]);
  });

  conformance("with optionalOldSelf a transition rule runs at creation too", async (tools) => {
    const rule = { rule: "oldSelf.hasValue() || self.a == 1", optionalOldSelf: true, message: "begin with 1" };
    const { create, refuse, collection } = await customObjects(tools, withRules(rule));
    expect(await refuse("bad", { a: 2 })).toMatchObject([{ message: "Invalid value: begin with 1" }]);
    await create("one", { a: 1 });
    await tools.api.patch(`${collection}/one`, "merge", { spec: { a: 2 } }).expect(200);
  });
});

area("ratcheting", (conformance) => {
  const definitions = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
  const loose = fields({ a: text, b: text, l: properties.keyed });

  conformance("an unchanged value that a new schema would refuse does not lock the object", async (tools) => {
    const { definition, create, collection } = await customObjects(tools, loose);
    await create("one", { a: "long", b: "x" });
    const tight = fields({ spec: fields({ a: { ...text, maxLength: 2 }, b: text }) });
    await tools.api
      .patch(`${definitions}/${definition.name}`, "json", [
        { op: "replace", path: "/spec/versions/0/schema/openAPIV3Schema", value: tight },
      ])
      .expect(200);
    const path = `${collection}/one`;
    const deadline = Date.now() + 20_000;
    while ((await tools.api.patch(`${path}?dryRun=All`, "merge", { spec: { a: "longer" } })).status !== 422)
      if (Date.now() > deadline) throw new Error("the schema does not count");
    await tools.api.patch(path, "merge", { spec: { b: "y" } }).expect(200, { spec: { a: "long", b: "y" } });
    const status = await tools.api.patch(path, "merge", { spec: { a: "other" } }).refuse(422, "Invalid");
    expect(status.details.causes).toMatchObject([{ field: "spec.a", reason: "FieldValueTooLong" }]);
  });

  conformance("nor does a rule on an unchanged part; once it changes, the rule counts", async (tools) => {
    const { definition, create, collection } = await customObjects(tools, loose);
    await create("one", { a: "bad", b: "x" });
    const a = { ...text, "x-kubernetes-validations": [{ rule: "self != 'bad' && self != 'worse'", message: "no" }] };
    await tools.api
      .patch(`${definitions}/${definition.name}`, "json", [
        {
          op: "replace",
          path: "/spec/versions/0/schema/openAPIV3Schema",
          value: fields({ spec: fields({ a, b: text }) }),
        },
      ])
      .expect(200);
    const path = `${collection}/one`;
    const deadline = Date.now() + 20_000;
    while ((await tools.api.patch(`${path}?dryRun=All`, "merge", { spec: { a: "worse" } })).status !== 422)
      if (Date.now() > deadline) throw new Error("the rule does not count");
    await tools.api.patch(path, "merge", { spec: { b: "y" } }).expect(200);
  });
});
