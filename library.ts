/**
 * `npm pack` runs this: what other TypeScript projects import of the package, in lib/. `inferium/control-plane` is the embedded
 * control plane; `inferium/kube/FILE` the controller runtime, by the names of its files. One bundle with shared chunks, so
 * that an error of the one is an instance of the other's class; beside it the declarations. Effects: replaces lib/.
 */
import { spawnSync } from "node:child_process";
import { mkdir, readdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { build } from "rolldown";

const root = import.meta.dirname;
const library = join(root, "lib");

async function findEntries(): Promise<Readonly<Record<string, string>>> {
  const files = (await readdir(join(root, "src/kube"))).filter((name) => name.endsWith(".ts"));
  const kube = files.map((name) => [`kube/${name.replace(/\.ts$/, "")}`, `src/kube/${name}`] as const);
  return { "control-plane": "src/embedded/control-plane.ts", ...Object.fromEntries(kube) };
}

function declare(entries: readonly string[], target: string): void {
  const compiler = join(root, "node_modules/typescript/bin/tsc");
  const how = ["--declaration", "--emitDeclarationOnly", "--noEmit", "false", "--rootDir", "src", "--outDir", target];
  const settings = ["--module", "nodenext", "--target", "es2024", "--lib", "es2025", "--types", "node", "--strict"];
  const source = ["--allowImportingTsExtensions", "--resolveJsonModule", "--skipLibCheck", "--exactOptionalPropertyTypes"];
  const args = [compiler, "--ignoreConfig", ...how, ...settings, ...source, ...entries];
  const { status, stdout } = spawnSync(process.execPath, args, { cwd: root, encoding: "utf8" });
  if (status !== 0) throw new Error(`the declarations could not be written:\n${stdout}`);
}

const entries = await findEntries();
// Made beside and moved into place: a failure leaves what was there.
const target = join(root, `lib.${process.pid}.tmp`);
try {
  await mkdir(target);
  await build({
    input: { ...entries },
    cwd: root,
    platform: "node",
    logLevel: "warn",
    treeshake: { moduleSideEffects: [{ test: /client-node\/dist\/gen\//, sideEffects: false }] },
    output: { dir: target, format: "esm", entryFileNames: "[name].js", chunkFileNames: "chunks/[name]-[hash].js" },
  });
  declare(Object.values(entries), join(target, "types"));
  await rm(library, { recursive: true, force: true });
  await rename(target, library);
} finally {
  await rm(target, { recursive: true, force: true });
}
