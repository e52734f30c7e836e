/**
 * `npm run build`: one bundle of src/ and what it imports in dist/, a chunk for each role. The main job starts fifteen processes; from
 * the bundle each loads a handful of files rather than some seven hundred. `--if-changed` does nothing where dist/ was made from the very
 * sources that are here, which is what `npm start` asks. Packages with binaries of their own, and those that are resolved by path, stay in node_modules.
 */
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { chmod, mkdir, readdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import http from "node:http";
import { enableCompileCache, flushCompileCache } from "node:module";
import { join, relative } from "node:path";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";
import type { Plugin } from "rolldown";
import { externalPackages } from "./image/runtime-packages.ts";

const root = import.meta.dirname;
const dist = join(root, "dist");
const compileCache = join(dist, "compile-cache");
const stampPath = join(dist, "sources.sha256");

const entries = ["main.js", "kubectl-inferium.js", "reader-process.js", "model-thread.js"];

/** Changes with every source file, dependency and this script. Sizes and times, since reading all contents takes longer. */
async function computeStamp(): Promise<string> {
  const entries = await readdir(join(root, "src"), { withFileTypes: true, recursive: true });
  const sources = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const paths = [...sources, ...["bundle.ts", "image/runtime-packages.ts", "package.json", "package-lock.json"].map((name) => join(root, name))];
  const lines = await Promise.all(
    paths.sort().map(async (path) => {
      const { size, mtimeMs } = await stat(path);
      return `${path} ${size} ${mtimeMs}`;
    }),
  );
  return createHash("sha256").update(lines.join("\n")).digest("hex");
}

async function readStamp(): Promise<string> {
  return readFile(stampPath, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return "";
    throw error;
  });
}

/**
 * To import node:http reads all its exports, and one of them, WebSocket, loads the whole of Node's own HTTP client: 50 ms of each
 * process. Asked for as a built-in module it is the same object, and nobody here wants that export.
 */
const plainHttp: Plugin = {
  name: "plain-http",
  resolveId: (source, _importer, { kind }) =>
    (source === "node:http" || source === "http") && kind === "import-statement" ? "\0plain-http" : null,
  load(id) {
    if (id !== "\0plain-http") return null;
    const names = Object.entries(Object.getOwnPropertyDescriptors(http)).filter(([, { get }]) => get === undefined);
    return [
      'const http = process.getBuiltinModule("node:http");',
      "export default http;",
      `export const { ${names.map(([name]) => name).join(", ")} } = http;`,
    ].join("\n");
  },
};

async function bundle(target: string): Promise<void> {
  const [{ build }, { computeCodeDigest }] = await Promise.all([
    import("rolldown"),
    import("./src/worker/code-digest.ts"),
  ]);
  const { output } = await build({
    input: {
      main: "src/main.ts",
      "kubectl-inferium": "src/kubectl-inferium.ts",
      "reader-process": "src/agent/nvidia-smi/reader-process.ts",
      "snarkjs-process": "src/zk/proving/snarkjs-process.ts",
      "setup-thread": "src/zk/setup/setup-thread.ts",
      "model-thread": "src/inference/model-thread.ts",
      "model-check-process": "src/inference/model-check/model-check-process.ts",
    },
    cwd: root,
    platform: "node",
    external: [...externalPackages],
    plugins: [plainHttp],
    logLevel: "warn",
    // Hundreds of generated models, of which the kubeconfig reader needs none; they only declare.
    treeshake: { moduleSideEffects: [{ test: /client-node\/dist\/gen\//, sideEffects: false }] },
    transform: { define: { INFERIUM_CODE_DIGEST: JSON.stringify(await computeCodeDigest(join(root, "src"))) } },
    output: { dir: target, format: "esm", entryFileNames: "[name].js", chunkFileNames: "[name]-[hash].js" },
  });
  // For whoever lists what an image or a package consists of: a bundle does not show it.
  const modules = output.flatMap((chunk) => (chunk.type === "chunk" ? Object.keys(chunk.modules) : []));
  const packages = new Set(modules.flatMap((id) => /^((?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(relative(root, id))?.[1] ?? []));
  await writeFile(join(target, "packages.json"), JSON.stringify([...packages].sort(), null, 2));
}

/** The entries do something when they are loaded, so the first is asked for no more than its version. */
async function compile(): Promise<void> {
  const run = promisify(execFile);
  const env = { ...process.env, NODE_COMPILE_CACHE: compileCache };
  await run(process.execPath, [import.meta.filename, "--compile"], { env });
  await run(process.execPath, [join(dist, "main.js"), "--version"], { env });
}

async function compileChunks(): Promise<void> {
  enableCompileCache(compileCache);
  const names = (await readdir(dist)).filter((name) => name.endsWith(".js") && !entries.includes(name));
  await Promise.all(names.map((name) => import(pathToFileURL(join(dist, name)).href)));
  flushCompileCache();
}

async function main(): Promise<void> {
  if (process.argv.includes("--compile")) return compileChunks();
  const stamp = await computeStamp();
  if (process.argv.includes("--if-changed") && (await readStamp()) === stamp) return;
  // Made beside and moved into place: a run that starts meanwhile, or a failure, never sees half a bundle.
  const target = join(root, `dist.${process.pid}.tmp`);
  try {
    await mkdir(target);
    await bundle(target);
    await writeFile(join(target, "sources.sha256"), stamp);
    await chmod(join(target, "kubectl-inferium.js"), 0o755);
    await rm(dist, { recursive: true, force: true });
    await rename(target, dist);
    // Entries of the cache are found by the path of their module, so it is made where that will be.
    await compile().catch((error: Error) => {
      console.warn(`The bundle is there, but not compiled ahead, so it starts more slowly: ${error.message}`);
    });
  } finally {
    await rm(target, { recursive: true, force: true });
  }
}

try {
  await main();
} catch (error) {
  const { code, message } = error as NodeJS.ErrnoException;
  const advice =
    code === "ERR_MODULE_NOT_FOUND"
      ? "Install the development dependencies (npm ci)."
      : "Check that this folder can be written, then run npm run build.";
  console.error(`The program could not be bundled into ${dist}: ${message}\n${advice}`);
  process.exitCode = 1;
}
