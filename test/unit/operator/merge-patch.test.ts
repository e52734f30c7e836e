import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { computeMergePatch, type JsonObject } from "../../../src/operator/merge-patch.ts";

/** RFC 7386, section 2. */
function applyPatch(target: unknown, patch: unknown): unknown {
  if (typeof patch !== "object" || patch === null || Array.isArray(patch)) return patch;
  const isObject = typeof target === "object" && target !== null && !Array.isArray(target);
  const result: JsonObject = isObject ? { ...(target as JsonObject) } : {};
  for (const [field, value] of Object.entries(patch)) {
    if (value === null) delete result[field];
    else result[field] = applyPatch(result[field], value);
  }
  return result;
}

describe("computeMergePatch", () => {
  const cases = [
    { name: "equal objects need no patch", from: { a: { b: [1] } }, to: { a: { b: [1] } }, want: undefined },
    {
      name: "only what differs is sent",
      from: { a: 1, b: { c: 1, d: 2 } },
      to: { a: 1, b: { c: 1, d: 3 } },
      want: { b: { d: 3 } },
    },
    { name: "what is gone is null", from: { a: 1, b: 2 }, to: { b: 2 }, want: { a: null } },
    { name: "a field that is undefined is gone", from: { a: 1 }, to: { a: undefined }, want: { a: null } },
    { name: "lists are sent whole", from: { a: [1, 2] }, to: { a: [1, 3] }, want: { a: [1, 3] } },
  ];
  for (const { name, from, to, want } of cases) test(name, () => expect(computeMergePatch(from, to)).toEqual(want));

  const json = fc.letrec((tie) => ({
    value: fc.oneof(
      { maxDepth: 3 },
      fc.integer(),
      fc.string(),
      fc.boolean(),
      fc.array(fc.integer(), { maxLength: 3 }),
      tie("object"),
    ),
    object: fc.dictionary(fc.constantFrom("a", "b", "c", "d"), tie("value"), { maxKeys: 4 }),
  }));
  test("law: applying the patch to the first gives the second", () => {
    fc.assert(
      fc.property(json.object, json.object, (from, to) => {
        const patch = computeMergePatch(from as object, to as object);
        expect(patch === undefined ? from : applyPatch(from, patch)).toEqual(to);
      }),
    );
  });
});
