/**
 * `npm run test:contracts -- --mutate [--sample N --seed S] [FILE...]`: how many mutants of the contracts the tests kill.
 * Mutants are compiled beside the originals in a temporary copy of the project, some at a time; for each the tests of its
 * contract are run with the mutant deployed in its place, and all others where those do not kill it. What was killed is kept in
 * `contracts/cache/mutants.json`, so that a run that was ended goes on where it was; `--anew` forgets it. Mutants that no test
 * can kill are listed in `equivalent-mutants.json`, each with why, and are counted apart. Exits 1 where another survives.
 */
import { execFileSync, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { basename, dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { findForge } from "./forge.ts";
import { listMutants, type Mutant } from "./mutants.ts";

const contractsDir = resolve(dirname(fileURLToPath(import.meta.url)), "..");
const srcDir = join(contractsDir, "src");
const resultsPath = join(contractsDir, "cache/mutants.json");
/** Compiled at once: the compiler's memory is bounded. */
const mutantsAtOnce = 24;
/** Of optimised code, which mutants are not. */
const gasTests = "WithinTheGasTarget";

/** Test contracts by file, as a pattern: those that are tried first. */
const testsOf: Readonly<Record<string, string>> = {
  "AgentRevenue.sol": "AgentRevenue",
  "Disputes.sol": "Disputes",
  "InferiumGovernor.sol": "Governor",
  "IFRToken.sol": "IFRToken",
  "NodeRegistry.sol": "NodeRegistry",
  "Proceeds.sol": "Proceeds|PublicToken",
  "RewardDistributor.sol": "RewardDistributor",
  "Settlement.sol": "Settlement|RollBack",
  "SlashingManager.sol": "SlashingManager|SlashMissed|Contradiction|DoubleSettlement|Equivocation",
  "TaskEscrow.sol": "TaskEscrow|EscrowWithdrawal|SettlementTold",
  "ValidatorSets.sol": "ValidatorSets|SettlementTold",
  "libraries/Certificates.sol": "ValidatorSets",
  "libraries/Evidence.sol": "SlashingManager|SlashMissed|Contradiction|Equivocation|DisputesOpen",
  "libraries/Signatures.sol": "NodeRegistryTest|ValidatorSetsTest",
  "zk/Groth16.sol": "ZkVerifier",
  "zk/ModelRegistry.sol": "ZkVerifier",
  "zk/ZkFaults.sol": "ZkFaults",
  "zk/ZkVerifier.sol": "ZkVerifier",
};

interface Equivalent {
  readonly file: string;
  /** The original line, without its indentation. */
  readonly code: string;
  readonly what: string;
  readonly why: string;
}

const { values, positionals } = parseArgs({
  args: process.argv.slice(2).filter((argument) => argument !== "--mutate"),
  options: { sample: { type: "string" }, seed: { type: "string", default: "1" }, anew: { type: "boolean" } },
  allowPositionals: true,
});

const equivalents = JSON.parse(
  readFileSync(join(contractsDir, "tools/equivalent-mutants.json"), "utf8"),
) as readonly Equivalent[];
const root = mkdtempSync(join(tmpdir(), "inferium-mutants-"));
try {
  const mutants = chooseMutants();
  const spared = mutants.filter(isEquivalent);
  const killed = readKilled();
  const open = mutants.filter((mutant) => !isEquivalent(mutant) && !killed.has(identify(mutant)));
  const before = mutants.length - spared.length - open.length;
  process.stdout.write(`${mutants.length} mutants, ${spared.length} equivalent, ${before} killed in an earlier run.\n`);
  const survivors = open.length === 0 ? [] : testMutants(open, killed);
  const counted = mutants.length - spared.length;
  process.stdout.write(
    `${counted - survivors.length} of ${counted} mutants killed, ${spared.length} more are equivalent.\n`,
  );
  for (const stale of listStale()) process.stdout.write(`No such mutant any more: ${stale.file}: ${stale.what}\n`);
  process.exitCode = survivors.length === 0 && listStale().length === 0 ? 0 : 1;
} finally {
  rmSync(root, { recursive: true });
}

/** @returns those that no test kills */
function testMutants(mutants: readonly Mutant[], killed: Set<string>): Mutant[] {
  const project = copyProject();
  // The originals once; each further build compiles its mutants alone.
  forge(project, ["build", "--quiet"], {}, "inherit");
  if (forge(project, ["test", "--no-match-test", gasTests], {}, "inherit") !== 0)
    throw new Error("The tests fail without any mutant: nothing could be told from their failing.");
  const survivors: Mutant[] = [];
  for (let first = 0; first < mutants.length; first += mutantsAtOnce) {
    const some = mutants.slice(first, first + mutantsAtOnce);
    rmSync(join(project, "src/mutants"), { recursive: true, force: true });
    for (const mutant of some) writeMutant(project, mutant);
    forge(project, ["build", "--quiet"], {}, "inherit");
    for (const mutant of some) {
      if (isKilled(project, mutant)) {
        killed.add(identify(mutant));
        keepKilled(killed);
      } else {
        survivors.push(mutant);
        process.stdout.write(`survived: ${mutant.file}:${mutant.line} ${mutant.what}\n`);
      }
    }
    process.stdout.write(`${Math.min(first + mutantsAtOnce, mutants.length)} of ${mutants.length} tried\n`);
  }
  return survivors;
}

/** The same for the same mutated text, whatever the tests are: a test that is added takes no kill back. */
function identify({ file, what, text }: Mutant): string {
  return createHash("sha256").update(`${file}\n${what}\n${text}`).digest("hex").slice(0, 32);
}

function readKilled(): Set<string> {
  if (values.anew === true) return new Set();
  try {
    return new Set(JSON.parse(readFileSync(resultsPath, "utf8")) as string[]);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return new Set();
    throw error;
  }
}

function keepKilled(killed: ReadonlySet<string>): void {
  mkdirSync(dirname(resultsPath), { recursive: true });
  writeFileSync(`${resultsPath}.new`, JSON.stringify([...killed]));
  renameSync(`${resultsPath}.new`, resultsPath);
}

function isEquivalent(mutant: Mutant): boolean {
  const code = readSource(mutant.file).split("\n")[mutant.line - 1]?.trim();
  return equivalents.some((known) => known.file === mutant.file && known.code === code && known.what === mutant.what);
}

/** Listed as equivalent, and made no more: the reason may no longer hold either. */
function listStale(): Equivalent[] {
  const all = listSources()
    .filter(isMutated)
    .flatMap((file) => listMutants(file, readSource(file), 0));
  return equivalents.filter(
    ({ file, code, what }) =>
      !all.some(
        (mutant) =>
          mutant.file === file &&
          mutant.what === what &&
          readSource(file).split("\n")[mutant.line - 1]?.trim() === code,
      ),
  );
}

function listSources(): string[] {
  const names = readdirSync(srcDir, { recursive: true, encoding: "utf8" });
  return names.filter((name) => name.endsWith(".sol")).sort();
}

function isMutated(file: string): boolean {
  return !basename(file).startsWith("I") || file === "IFRToken.sol" || file === "InferiumGovernor.sol";
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
  answerVersion(join(project, "tools/solc-shim.cjs"));
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
    join(project, "test/support/TestBase.sol"),
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
  const own = testsOf[mutant.file];
  const test = (...filter: string[]) =>
    forge(project, ["test", "-j", "1", "--fail-fast", "--no-match-test", gasTests, ...filter], env, "ignore") !== 0;
  if (own === undefined) return test();
  return test("--match-contract", own) || test("--no-match-contract", own);
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
