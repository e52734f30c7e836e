/**
 * Each template of circuits/, compiled by circom and emitted by src/zk/circuit: honest inputs give what they must, values just outside
 * are refused, no wire is free, and no constraint is idle. Everything is asked of both constraint systems. The short run samples the
 * long templates, and does not compile the longest; `npm run test:circuits -- --long` leaves nothing out.
 */
import { readdirSync, readFileSync } from "node:fs";
import { wtns } from "snarkjs";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { mod } from "../../src/zk/field.ts";
import { ConstraintSystem } from "../../src/zk/r1cs/constraint-system.ts";
import { type Constraint, decodeR1cs, encodeR1cs } from "../../src/zk/r1cs/r1cs-file.ts";
import { decodeWitness } from "../../src/zk/r1cs/witness-file.ts";
import { type CompiledCircom, compileCircom } from "../support/compile-circom.ts";
import { describeAll, translate } from "./support/comparable.ts";
import { findUndetermined, wiresOf } from "./support/determinism.ts";
import { isLong } from "./support/profile.ts";
import { areSatisfied, computeWitness, TouchingConstraints } from "./support/tamper.ts";
import { emitGallery, type Signals, type TemplateCase, templates } from "./support/templates.ts";

interface Emitted {
  readonly system: ConstraintSystem;
  readonly names: ReadonlyMap<string, number>;
  readonly inputs: ReadonlySet<number>;
  readonly constraints: readonly Constraint[];
  assign(signals: Signals): Map<number, bigint>;
}

const compiled = templates.filter(({ isSlowInCircom = false }) => isLong || !isSlowInCircom);
let circom: CompiledCircom;
const theirs = new Map<string, Constraint[]>();

beforeAll(async () => {
  circom = await compileCircom(emitGallery(compiled));
  const { constraints } = decodeR1cs(circom.r1cs);
  for (const subject of compiled) {
    const { names } = emit(subject);
    const mapped = new Map([[0, 0]]);
    for (const [name, wire] of circom.wires) if (names.has(name)) mapped.set(wire, names.get(name) as number);
    theirs.set(subject.name, translate(constraints, mapped));
  }
}, 240_000);
afterAll(() => circom?.dispose());

function emit({ name, inputs, add }: TemplateCase): Emitted {
  const names = new Map<string, number>();
  const system = new ConstraintSystem({ names });
  const wires = Object.fromEntries(
    Object.entries(inputs).map(([signal, length]) => {
      const path = `main.${name}_${signal}`;
      return [signal, length > 0 ? system.addWires(path, length) : [system.addWire(path)]];
    }),
  );
  add(system, `main.${name}`, wires);
  const layout = { publicOutputs: 0, publicInputs: 0, privateInputs: 0 };
  return {
    system,
    names,
    inputs: new Set(Object.values(wires).flat()),
    constraints: decodeR1cs(encodeR1cs(system, layout)).constraints,
    assign: (signals) =>
      new Map(
        Object.entries(wires).flatMap(([signal, all]) =>
          all.map((wire, index) => [wire, mod(BigInt(signals[signal]?.[index] ?? 0))] as const),
        ),
      ),
  };
}

function everyOne<T>(values: readonly T[], { sample = 1 }: TemplateCase): T[] {
  return values.filter((_, index) => isLong || index % sample === 0);
}

/** Inputs of the whole gallery for circom's witness program: honest but for one template. */
function galleryInputs({ name }: TemplateCase, signals: Signals): Record<string, bigint | bigint[]> {
  const inputs: Record<string, bigint | bigint[]> = {};
  for (const other of compiled) {
    const values = other.name === name ? signals : (other.honest[0] as Signals);
    for (const [signal, length] of Object.entries(other.inputs)) {
      const elements = (values[signal] ?? []).map((value) => mod(BigInt(value)));
      inputs[`${other.name}_${signal}`] = length > 0 ? elements : (elements[0] ?? 0n);
    }
  }
  return inputs;
}

async function runCircom(subject: TemplateCase, signals: Signals): Promise<bigint[]> {
  const file: { type: "mem"; data?: Uint8Array } = { type: "mem" };
  await wtns.calculate(galleryInputs(subject, signals), circom.wasmPath, file);
  return decodeWitness(file.data ?? new Uint8Array());
}

test("every template of circuits/ is here", () => {
  const folder = new URL("../../circuits/", import.meta.url);
  const files = readdirSync(folder).filter((file) => file.endsWith(".circom"));
  const found = files.flatMap((file) =>
    [...readFileSync(new URL(file, folder), "utf8").matchAll(/^template (\w+)/gm)].map(([, name]) => name),
  );
  const inGallery = templates.map(({ template }) => template.replace(/\(.*/s, ""));
  // Larger and Largest are parts of MaxPool.
  expect(found.toSorted()).toEqual([...inGallery, "Larger", "Largest"].toSorted());
});

describe.each(templates)("$template", (subject) => {
  const { system, names, inputs, constraints, assign } = emit(subject);
  const isCompiled = compiled.includes(subject);
  const systems = () =>
    [
      ["ours", constraints],
      ["circom", theirs.get(subject.name) ?? []],
    ].slice(0, isCompiled ? 2 : 1) as [string, readonly Constraint[]][];
  const free = [...names].filter(([, wire]) => !inputs.has(wire));
  const wires = new Map(free.map(([name, wire]) => [wire, name]));

  if (isCompiled) {
    test("is the same in circom and ours, constraint by constraint", () => {
      expect(describeAll(constraints)).toEqual(describeAll(theirs.get(subject.name) ?? []));
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
      const own = await runCircom(subject, signals);
      for (const [name, wire] of circom.wires) if (names.has(name)) expect(own[wire]).toBe(witness[names.get(name)!]);
    }
  });

  test.each(subject.refused)("refuses %s", async (_, signals) => {
    const witness = computeWitness(system, assign(signals));
    for (const [origin, each] of systems()) expect([origin, areSatisfied(each, witness)]).toEqual([origin, false]);
    if (!isCompiled) return;
    // circom's runtime tells the console where an assertion fails.
    const silent = vi.spyOn(console, "error").mockImplementation(() => undefined);
    await expect(runCircom(subject, signals)).rejects.toThrow("Assert Failed");
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
    for (const signals of subject.honest) {
      const inputs = assign(signals);
      const witness = computeWitness(system, inputs);
      const accepted = everyOne([...wires], subject).flatMap(([wire, name]) => {
        const value = witness[wire] ?? 0n;
        const lies = [0n, 1n - value, value + 1n].filter((lie) => lie !== value && !isIdle(name, value));
        const told = lies.map((lie) => computeWitness(system, inputs, new Map([[wire, lie]])));
        const believers = systems().filter(([, each]) => told.some((values) => areSatisfied(each, values)));
        return believers.map(([origin]) => [origin, name]);
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
        if (dropped === undefined || wiresOf(dropped).every((wire) => wire === 0 || marks.includes(wire))) return false;
        return findUndetermined(each.toSpliced(index, 1), choice).length === 0;
      });
      expect([origin, idle]).toEqual([origin, []]);
    }
  });
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
      for (const each of [constraints, theirs.get("argMax") ?? []])
        expect(findAccepted(each, signals)).toEqual([right]);
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
