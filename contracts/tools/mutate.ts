/**
 * `npm run test:contracts -- --mutate [--sample N --seed S] [FILE...]`: how many mutants of the contracts the tests kill.
 * All mutants are compiled at once, beside the originals in a temporary copy of the project; then the tests of each one's
 * contract are run with the mutant deployed in its place. Exits 1 where one survives. Works offline.
 */
import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { basename, dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { findForge } from "./forge.ts";
import { listMutants, type Mutant } from "./mutants.ts";

const contractsDir = resolve(dirname(fileURLToPath(import.meta.url)), "..");
const srcDir = join(contractsDir, "src");

/** Test contracts by file, as a pattern. What is not listed is tested by all. */
const testsOf: Readonly<Record<string, string>> = {
  "AgentRevenue.sol": "AgentRevenue",
  "Disputes.sol": "Disputes",
  "InferiumGovernor.sol": "Governor",
  "IFRToken.sol": "IFRToken",
  "NodeRegistry.sol": "NodeRegistry",
  "Proceeds.sol": "Proceeds|PublicToken",
  "RewardDistributor.sol": "RewardDistributor",
  "Settlement.sol": "Settlement|RollBack",
  "SlashingManager.sol": "SlashingManager|Contradiction|DoubleSettlement|Equivocation",
  "TaskEscrow.sol": "TaskEscrow|EscrowWithdrawal",
  "ValidatorSets.sol": "ValidatorSets",
  "libraries/Certificates.sol": "ValidatorSets",
  "libraries/Evidence.sol": "SlashingManager|Contradiction|Equivocation|DisputesOpen",
  "libraries/Signatures.sol": "NodeRegistryTest|ValidatorSetsTest",
};

const { values, positionals } = parseArgs({
  args: process.argv.slice(2).filter((argument) => argument !== "--mutate"),
  options: { sample: { type: "string" }, seed: { type: "string", default: "1" } },
  allowPositionals: true,
});

const root = mkdtempSync(join(tmpdir(), "inferium-mutants-"));
try {
  const mutants = chooseMutants();
  const project = copyProject();
  for (const mutant of mutants) writeMutant(project, mutant);
  process.stdout.write(`Compiling ${mutants.length} mutants...\n`);
  forge(project, ["build", "--quiet"], {}, "inherit");
  const survivors = mutants.filter((mutant) => !isKilled(project, mutant));
  process.stdout.write(`${mutants.length - survivors.length} of ${mutants.length} mutants killed\n`);
  process.exitCode = survivors.length === 0 ? 0 : 1;
} finally {
  rmSync(root, { recursive: true });
}

function listSources(): string[] {
  const names = readdirSync(srcDir, { recursive: true, encoding: "utf8" });
  return names.filter((name) => name.endsWith(".sol")).sort();
}

/** Neither interfaces nor `zk/`, whose tests do not deploy by the fixture. */
function isMutated(file: string): boolean {
  return !file.startsWith("interfaces/") && !file.startsWith("zk/");
}

function readSource(file: string): string {
  return readFileSync(join(srcDir, file), "utf8");
}

function chooseMutants(): Mutant[] {
  const all: Mutant[] = [];
  for (const file of listSources()) {
    if (!isMutated(file)) continue;
    if (positionals.length > 0 && !positionals.includes(basename(file, ".sol"))) continue;
    all.push(...listMutants(file, readSource(file), all.length));
  }
  const wanted = Number(values.sample ?? all.length);
  let state = Number(values.seed);
  if (!Number.isInteger(wanted) || wanted < 1 || !Number.isInteger(state)) {
    throw new Error(`--sample and --seed must be whole numbers, got ${values.sample} and ${values.seed}.`);
  }
  // Shuffled by a linear congruential generator, so that a seed always gives the same sample.
  for (let i = all.length - 1; i > 0; i -= 1) {
    state = (state * 1_664_525 + 1_013_904_223) % 2 ** 32;
    const j = Math.floor((state / 2 ** 32) * (i + 1));
    const [a, b] = [all[i], all[j]];
    if (a && b) [all[i], all[j]] = [b, a];
  }
  return all.slice(0, wanted).sort((a, b) => a.id - b.id);
}

/** Sources and unit tests, whose fixture deploys what the environment names instead of the original. */
function copyProject(): string {
  const project = join(root, "contracts");
  for (const name of ["src", "test", "foundry.toml", "tools"]) {
    cpSync(join(contractsDir, name), join(project, name), { recursive: true });
  }
  cpSync(resolve(contractsDir, "../test/vectors"), join(root, "test/vectors"), { recursive: true });
  const require = createRequire(import.meta.url);
  const openZeppelin = dirname(require.resolve("@openzeppelin/contracts/package.json"));
  mkdirSync(join(project, "lib"));
  symlinkSync(openZeppelin, join(project, "lib/openzeppelin"));
  symlinkSync(resolve(openZeppelin, "../.."), join(root, "node_modules"));
  for (const name of [
    "Invariants.t.sol",
    "support/Handler.sol",
    "support/BatchHandler.sol",
    "support/StakeHandler.sol",
  ]) {
    rmSync(join(project, "test", name));
  }
  edit(
    join(project, "test/support/Fixture.sol"),
    'internal pure returns (string memory) {\n        return string.concat(name, ".sol:", name);',
    'internal view returns (string memory) {\n        return vm.envOr(string.concat("ARTIFACT_OF_", name), string.concat(name, ".sol:", name));',
  );
  edit(
    join(project, "test/support/Vm.sol"),
    "interface Vm {",
    "interface Vm {\n    function envOr(string calldata name, string calldata otherwise) external view returns (string memory);",
  );
  return project;
}

function edit(path: string, from: string, to: string): void {
  const text = readFileSync(path, "utf8");
  if (!text.includes(from))
    throw new Error(`${path} does not contain "${from}" any more: adapt contracts/tools/mutate.ts.`);
  writeFileSync(path, text.replace(from, to));
}

/** The mutated file and all that is built from it, under names of their own. */
function writeMutant(project: string, mutant: Mutant): void {
  const family = listFamily(mutant.file);
  for (const file of family) {
    const text = file === mutant.file ? mutant.text : readSource(file);
    const renamed = text.replace(/from "(\.[^"]*)"/g, (_, path: string) => {
      const target = join(dirname(file), path);
      return `from "${family.includes(target) ? `./${nameOf(target, mutant)}` : `src/${target}`}"`;
    });
    mkdirSync(join(project, "src/mutants"), { recursive: true });
    writeFileSync(join(project, "src/mutants", nameOf(file, mutant)), renamed);
  }
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

