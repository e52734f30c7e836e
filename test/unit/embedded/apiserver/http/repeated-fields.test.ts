import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { DepthError, findRepeatedFields } from "../../../../../src/embedded/apiserver/http/repeated-fields.ts";

describe("repeated fields", () => {
  const cases: Array<{ name: string; text: string; want: string[] }> = [
    { name: "none", text: '{"a":1,"b":{"a":[{"a":"}"}]}}', want: [] },
    { name: "at the top", text: '{"a":1,"a":2}', want: ['duplicate field "a"'] },
    { name: "deep, with its path", text: '{"a":[{},{"b":1,"c":2,"b":3}]}', want: ['duplicate field "a[1].b"'] },
    {
      name: "thrice is two findings",
      text: '{"a":1,"a":2,"a":3}',
      want: ['duplicate field "a"', 'duplicate field "a"'],
    },
    { name: "escapes are read", text: '{"a":1,"\\u0061":2}', want: ['duplicate field "a"'] },
    { name: "quotes in texts end nothing", text: '{"a":"\\"{","b":1, "a" : [ ] }', want: ['duplicate field "a"'] },
  ];
  test.each(cases)("$name", ({ text, want }) => expect(findRepeatedFields(text)).toEqual(want));

  test("law: what JSON.stringify writes repeats nothing, however it is spaced", () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.constantFrom(0, 1, 4), (value, indent) => {
        expect(findRepeatedFields(JSON.stringify(value, null, indent))).toEqual([]);
      }),
    );
  });

  test("a text that is nested too deeply is refused", () => {
    expect(() => findRepeatedFields("[".repeat(2_000) + "]".repeat(2_000))).toThrow(DepthError);
  });
});
