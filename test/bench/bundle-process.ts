/**
 * Forks a process of a benchmark from a bundle, as the product's are: from sources each would first read and strip some thousand
 * modules, and keep them. Effects: a folder below node_modules/.cache, which goes with this process.
 */
import { type ChildProcess, type ForkOptions, fork } from "node:child_process";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { build } from "rolldown";
import { externalPackages } from "../../image/runtime-packages.ts";

const root = join(import.meta.dirname, "../..");
const folder = join(root, "node_modules/.cache", `inferium-bench-${process.pid}`);
const made = new Map<string, Promise<void>>();

/** @param name of a file of this folder, without its ending */
export async function forkBundled(
  name: string,
  { args = [], ...options }: ForkOptions & { readonly args?: readonly string[] } = {},
): Promise<ChildProcess> {
  if (made.size === 0) process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
  const making = made.get(name) ?? bundle(name);
  made.set(name, making);
  await making;
  return fork(join(folder, name, `${name}.js`), [...args], options);
}

async function bundle(name: string): Promise<void> {
  await build({
    input: { [name]: join(import.meta.dirname, `${name}.ts`) },
    cwd: root,
    platform: "node",
    external: [...externalPackages],
    logLevel: "warn",
    // As bundle.ts has it.
    treeshake: { moduleSideEffects: [{ test: /client-node\/dist\/gen\//, sideEffects: false }] },
    output: { dir: join(folder, name), format: "esm", entryFileNames: "[name].js", chunkFileNames: "[name]-[hash].js" },
  });
}
