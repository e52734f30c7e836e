/**
 * Compiles the contracts and writes one committed JSON per contract into `contracts/artifacts/`: ABI and creation
 * bytecode, nothing else, so that the system starts without a compiler. `--check` writes nothing and fails where the
 * committed files differ from the source. Works offline.
 */
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { contractNames } from "../../src/chain/artifacts.ts";
import { runForge } from "./forge.ts";

const contractsDir = resolve(dirname(fileURLToPath(import.meta.url)), "..");
const artifactsDir = join(contractsDir, "artifacts");

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

function readCommitted(name: string): string | undefined {
  const file = `${name}.json`;
  return readdirSync(artifactsDir).includes(file) ? readFileSync(join(artifactsDir, file), "utf8") : undefined;
}

function writeArtifacts(): void {
  rmSync(artifactsDir, { recursive: true, force: true });
  mkdirSync(artifactsDir, { recursive: true });
  for (const name of contractNames) writeFileSync(join(artifactsDir, `${name}.json`), renderArtifact(name));
  process.stdout.write(`Wrote ${contractNames.length} artifacts to contracts/artifacts.\n`);
}

/** @returns how many committed artifacts are not what the source compiles to */
function checkArtifacts(): number {
  const stale = contractNames.filter((name) => readCommitted(name) !== renderArtifact(name));
  for (const name of stale) {
    process.stderr.write(
      `contracts/artifacts/${name}.json is not what the source compiles to: run npm run generate.\n`,
    );
  }
  return stale.length;
}

const status = runForge(["build", "src"], "pipe");
if (status !== 0) process.exitCode = status;
else if (process.argv.includes("--check")) process.exitCode = checkArtifacts() === 0 ? 0 : 1;
else writeArtifacts();
