/**
 * What a simulation is: a name, numbers that scale it, and a run that a seed decides. `scenarios.ts` lists all of them;
 * `run.ts` runs one or all and prints what came of it.
 */

/** How many faults of each kind a simulation has injected, by name. */
export type FaultCounts = Record<string, number>;

export function countFault(counts: FaultCounts, name: string): void {
  counts[name] = (counts[name] ?? 0) + 1;
}

export interface ScenarioOptions {
  readonly seed: number;
  /** The scenario's own numbers, each a whole number of 0 or more; those of `Scenario.numbers`. */
  readonly numbers: Readonly<Record<string, number>>;
  readonly timeoutMs: number;
  readonly onProgress?: (line: string) => void;
}

/** What a run says. Counts that a scenario does not take are absent. */
export interface ScenarioReport {
  readonly seed: number;
  readonly seconds: number;
  readonly faults: FaultCounts;
  /** Everything that is not as it must be; empty after a good run. */
  readonly problems: readonly string[];
  /** Seeds run, where it is more than one. */
  readonly seeds?: number;
  readonly tasks?: number;
  /** How many tasks ended how. */
  readonly outcomes?: Readonly<Record<string, number>>;
  readonly lost?: number;
  readonly paidTwice?: number;
  readonly slashedWrongly?: number;
  /** Lines for a person: a table of what was tried and what came of it. */
  readonly table?: readonly string[];
}

export interface Scenario {
  readonly name: string;
  /** One line: what is done to whom, and what must hold. */
  readonly what: string;
  /** Its options with their defaults. */
  readonly numbers: Readonly<Record<string, number>>;
  run(options: ScenarioOptions): Promise<ScenarioReport>;
}
