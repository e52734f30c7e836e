/**
 * `npm run test:sim -- capability [--machines N] [--hours N]`: honest machines and frauds of every kind in one pool, for days.
 * Each fraud must fail at its rung; no machine may ever be matched beyond what is really in it; no honest one may be turned
 * away. The policy is the strict one: GPUs count only once challenged.
 */
import { createRandom } from "../../../src/inference/training/exact-math.ts";
import { checkRequirements, type Requirements } from "../../../src/protocol/matching.ts";
import { computeTier, isAtLeast, tiers } from "../../../src/protocol/tier.ts";
import { compareComputeCapability } from "../../../src/protocol/tier-compute-capability.ts";
import { countFault, type FaultCounts, type ScenarioOptions, type ScenarioReport } from "../scenario.ts";
import type { Machine, Truth } from "./machine.ts";
import { type Cast, casts } from "./scenarios.ts";
import { World } from "./world.ts";

const strict = { minimumLevel: "Challenged", acceptSimulated: false } as const;
const stepMs = 300_000;

/**
 * @param numbers `machines` of each cast, and how many `hours` they are watched
 * @param only names of casts; all where left out
 */
export async function simulateCapability(
  { seed, numbers, onProgress }: ScenarioOptions,
  only?: readonly string[],
): Promise<ScenarioReport> {
  const startedAt = performance.now();
  const random = createRandom(seed);
  const { machines: each = 1, hours = 48 } = numbers;
  const taking = casts.filter(({ name }) => only === undefined || only.includes(name));
  const machines = taking.flatMap((cast) =>
    Array.from({ length: each }, (_, index) => [cast.build(`${cast.name}-${index}`, random)].flat()).flatMap((built) =>
      built.map((machine) => ({ ...machine, scenario: machine.scenario || cast.name })),
    ),
  );
  const world = new World(machines, strict, random);
  const beyond = new Map<string, string>();
  const seen = new Set<string>();
  for (let elapsed = 0; elapsed <= hours * 3_600_000; elapsed += stepMs) {
    for (const machine of machines) noteBeyond(world, machine, { beyond, seen });
    world.step(stepMs);
  }
  onProgress?.(`${machines.length} machines, ${world.counts.challenges} challenges, ${world.counts.checks} checks`);
  const faults: FaultCounts = { "slander by a validator": world.counts.slanders };
  for (const { scenario } of machines)
    if (!casts.find(({ name }) => name === scenario)?.honest) countFault(faults, scenario);
  return {
    seed,
    seconds: Math.round((performance.now() - startedAt) / 100) / 10,
    faults,
    problems: [...beyond.values(), ...machines.flatMap((machine) => findProblems(world, machine))],
    table: buildTable(world, machines, beyond),
  };
}

/** All that tasks ask for in steps: whatever is granted must be there. */
const asked: readonly Requirements[] = tiers.flatMap((tier) =>
  [0, 1, 2, 4, 8].flatMap((gpus) =>
    [0, 4_000, 10_000, 20_000, 40_000, 80_000].flatMap((memoryMiB) =>
      [undefined, "7.0", "8.0", "9.0"].map((computeCapability) => ({
        ...{ tier, gpus, memoryMiB },
        ...(computeCapability === undefined ? {} : { computeCapability }),
      })),
    ),
  ),
);

interface Notes {
  readonly beyond: Map<string, string>;
  /** Machines with what they were matched by: asked once, for thousands of moments are alike. */
  readonly seen: Set<string>;
}

function noteBeyond(world: World, machine: Machine, { beyond, seen }: Notes): void {
  const facts = world.factsOf(machine.name);
  const key = `${machine.name} ${facts.proven} ${facts.disqualified} ${facts.tier} ${facts.gpus} ${facts.memoryMiB} ${facts.computeCapability}`;
  if (beyond.has(machine.name) || seen.has(key)) return;
  seen.add(key);
  const wrong = asked.find((wants) => checkRequirements(facts, wants) === undefined && !canDo(machine.truth, wants));
  if (wrong === undefined) return;
  const why = `${machine.name} is matched beyond what it has: ${JSON.stringify(wrong)} (${world.reasonOf(machine.name)})`;
  beyond.set(machine.name, why);
}

function canDo(truth: Truth, wants: Requirements): boolean {
  const { gpus } = truth;
  const fits = gpus.every(
    (gpu) =>
      gpu.memoryMiB >= (wants.memoryMiB ?? 0) &&
      (wants.computeCapability === undefined ||
        compareComputeCapability(gpu.computeCapability ?? "0.0", wants.computeCapability) >= 0),
  );
  const isPlain = (wants.memoryMiB ?? 0) === 0 && wants.computeCapability === undefined;
  return (
    isAtLeast(computeTier({ gpus }), wants.tier) &&
    gpus.length >= (wants.gpus ?? 0) &&
    (gpus.length > 0 ? fits : isPlain)
  );
}

function findProblems(world: World, { name, scenario, truth }: Machine): string[] {
  const cast = casts.find((one) => one.name === scenario);
  const reason = world.reasonOf(name);
  if (reason !== cast?.want) return [`${name} ends as ${reason}, not as ${cast?.want}`];
  if (!cast.honest) return [];
  const { tier, proven } = world.factsOf(name);
  const want = computeTier(truth);
  return proven && tier === want ? [] : [`${name} is honest and matched by tier ${tier}, not ${want}`];
}

function buildTable(world: World, machines: readonly Machine[], beyond: ReadonlyMap<string, string>): string[] {
  const head = ["WHO", "MACHINES", "ENDS AS", "RUNG", "MATCHED AS", "BEYOND PROOF"];
  const rows = casts.filter(({ name }) => machines.some(({ scenario }) => scenario === name)).map(describe);
  return [head, ...rows].map((row) => row.map((cell, at) => cell.padEnd([26, 10, 17, 24, 16, 0][at] ?? 0)).join(""));

  function describe({ name, honest, rung }: Cast): string[] {
    const own = machines.filter(({ scenario }) => scenario === name);
    const reasons = new Set(own.map((machine) => world.reasonOf(machine.name)));
    const given = new Set(own.map((machine) => matchedAs(world, machine.name)));
    const over = own.filter((machine) => beyond.has(machine.name)).length;
    const words = honest ? `reaches ${rung}` : rung.startsWith("its") ? rung : `fails at ${rung}`;
    return [name, String(own.length), [...reasons].join(), words, [...given].sort().join(), String(over)];
  }
}

function matchedAs(world: World, name: string): string {
  const { proven, disqualified, tier } = world.factsOf(name);
  return proven && !disqualified ? (tier ?? "nothing") : "nothing";
}
