/**
 * `npm run test:contracts -- --long [--minutes M] [--anew]`: the fuzz tests and the invariants with many more and longer runs
 * (`profile.long` of foundry.toml). In parts, each a forge of its own: a file with fuzz tests, or a share of the invariants' runs
 * with a seed of its own. Parts that passed with these very sources are kept in `contracts/cache/long.json`, so that a run that was
 * ended, or that `--minutes` ends between two parts, goes on where it was. Prints how long each took; exits 1 where one failed or
 * is left.
 */
import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { parseArgs } from "node:util";
import { runForge } from "./forge.ts";
import { contractsDir } from "./mutated-sources.ts";

const recordPath = join(contractsDir, "cache/long.json");
/** The profile's runs of the invariants are shared out over so many seeds. */
const seeds = 10;

interface Part {
  readonly name: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

interface LongRecord {
  /** Of sources, tests and settings. */
  readonly digest: string;
  /** Seconds by part that passed. */
  readonly seconds: Readonly<Record<string, number>>;
}

function readSources(): Map<string, string> {
  const files = ["src", "test"].flatMap((folder) =>
    readdirSync(join(contractsDir, folder), { recursive: true, encoding: "utf8" })
      .filter((name) => name.endsWith(".sol"))
      .map((name) => `${folder}/${name}`),
  );
  const all = [...files.sort(), "foundry.toml"];
  return new Map(all.map((file) => [file, readFileSync(join(contractsDir, file), "utf8")]));
}

function listParts(sources: ReadonlyMap<string, string>): Part[] {
  const runs = /\[profile\.long\][^[]*invariant = \{ runs = ([\d_]+)/.exec(sources.get("foundry.toml") ?? "")?.[1];
  if (runs === undefined) throw new Error("foundry.toml gives no runs of the invariants in [profile.long].");
  const perSeed = String(Math.ceil(Number(runs.replaceAll("_", "")) / seeds));
  const fuzzed = [...sources].filter(
    ([file, text]) => file.endsWith(".t.sol") && /^ *function test\w*\([^)]/m.test(text),
  );
  const invariants = Array.from({ length: seeds }, (_, index) => ({
    name: `invariants ${index + 1} of ${seeds}`,
    args: ["--match-path", "test/Invariants.t.sol", "--fuzz-seed", String(index + 1)],
    env: { FOUNDRY_INVARIANT_RUNS: perSeed },
  }));
  // Tests without parameters do the same as in the ordinary run.
  const fuzz = fuzzed.map(([file]) => ({ name: file, args: ["--match-path", file, "--match-test", "Fuzz"], env: {} }));
  return [...fuzz, ...invariants];
}

function readRecord(digest: string, isAnew: boolean): LongRecord {
  const none = { digest, seconds: {} };
  if (isAnew) return none;
  try {
    const record = JSON.parse(readFileSync(recordPath, "utf8")) as LongRecord;
    return record.digest === digest ? record : none;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return none;
    throw error;
  }
}

/** @returns an exit status */
function runLong(): number {
  const { values } = parseArgs({
    args: process.argv.slice(2).filter((argument) => argument !== "--long"),
    options: { minutes: { type: "string" }, anew: { type: "boolean", default: false } },
  });
  const minutes = Number(values.minutes ?? Number.POSITIVE_INFINITY);
  if (!(minutes > 0)) throw new Error(`--minutes must be a number above 0, got "${values.minutes}".`);
  const endsAt = Date.now() + minutes * 60_000;
  const sources = readSources();
  const digest = createHash("sha256")
    .update(JSON.stringify([...sources]))
    .digest("hex");
  let record = readRecord(digest, values.anew);
  const parts = listParts(sources);
  const failed: string[] = [];
  process.env.FOUNDRY_PROFILE = "long";
  // Once for all: each part alone would compile what it needs, and compiling takes longer than most parts.
  if (parts.some(({ name }) => record.seconds[name] === undefined) && runForge(["build", "--quiet"]) !== 0) return 1;
  for (const { name, args, env } of parts) {
    if (record.seconds[name] !== undefined || Date.now() >= endsAt) continue;
    const startedAt = Date.now();
    Object.assign(process.env, env);
    if (runForge(["test", ...args]) !== 0) {
      failed.push(name);
      continue;
    }
    record = { digest, seconds: { ...record.seconds, [name]: Math.round((Date.now() - startedAt) / 1_000) } };
    mkdirSync(dirname(recordPath), { recursive: true });
    writeFileSync(recordPath, JSON.stringify(record));
  }
  for (const { name } of parts) {
    const seconds = record.seconds[name];
    const what = seconds === undefined ? (failed.includes(name) ? "FAILED" : "left") : `passed in ${seconds} s`;
    process.stdout.write(`${name.padEnd(40)}${what}\n`);
  }
  const total = Object.values(record.seconds).reduce((sum, seconds) => sum + seconds, 0);
  const passed = Object.keys(record.seconds).length;
  process.stdout.write(`${passed} of ${parts.length} parts passed, in ${total} s; ${failed.length} failed.\n`);
  return passed === parts.length ? 0 : 1;
}

try {
  process.exitCode = runLong();
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
