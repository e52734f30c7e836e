/**
 * Each template of circuits/ that circom compiles quickly (support/template-suite.ts); slow-templates.test.ts has the others. The short
 * run samples the long ones; `npm run test:circuits -- --long` looks at every wire and constraint.
 */
import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import type { Constraint } from "../../src/zk/r1cs/r1cs-file.ts";
import { wiresOf } from "./support/determinism.ts";
import { emit } from "./support/emitted.ts";
import { areSatisfied, computeWitness } from "./support/tamper.ts";
import { testTemplates } from "./support/template-suite.ts";
import { type Signals, type TemplateCase, templates } from "./support/templates.ts";

const theirs = testTemplates(
  templates.filter(({ isSlowInCircom = false }) => !isSlowInCircom),
  { compileMs: 240_000 },
);

test("every template of circuits/ is here", () => {
  const folder = new URL("../../circuits/", import.meta.url);
  const files = readdirSync(folder).filter((file) => file.endsWith(".circom"));
  const found = files.flatMap((file) =>
    [...readFileSync(new URL(file, folder), "utf8").matchAll(/^template (\w+)/gm)].map(([, name]) => name),
  );
  const inGallery = new Set(templates.map(({ template }) => template.replace(/\(.*/s, "")));
  // Larger and Largest are parts of MaxPool.
  expect(found.toSorted()).toEqual([...inGallery, "Larger", "Largest"].toSorted());
});

describe("the marks of ArgMax", () => {
  const subject = templates.find(({ name }) => name === "argMax") as TemplateCase;
  const { system, names, constraints, assign } = emit(subject);
  const marks = Array.from({ length: 4 }, (_, index) => names.get(`main.argMax.isLabel[${index}]`)!);
  const values = [-1n, 0n, 1n, 2n];
  const choices = Array.from({ length: 256 }, (_, n) => marks.map((_, i) => values[(n >> (2 * i)) & 3]!));
  const findAccepted = (each: readonly Constraint[], signals: Signals) =>
    choices.filter((choice) => {
      const lies = new Map(marks.map((wire, index) => [wire, choice[index]!]));
      return areSatisfied(each, computeWitness(system, assign(signals), lies));
    });

  test("can be put in one way only", () => {
    for (const signals of subject.honest) {
      const [label] = subject.want(signals).label!;
      const right = marks.map((_, index) => (index === label ? 1n : 0n));
      for (const each of [constraints, theirs("argMax")]) expect(findAccepted(each, signals)).toEqual([right]);
    }
  });

  test("can be put in more ways without any one of their constraints", () => {
    const onMarks = constraints.filter((constraint) =>
      wiresOf(constraint).every((wire) => wire === 0 || marks.includes(wire)),
    );
    expect(onMarks.length).toBe(5);
    const idle = onMarks.filter((constraint) => {
      const rest = constraints.filter((other) => other !== constraint);
      return subject.honest.every((signals) => findAccepted(rest, signals).length === 1);
    });
    expect(idle).toEqual([]);
  });
});
