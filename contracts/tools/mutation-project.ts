/**
 * A temporary copy of the contracts in which mutants are compiled beside the originals, and tests run with a mutant deployed
 * instead of its original: their fixture deploys what the environment names. For `mutate.ts`.
 */
import { execFileSync, spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { basename, dirname, join, resolve } from "node:path";
import { findForge, gasTests } from "./forge.ts";
import type { Mutant } from "./mutants.ts";
import { contractsDir, isMutated, listSources, readSource } from "./mutated-sources.ts";

/** Long, and with all contracts in them. */
const leftOut = ["Invariants.t.sol", "support/Handler.sol", "support/BatchHandler.sol", "support/StakeHandler.sol"];
const sourcesOfMutants = "src/mutants";
const testsOfMutants = "test/mutants";

export class MutationProject {
  readonly #root = mkdtempSync(join(tmpdir(), "inferium-mutants-"));
  readonly #folder = join(this.#root, "contracts");

  constructor() {
    for (const name of ["src", "test", "foundry.toml", "tools"]) {
      cpSync(join(contractsDir, name), join(this.#folder, name), { recursive: true });
    }
    answerVersion(join(this.#folder, "tools/solc-shim.cjs"));
    cpSync(resolve(contractsDir, "../test/vectors"), join(this.#root, "test/vectors"), { recursive: true });
    const openZeppelin = dirname(createRequire(import.meta.url).resolve("@openzeppelin/contracts/package.json"));
    mkdirSync(join(this.#folder, "lib"));
    symlinkSync(openZeppelin, join(this.#folder, "lib/openzeppelin"));
    symlinkSync(resolve(openZeppelin, "../.."), join(this.#root, "node_modules"));
    for (const name of leftOut) rmSync(join(this.#folder, "test", name));
    edit(
      join(this.#folder, "test/support/TestBase.sol"),
      'internal pure returns (string memory) {\n        return string.concat(name, ".sol:", name);',
      'internal view returns (string memory) {\n        return vm.envOr(string.concat("ARTIFACT_OF_", name), string.concat(name, ".sol:", name));',
    );
    edit(
      join(this.#folder, "test/support/Vm.sol"),
      "interface Vm {",
      "interface Vm {\n    function envOr(string calldata name, string calldata otherwise) external view returns (string memory);",
    );
  }

  remove(): void {
    rmSync(this.#root, { recursive: true });
  }

  /** Compiles them once: each further build compiles its mutants alone. */
  testOriginals(): void {
    this.#build();
    const { failed, output } = this.#test({}, []);
    if (!failed) return;
    throw new Error(`The tests fail without any mutant: nothing could be told from their failing.\n${output}`);
  }

  /** These mutants, and none of those before. */
  compile(mutants: readonly Mutant[]): void {
    for (const name of [sourcesOfMutants, testsOfMutants]) {
      rmSync(join(this.#folder, name), { recursive: true, force: true });
      mkdirSync(join(this.#folder, name));
    }
    for (const mutant of mutants) {
      this.#writeMutant(mutant);
      this.#writeCallers(mutant);
    }
    this.#build();
  }

  /** @param first pattern of the test contracts that are tried first */
  isKilled(mutant: Mutant, first: string | undefined): boolean {
    const env: Record<string, string> = {};
    for (const file of listFamily(mutant.file)) {
      const name = basename(file, ".sol");
      if (isMutated(file)) env[`ARTIFACT_OF_${name}`] = `${nameOf(file, mutant)}:${name}`;
    }
    const fails = (...filter: string[]) => this.#test(env, filter).failed;
    if (this.#listCallers(mutant.file).length > 0 && fails("--match-path", `${testsOfMutants}/*_${mutant.id}.t.sol`)) {
      return true;
    }
    const originals = ["--no-match-path", `${testsOfMutants}/*`];
    if (first === undefined) return fails(...originals);
    return fails(...originals, "--match-contract", first) || fails(...originals, "--no-match-contract", first);
  }

  /** The mutated file and all that is built from it, under names of their own. */
  #writeMutant(mutant: Mutant): void {
    const family = listFamily(mutant.file);
    for (const file of family) {
      const text = file === mutant.file ? mutant.text : readSource(file);
      const renamed = redirectImports(text, (path) => {
        const target = join(dirname(file), path);
        return family.includes(target) ? `./${nameOf(target, mutant)}` : `src/${target}`;
      });
      writeFileSync(join(this.#folder, sourcesOfMutants, nameOf(file, mutant)), renamed);
    }
  }

  /** They see the mutant, and all else as it is: a library with mutants and with types of its own would not compile so. */
  #writeCallers(mutant: Mutant): void {
    for (const path of this.#listCallers(mutant.file)) {
      const text = readFileSync(join(this.#folder, "test", path), "utf8");
      const renamed = redirectImports(text, (imported) => {
        const target = join("test", dirname(path), imported);
        return target === `src/${mutant.file}` ? `${sourcesOfMutants}/${nameOf(mutant.file, mutant)}` : target;
      });
      const name = `${basename(path, ".t.sol")}_${mutant.id}.t.sol`;
      writeFileSync(join(this.#folder, testsOfMutants, name), renamed);
    }
  }

  /** Test files that call an internal library's functions: its code is in them, and no artifact stands for it. */
  #listCallers(file: string): string[] {
    const name = basename(file, ".sol");
    if (!new RegExp(`^library ${name} `, "m").test(readSource(file))) return [];
    const calls = new RegExp(`\\b${name}\\.\\w+\\(`);
    const folder = join(this.#folder, "test");
    return readdirSync(folder, { recursive: true, encoding: "utf8" }).filter(
      (path) =>
        path.endsWith(".t.sol") &&
        !path.startsWith(basename(testsOfMutants)) &&
        calls.test(readFileSync(join(folder, path), "utf8")),
    );
  }

  #build(): void {
    const { status, output } = this.#forge({}, ["build"]);
    if (status !== 0) throw new Error(`The mutants do not compile:\n${output}`);
  }

  /** A test must be said to fail: that none matched, or that nothing compiled, kills no mutant. */
  #test(env: Readonly<Record<string, string>>, filter: readonly string[]): { failed: boolean; output: string } {
    const args = ["test", "-j", "1", "--fail-fast", "--no-match-test", gasTests, ...filter];
    const { status, output } = this.#forge(env, args);
    const failed = output.includes("[FAIL");
    if (!failed && (status !== 0 || !/\d+ tests passed/.test(output))) {
      throw new Error(`forge ${args.join(" ")} ended with ${status} and told of no failing test:\n${output}`);
    }
    return { failed, output };
  }

  #forge(env: Readonly<Record<string, string>>, args: readonly string[]): { status: number; output: string } {
    const result = spawnSync(findForge(), args, {
      cwd: this.#folder,
      encoding: "utf8",
      maxBuffer: 2 ** 26,
      timeout: 1_800_000,
      // Unoptimised code compiles several times faster and does the same.
      env: { ...process.env, ...env, FOUNDRY_OPTIMIZER: "false", FOUNDRY_FUZZ_RUNS: "16", RUST_LOG: "error" },
    });
    if (result.error !== undefined) throw result.error;
    return { status: result.status ?? 1, output: `${result.stdout}${result.stderr}` };
  }
}

/** Forge asks for the compiler's version at each start; loading the compiler to say it takes longer than most tests. */
function answerVersion(shim: string): void {
  const version = execFileSync(process.execPath, [join(contractsDir, "tools/solc-shim.cjs"), "--version"], {
    cwd: contractsDir,
    encoding: "utf8",
  });
  const lines = readFileSync(shim, "utf8").split("\n");
  const early = `if (process.argv.includes("--version")) { process.stdout.write(${JSON.stringify(version)}); process.exit(0); }`;
  writeFileSync(shim, [lines[0], early, ...lines.slice(1)].join("\n"));
}

function edit(path: string, from: string, to: string): void {
  const text = readFileSync(path, "utf8");
  if (!text.includes(from)) {
    throw new Error(`${path} does not contain "${from}" any more: adapt contracts/tools/mutation-project.ts.`);
  }
  writeFileSync(path, text.replace(from, to));
}

/** Relative ones: packages are found from everywhere. */
function redirectImports(text: string, redirect: (path: string) => string): string {
  return text.replace(/from "(\.[^"]*)"/g, (_, path: string) => `from "${redirect(path)}"`);
}

function nameOf(file: string, mutant: Mutant): string {
  return `${basename(file, ".sol")}_${mutant.id}.sol`;
}

/** `file` and the sources that import it, however indirectly. */
function listFamily(file: string): string[] {
  const family = [file];
  for (const member of family) {
    for (const other of listSources()) {
      if (family.includes(other)) continue;
      const imports = [...readSource(other).matchAll(/from "(\.[^"]*)"/g)].map(([, path]) =>
        join(dirname(other), path ?? ""),
      );
      if (imports.includes(member)) family.push(other);
    }
  }
  return family;
}
