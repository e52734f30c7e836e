/** The sources of which there are mutants, for `mutate.ts` and its parts. Reads `contracts/src`. */
import { readdirSync, readFileSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { listMutants, type Mutant } from "./mutants.ts";

export const contractsDir = resolve(dirname(fileURLToPath(import.meta.url)), "..");
const srcDir = join(contractsDir, "src");

/** Paths below `contracts/src`. */
export function listSources(): string[] {
  const names = readdirSync(srcDir, { recursive: true, encoding: "utf8" });
  return names.filter((name) => name.endsWith(".sol")).sort();
}

/** Interfaces are not: there is nothing in them to run. */
export function isMutated(file: string): boolean {
  return /^(abstract contract|contract|library) /m.test(readSource(file));
}

export function readSource(file: string): string {
  return readFileSync(join(srcDir, file), "utf8");
}

/** The line that a mutant changes, as it is, without its indentation. */
export function originalLineOf(mutant: Mutant): string | undefined {
  return readSource(mutant.file).split("\n")[mutant.line - 1]?.trim();
}

/**
 * @param names of contracts and libraries; none is all
 * @param sample how many of them, chosen by the seed; undefined is all
 */
export function chooseMutants(names: readonly string[], sample: number | undefined, seed: number): Mutant[] {
  const all: Mutant[] = [];
  for (const file of chooseFiles(names)) all.push(...listMutants(file, readSource(file), all.length));
  if (sample === undefined) return all;
  // Shuffled by a linear congruential generator, so that a seed always gives the same sample.
  let state = seed;
  for (let i = all.length - 1; i > 0; i -= 1) {
    state = (state * 1_664_525 + 1_013_904_223) % 2 ** 32;
    const j = Math.floor((state / 2 ** 32) * (i + 1));
    const [a, b] = [all[i], all[j]];
    if (a && b) [all[i], all[j]] = [b, a];
  }
  return all.slice(0, sample).sort((a, b) => a.id - b.id);
}

function chooseFiles(names: readonly string[]): string[] {
  const nameOfFile = (file: string) => basename(file, ".sol");
  const files = listSources().filter((file) => isMutated(file) && listMutants(file, readSource(file), 0).length > 0);
  const unknown = names.filter((name) => !files.some((file) => nameOfFile(file) === name));
  if (unknown.length > 0) {
    const known = files.map(nameOfFile).sort().join(", ");
    throw new Error(`No contract or library with mutants is called ${unknown.join(" or ")}; there are ${known}.`);
  }
  return files.filter((file) => names.length === 0 || names.includes(nameOfFile(file)));
}
