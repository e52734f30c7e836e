/**
 * What became of the mutants: killed ones in `contracts/cache/mutants.json`, which outlives a run, and the equivalent ones of
 * `equivalent-mutants.json`; and the table that `mutate.ts` prints of them.
 */
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { listMutants, type Mutant } from "./mutants.ts";
import { contractsDir, isMutated, listSources, originalLineOf, readSource } from "./mutated-sources.ts";

const resultsPath = join(contractsDir, "cache/mutants.json");

interface Equivalent {
  readonly file: string;
  /** The original line, without its indentation. */
  readonly code: string;
  readonly what: string;
  readonly why: string;
}

export interface MutationTotals {
  readonly killed: number;
  readonly survived: number;
  readonly untried: number;
  readonly equivalent: number;
}

export class MutationBook {
  readonly #killed: Set<string>;
  readonly #survived = new Set<string>();
  readonly #equivalents: readonly Equivalent[];

  /** @param isAnew forgets what earlier runs killed */
  constructor(isAnew: boolean) {
    this.#killed = isAnew ? new Set() : readKilled();
    const path = join(contractsDir, "tools/equivalent-mutants.json");
    this.#equivalents = JSON.parse(readFileSync(path, "utf8")) as readonly Equivalent[];
  }

  isOpen(mutant: Mutant): boolean {
    return !this.#isEquivalent(mutant) && !this.#killed.has(identify(mutant));
  }

  addKilled(mutant: Mutant): void {
    this.#killed.add(identify(mutant));
    mkdirSync(dirname(resultsPath), { recursive: true });
    writeFileSync(`${resultsPath}.new`, JSON.stringify([...this.#killed]));
    renameSync(`${resultsPath}.new`, resultsPath);
  }

  /** In this run alone: a test may be added before the next. */
  addSurvivor(mutant: Mutant): void {
    this.#survived.add(identify(mutant));
  }

  count(mutants: readonly Mutant[]): MutationTotals {
    const equivalent = mutants.filter((mutant) => this.#isEquivalent(mutant)).length;
    const survived = mutants.filter((mutant) => this.#survived.has(identify(mutant))).length;
    const untried = mutants.filter((mutant) => this.isOpen(mutant)).length - survived;
    return { killed: mutants.length - equivalent - survived - untried, survived, untried, equivalent };
  }

  /** A row for each file with mutants, and one of all. */
  formatTable(mutants: readonly Mutant[]): string {
    const rowOf = (name: string, of: readonly Mutant[]) => {
      const { killed, survived, untried, equivalent } = this.count(of);
      return formatRow(name, [of.length, equivalent, `${killed}/${of.length - equivalent}`, survived, untried]);
    };
    const files = [...new Set(mutants.map(({ file }) => file))];
    return [
      formatRow("FILE", ["MUTANTS", "EQUIVALENT", "KILLED", "SURVIVED", "UNTRIED"]),
      ...files.map((file) =>
        rowOf(
          file,
          mutants.filter((mutant) => mutant.file === file),
        ),
      ),
      rowOf("total", mutants),
    ].join("");
  }

  /** Listed as equivalent, and made no more: the reason may no longer hold either. */
  listStale(): string[] {
    const all = listSources()
      .filter(isMutated)
      .flatMap((file) => listMutants(file, readSource(file), 0));
    return this.#equivalents
      .filter((known) => !all.some((mutant) => isSame(known, mutant)))
      .map(({ file, what, code }) => `${file}: ${what} in ${code}`);
  }

  #isEquivalent(mutant: Mutant): boolean {
    return this.#equivalents.some((known) => isSame(known, mutant));
  }
}

function isSame(known: Equivalent, mutant: Mutant): boolean {
  return known.file === mutant.file && known.what === mutant.what && known.code === originalLineOf(mutant);
}

/** The same for the same mutated text, whatever the tests are: a test that is added takes no kill back. */
function identify({ file, what, text }: Mutant): string {
  return createHash("sha256").update(`${file}\n${what}\n${text}`).digest("hex").slice(0, 32);
}

function readKilled(): Set<string> {
  try {
    return new Set(JSON.parse(readFileSync(resultsPath, "utf8")) as string[]);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return new Set();
    throw error;
  }
}

function formatRow(name: string, cells: readonly (string | number)[]): string {
  return `${name.padEnd(28)}${cells.map((cell) => String(cell).padStart(11)).join("")}\n`;
}
