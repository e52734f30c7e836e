import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";

const root = new URL("../../../", import.meta.url);
const documented = readFileSync(new URL("docs/configuration.md", root), "utf8");

function namesInSource(): string[] {
  const files = readdirSync(new URL("src/", root), { recursive: true, encoding: "utf8" });
  const texts = files
    .filter((name) => name.endsWith(".ts"))
    .map((name) => readFileSync(new URL(`src/${name}`, root), "utf8"));
  // Quoted, or read off process.env.
  const names = texts.flatMap((text) =>
    [...text.matchAll(/["'.](INFERIUM_[A-Z][A-Z_]*[A-Z])\b/g)].map((match) => match[1] ?? ""),
  );
  return [...new Set(names)].sort();
}

describe("docs/configuration.md", () => {
  test.each(namesInSource())("explains %s", (name) => {
    expect(documented).toMatch(new RegExp(`\`${name}\``));
  });

  test("names nothing that no part reads", () => {
    const known = new Set(namesInSource());
    const named = [...documented.matchAll(/`(INFERIUM_[A-Z_]*[A-Z])`/g)].map((match) => match[1] ?? "");
    expect(named.filter((name) => !known.has(name))).toEqual([]);
  });
});
