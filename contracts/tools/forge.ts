/**
 * Runs forge in `contracts/` with the packages of node_modules: `node contracts/tools/forge.ts test|fmt|coverage ...`.
 * The native binary is started directly, with the repository's OpenZeppelin linked into `lib/`.
 */
import { spawnSync } from "node:child_process";
import { lstatSync, mkdirSync, symlinkSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const contractsDir = resolve(dirname(fileURLToPath(import.meta.url)), "..");
const require = createRequire(import.meta.url);

/** Name of tests that measure the gas of optimised code: they fail for any other. */
export const gasTests = "WithinTheGasTarget";

/** @returns forge's exit status */
export function runForge(args: readonly string[], stdio: "inherit" | "pipe" = "inherit"): number {
  linkOpenZeppelin();
  const result = spawnSync(findForge(), args, { cwd: contractsDir, stdio });
  if (result.error !== undefined) throw result.error;
  if (result.status !== 0 && stdio === "pipe") process.stderr.write(`${result.stdout}${result.stderr}`);
  return result.status ?? 1;
}

/** As `runForge`, with what forge prints. */
export function runForgeForOutput(args: readonly string[]): { status: number; output: string } {
  linkOpenZeppelin();
  const result = spawnSync(findForge(), args, { cwd: contractsDir, encoding: "utf8", maxBuffer: 2 ** 26 });
  if (result.error !== undefined) throw result.error;
  return { status: result.status ?? 1, output: `${result.stdout}${result.stderr}` };
}

export function findForge(): string {
  const architecture = process.arch === "x64" ? "amd64" : process.arch;
  const platform = `@foundry-rs/forge-${process.platform}-${architecture}`;
  const fromWrapper = createRequire(require.resolve("@foundry-rs/forge/package.json"));
  return join(dirname(fromWrapper.resolve(`${platform}/package.json`)), "bin", "forge");
}

function linkOpenZeppelin(): void {
  const link = join(contractsDir, "lib", "openzeppelin");
  const target = relative(dirname(link), dirname(require.resolve("@openzeppelin/contracts/package.json")));
  if (lstatSync(link, { throwIfNoEntry: false }) !== undefined) return;
  mkdirSync(dirname(link), { recursive: true });
  symlinkSync(target, link);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) process.exitCode = runForge(process.argv.slice(2));
