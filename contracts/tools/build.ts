/**
 * Compiles the contracts and writes one committed JSON per contract into `contracts/artifacts/`: ABI and creation
 * bytecode, nothing else, so that the system starts without a compiler. So it does for the contracts of tests in TypeScript,
 * into `test/fixtures/`. `--check` writes nothing and fails where the committed files differ from the
 * source. Works offline.
 */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { basename, dirname, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { contractNames } from "../../src/chain/artifacts.ts";
import { runForge } from "./forge.ts";

const contractsDir = resolve(dirname(fileURLToPath(import.meta.url)), "..");
const artifactsDir = join(contractsDir, "artifacts");
const fixturesDir = resolve(contractsDir, "../test/fixtures");

/** What `npm run gas` compares with, and the public token that can be paused. */
const fixtureSources = ["test/support/PerTaskSettlement.sol", "test/mocks/PublicIfrToken.sol"];

/** Where each is written. */
const folders: ReadonlyMap<string, string> = new Map([
  ...contractNames.map((name) => [name, artifactsDir] as const),
  ...fixtureSources.map((source) => [basename(source, ".sol"), fixturesDir] as const),
]);

interface ForgeOutput {
  readonly abi: readonly unknown[];
  readonly bytecode: { readonly object: string };
}

function renderArtifact(name: string): string {
  const path = join(contractsDir, "out", `${name}.sol`, `${name}.json`);
  const output = JSON.parse(readFileSync(path, "utf8")) as ForgeOutput;
  const abi = output.abi.map((entry) => `    ${JSON.stringify(entry)}`).join(",\n");
  return `{\n  "contractName": "${name}",\n  "abi": [\n${abi}\n  ],\n  "bytecode": "${output.bytecode.object}"\n}\n`;
}

function readCommitted(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

function writeArtifacts(): void {
  rmSync(artifactsDir, { recursive: true, force: true });
  mkdirSync(artifactsDir, { recursive: true });
  for (const [name, folder] of folders) writeFileSync(join(folder, `${name}.json`), renderArtifact(name));
  process.stdout.write(`Wrote ${contractNames.length} artifacts to contracts/artifacts.\n`);
}

/** @returns how many committed artifacts are not what the source compiles to */
function checkArtifacts(): number {
  const stale = [...folders]
    .map(([name, folder]) => ({ name, path: join(folder, `${name}.json`) }))
    .filter(({ name, path }) => readCommitted(path) !== renderArtifact(name));
  for (const { path } of stale) {
    const file = relative(resolve(contractsDir, ".."), path);
    process.stderr.write(`${file} is not what the source compiles to: run npm run generate.\n`);
  }
  return stale.length;
}

const status = runForge(["build", "src", ...fixtureSources], "pipe");
if (status !== 0) process.exitCode = status;
else if (process.argv.includes("--check")) process.exitCode = checkArtifacts() === 0 ? 0 : 1;
else writeArtifacts();
