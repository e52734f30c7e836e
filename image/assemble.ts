/**
 * `node image/assemble.ts ROOT`, the last step of the Dockerfile's build stage: puts together the files of the image under ROOT. That is
 * the bundle, the contracts' artifacts, the packages beside the bundle with this system's binaries only, and Node. Where the image has no
 * base (BASE=scratch) also the shared libraries. CUDA=12 takes onnxruntime's CUDA provider along, which its install script has fetched.
 * Effects: writes ROOT; nothing that is not named here gets into the image.
 */
import { chmodSync, copyFileSync, cpSync, existsSync, mkdirSync, readdirSync, realpathSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { findLoadedFiles } from "./loaded-files.ts";
import { isLibrary, writeSystemFiles } from "./system-files.ts";

const source = resolve(import.meta.dirname, "..");
const root = resolve(process.argv[2] ?? "");
const { BASE = "scratch", CUDA = "" } = process.env;
const app = join(root, "app");

if (process.argv[2] === undefined) throw new Error("usage: node image/assemble.ts ROOT");
for (const name of ["package.json", "LICENSE"]) copyFile(name);
for (const name of ["dist", "contracts/artifacts"]) cpSync(join(source, name), join(app, name), { recursive: true });

const loaded = findLoadedFiles(source).map((file) => relative(source, file));
const packages = new Set<string>();
for (const file of loaded) {
  copyFile(file);
  const folder = /^.*node_modules\/(@[^/]+\/)?[^/]+/.exec(file)?.[0] ?? "";
  packages.add(folder);
  // Whether a file is a module or a script, the nearest package.json says.
  for (let at = dirname(file); at !== folder; at = dirname(at)) {
    if (existsSync(join(source, at, "package.json"))) copyFile(join(at, "package.json"));
  }
}
for (const folder of packages) {
  for (const entry of readdirSync(join(source, folder), { withFileTypes: true, recursive: true })) {
    const file = relative(source, join(entry.parentPath, entry.name));
    if (entry.isFile() && isNeeded(file, folder)) copyFile(file);
  }
}

const node = realpathSync(join(source, "node_modules/node/bin/node"));
const nodeTarget = join(root, "usr/local/bin/node");
mkdirSync(dirname(nodeTarget), { recursive: true });
copyFileSync(node, nodeTarget);
chmodSync(nodeTarget, 0o755);
if (BASE === "scratch") writeSystemFiles(root, [node, ...findBinaries()]);

/** Of a package whose modules were loaded: what its modules read, and what its licence asks to be passed on. */
function isNeeded(file: string, folder: string): boolean {
  const path = relative(folder, file);
  if (/(^|\/)(node_modules|tests?)\//.test(path)) return false;
  if (/^(package\.json|(licen[cs]e|copying|notice)[^/]*)$/i.test(path) || path.endsWith(".wasm")) return true;
  if (!isLibrary(path) || !path.includes(`/${process.platform}/${process.arch}/`)) return false;
  return CUDA !== "" || !/cuda|tensorrt/i.test(path);
}

function findBinaries(): string[] {
  const entries = readdirSync(join(app, "node_modules"), { withFileTypes: true, recursive: true });
  return entries
    .filter((entry) => entry.isFile() && isLibrary(entry.name))
    .map((entry) => join(entry.parentPath, entry.name));
}

function copyFile(path: string): void {
  const target = join(app, path);
  mkdirSync(dirname(target), { recursive: true });
  copyFileSync(join(source, path), target);
}
