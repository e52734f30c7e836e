import { describe, expect, test } from "vitest";
import { parseLabelSelector } from "../../../../../src/embedded/apiserver/selectors/label-selector.ts";

const labels = { app: "web", tier: "high", "example.com/n": "5" };

describe("label selectors", () => {
  const cases: Array<{ text: string; want: boolean }> = [
    { text: "app=web", want: true },
    { text: "app==web", want: true },
    { text: "app!=web", want: false },
    { text: "missing!=web", want: true },
    { text: "app", want: true },
    { text: "!app", want: false },
    { text: "!missing", want: true },
    { text: "app in (web, db)", want: true },
    { text: "app notin (web)", want: false },
    { text: "missing notin (web)", want: true },
    { text: "missing in (web)", want: false },
    { text: "app=web,tier in (low,high),example.com/n>4", want: true },
    { text: "example.com/n<5", want: false },
    { text: "missing>1", want: false },
    { text: "app=", want: false },
  ];
  test.each(cases)("$text", ({ text, want }) => {
    expect(parseLabelSelector(text)?.(labels)).toBe(want);
  });

  test("an empty selector selects everything", () => expect(parseLabelSelector("  ")).toBeUndefined());

  test.each(["a=b=c", "a in b", "=a", "a in (b", "a b"])("%s is refused", (text) => {
    expect(() => parseLabelSelector(text)).toThrow(/unable to parse requirement|found '='/);
  });
});
