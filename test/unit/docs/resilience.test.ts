import { readFileSync } from "node:fs";
import { expect, test } from "vitest";

const root = new URL("../../../", import.meta.url);
const read = (path: string) => readFileSync(new URL(path, root), "utf8");
const documented = read("docs/resilience.md").split("\n");

// The sources' text: to load them is to load the whole system.
const scenarios = [...read("test/sim/scenarios.ts").matchAll(/\bname: "([^"]+)"/g)].map((match) => match[1] ?? "");
const incidents = ["incidents", "pool-incidents"].flatMap((name) =>
  [
    ...read(`test/sim/incidents/${name}.ts`).matchAll(
      /name: "([^"]+)",\s+elsewhere:\s+"([^"]+)",\s+here:\s+"([^"]+)",/g,
    ),
  ].map(([, id = "", elsewhere = "", here = ""]) => ({ id, elsewhere, here })),
);
const rowOf = (name: string) => documented.find((line) => line.startsWith(`| \`${name}\` |`));

test("docs/resilience.md has every simulation", () => {
  expect(scenarios.length).toBeGreaterThan(5);
  expect(scenarios.filter((name) => rowOf(name) === undefined)).toEqual([]);
});

test("docs/resilience.md says of every incident what happened elsewhere and what holds here", () => {
  expect(incidents.length).toBeGreaterThan(15);
  const wrong = incidents.filter(({ id, elsewhere, here }) => !rowOf(id)?.includes(`| ${elsewhere} | ${here} |`));
  expect(wrong).toEqual([]);
});
