/**
 * The tests of templates, compiled by circom and emitted by src/zk/circuit: honest inputs give what they must, values just outside are
 * refused, no wire is free, and no constraint is idle. Everything is asked of both constraint systems.
 */
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { mod } from "../../../src/zk/field.ts";
import type { Constraint } from "../../../src/zk/r1cs/r1cs-file.ts";
import { describeAll } from "./comparable.ts";
import { findUndetermined, wiresOf } from "./determinism.ts";
import { emit } from "./emitted.ts";
import { compileGallery, type Gallery } from "./gallery.ts";
import { isLong } from "./profile.ts";
import { areSatisfied, computeWitness, TouchingConstraints } from "./tamper.ts";
import type { TemplateCase } from "./templates.ts";

export interface SuiteOptions {
  /** Left out, the templates are not given to circom. */
  readonly compileMs?: number;
}

/** @returns constraints of circom by template; none before the tests run */
export function testTemplates(
  subjects: readonly TemplateCase[],
  { compileMs }: SuiteOptions,
): (name: string) => readonly Constraint[] {
  const isCompiled = compileMs !== undefined;
  let gallery: Gallery;
  if (isCompiled) {
    beforeAll(async () => {
      gallery = await compileGallery(subjects, compileMs);
    }, compileMs);
    afterAll(() => gallery?.dispose());
  }

  describe.each(subjects)("$template", (subject) => {
    const { system, names, inputs, constraints, assign } = emit(subject);
    const systems = (): readonly (readonly [origin: string, constraints: readonly Constraint[]])[] =>
      isCompiled
        ? [
            ["ours", constraints],
            ["circom", gallery.constraintsOf(subject.name)],
          ]
        : [["ours", constraints]];
    const free = [...names].filter(([, wire]) => !inputs.has(wire));
    const wires = new Map(free.map(([name, wire]) => [wire, name]));

    if (isCompiled) {
      test("is the same in circom and ours, constraint by constraint", () => {
        expect(describeAll(constraints)).toEqual(describeAll(gallery.constraintsOf(subject.name)));
      });
    }

    test("gives what it must for honest inputs, in both", async () => {
      for (const signals of subject.honest) {
        const witness = computeWitness(system, assign(signals));
        for (const [, each] of systems()) expect(areSatisfied(each, witness)).toBe(true);
        for (const [signal, values] of Object.entries(subject.want(signals))) {
          const path = `main.${subject.name}.${signal}`;
          const got = values.map((_, i) => witness[names.get(path) ?? names.get(`${path}[${i}]`) ?? -1]);
          expect(got).toEqual(values.map((value) => mod(BigInt(value))));
        }
        if (!isCompiled) continue;
        const own = await gallery.run(subject, signals);
        for (const [name, wire] of gallery.wires)
          if (names.has(name)) expect(own[wire]).toBe(witness[names.get(name)!]);
      }
    });

    test.each(subject.refused)("refuses %s", async (_, signals) => {
      const witness = computeWitness(system, assign(signals));
      for (const [origin, each] of systems()) expect([origin, areSatisfied(each, witness)]).toEqual([origin, false]);
      if (!isCompiled) return;
      // circom's runtime tells the console where an assertion fails.
      const silent = vi.spyOn(console, "error").mockImplementation(() => undefined);
      await expect(gallery.run(subject, signals)).rejects.toThrow("Assert Failed");
      silent.mockRestore();
    });

    /** The inverse of a zero count may be anything: it is multiplied by that zero. */
    const isIdle = (name: string, value: bigint | undefined) => name.endsWith(".inverse") && value === 0n;

    test("leaves no wire free: another value of any one breaks a constraint", () => {
      for (const signals of subject.honest) {
        const witness = computeWitness(system, assign(signals));
        for (const [origin, each] of systems()) {
          const touching = new TouchingConstraints(each);
          const accepted = everyOne([...wires], subject).filter(
            ([wire, name]) => !isIdle(name, witness[wire]) && touching.findAccepted(witness, wire).length > 0,
          );
          expect([origin, accepted]).toEqual([origin, []]);
        }
      }
    });

    test("refuses a lie that all else is computed from", () => {
      const asked = systems().map(([origin, each]) => ({ origin, each, touching: new TouchingConstraints(each) }));
      for (const signals of subject.honest) {
        const inputs = assign(signals);
        const witness = computeWitness(system, inputs);
        const accepted = everyOne([...wires], subject).flatMap(([wire, name]) => {
          const value = witness[wire] ?? 0n;
          const lies = [0n, 1n - value, value + 1n].filter((lie) => lie !== value && !isIdle(name, value));
          const told = lies.map((lie) => computeWitness(system, inputs, new Map([[wire, lie]])));
          const believers = asked.filter(({ each, touching }) =>
            told.some((values) => touching.areSatisfiedBeside(wire, values) && areSatisfied(each, values)),
          );
          return believers.map(({ origin }) => [origin, name]);
        });
        expect(accepted).toEqual([]);
      }
    });

    // Which index is marked follows from order, which the rules do not know: see below.
    const marks = [...names].filter(([name]) => name.includes(".isLabel[")).map(([, wire]) => wire);
    const choice = { all: [...wires.keys()], given: [...inputs, ...marks] };

    test("determines every wire from the inputs, whatever these are", () => {
      for (const [origin, each] of systems()) {
        const undetermined = findUndetermined(each, choice);
        expect([origin, undetermined.map((wire) => wires.get(wire))]).toEqual([origin, []]);
      }
    });

    test("has no idle constraint: without any one of them, some wire is free", () => {
      for (const [origin, each] of systems()) {
        const idle = everyOne([...each.keys()], subject).filter((index) => {
          const dropped = each[index];
          if (dropped === undefined || wiresOf(dropped).every((wire) => wire === 0 || marks.includes(wire)))
            return false;
          return findUndetermined(each.toSpliced(index, 1), choice).length === 0;
        });
        expect([origin, idle]).toEqual([origin, []]);
      }
    });
  });

  return (name) => gallery.constraintsOf(name);
}

function everyOne<T>(values: readonly T[], { sample = 1, longSample = 1 }: TemplateCase): T[] {
  return values.filter((_, index) => index % (isLong ? longSample : sample) === 0);
}
