/** Which figures of a soak must not grow, and by how much noise moves them. Pure. */
import { type Allowance, checkFlat, type Growth } from "./check-flat.ts";
import type { ProcessSample } from "./sample.ts";
import { type ProcessName, processNames, type SoakSample } from "./soak.ts";

/** RSS is what the allocator keeps, which follows the heap late and in steps. */
const allowances: Readonly<Record<keyof ProcessSample, Allowance>> = {
  rssMiB: { absolute: 25, share: 0.15 },
  heapMiB: { absolute: 3, share: 0.05 },
  // A cut more may find more connections open; one that leaks a descriptor at each leaks dozens.
  descriptors: { absolute: 12, share: 0.15 },
  resources: { absolute: 12, share: 0.15 },
};
const figures = Object.keys(allowances) as (keyof ProcessSample)[];

export interface GrowthReport {
  /** Undefined where the run was too short to say. */
  readonly figures: Readonly<Record<ProcessName, Partial<Record<keyof ProcessSample, Growth | undefined>>>>;
  readonly problems: readonly string[];
}

export function checkGrowth(samples: readonly SoakSample[]): GrowthReport {
  const problems: string[] = [];
  const all = processNames.map((name) => {
    const own = figures.map((figure) => {
      const values = samples.map(({ processes }) => processes[name][figure]);
      const growth = checkFlat(values, allowances[figure]);
      if (growth?.isFlat === false)
        problems.push(`${figure} of the ${name} grows: ${growth.before} in the middle, ${growth.after} at the end`);
      return [figure, growth] as const;
    });
    return [name, Object.fromEntries(own)] as const;
  });
  return { figures: Object.fromEntries(all) as GrowthReport["figures"], problems };
}

/** A table for people. */
export function describeGrowth({ figures: found }: GrowthReport): string[] {
  const cell = (growth: Growth | undefined) => (growth ? `${growth.before} -> ${growth.after}` : "too short");
  const row = (name: string, cells: readonly string[]) =>
    [name.padEnd(12), ...cells.map((text) => text.padEnd(20))].join("");
  return [
    row("PROCESS", figures),
    ...processNames.map((name) =>
      row(
        name,
        figures.map((figure) => cell(found[name][figure])),
      ),
    ),
  ];
}