function isKilled(project: string, mutant: Mutant): boolean {
  const env: Record<string, string> = {};
  for (const file of listFamily(mutant.file)) {
    if (isMutated(file)) {
      env[`ARTIFACT_OF_${basename(file, ".sol")}`] = `${nameOf(file, mutant)}:${basename(file, ".sol")}`;
    }
  }
  const pattern = testsOf[mutant.file] ?? ".";
  const killed = forge(project, ["test", "--fail-fast", "--match-contract", pattern], env, "ignore") !== 0;
  if (!killed) process.stdout.write(`survived: ${mutant.file}:${mutant.line} ${mutant.what}\n`);
  return killed;
}

function forge(
  project: string,
  args: readonly string[],
  env: Record<string, string>,
  stdio: "inherit" | "ignore",
): number {
  const result = spawnSync(findForge(), args, {
    cwd: project,
    stdio: ["ignore", stdio, "inherit"],
    timeout: 1_800_000,
    // Unoptimised code compiles several times faster and does the same.
    env: { ...process.env, ...env, FOUNDRY_OPTIMIZER: "false", FOUNDRY_FUZZ_RUNS: "16", RUST_LOG: "error" },
  });
  if (result.error !== undefined) throw result.error;
  if (args[0] === "build" && result.status !== 0) throw new Error("The mutants do not compile: see above.");
  return result.status ?? 1;
}
