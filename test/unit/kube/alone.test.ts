/** The runtime must be fit to be published alone: of this project it imports itself and a little of `base`. */
import { readdirSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";

const folder = new URL("../../../src/kube/", import.meta.url);
const needed = [
  "../base/backoff.ts",
  "../base/clock.ts",
  "../base/digest.ts",
  "../base/errors.ts",
  "../base/http-front.ts",
  "../base/log.ts",
];

function importsOf(name: string): string[] {
  const text = readFileSync(new URL(name, folder), "utf8");
  return [...text.matchAll(/(?:from|import\() ?"([^"]+)"/g)].map((match) => match[1] ?? "");
}

test("the runtime imports nothing of the domain", () => {
  const files = readdirSync(folder).filter((name) => name.endsWith(".ts"));
  const outside = files.flatMap(importsOf).filter((name) => name.startsWith("../"));
  expect([...new Set(outside)].sort()).toEqual(needed);
});
