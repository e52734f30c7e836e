/**
 * Which files Node loads for the packages that stay outside the bundle. Called by assemble.ts: of sixty megabytes of packages the
 * image needs three. No effects but a process of its own, since a package may start threads.
 */
import { spawnSync } from "node:child_process";
import { externalPackages } from "./runtime-packages.ts";

const script = `
import { createRequire, registerHooks } from "node:module";
import { fileURLToPath, pathToFileURL } from "node:url";
const files = [];
registerHooks({ load(url, context, next) { if (url.startsWith("file:")) files.push(fileURLToPath(url)); return next(url, context); } });
const [root, ...names] = process.argv.slice(1);
const from = pathToFileURL(root + "/dist/main.js");
for (const name of names) await import(import.meta.resolve(name, from)).catch(() => createRequire(from)(name));
process.stdout.write(JSON.stringify(files), () => process.exit(0));
`;

/** @param root folder with node_modules @returns absolute paths under its node_modules, without binaries */
export function findLoadedFiles(root: string): readonly string[] {
  const args = ["--input-type=module", "--experimental-import-meta-resolve", "-e", script, root, ...externalPackages];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, {
    cwd: root,
    encoding: "utf8",
    timeout: 60_000,
  });
  if (status !== 0) throw new Error(`The packages ${externalPackages.join(", ")} could not be loaded: ${stderr}`);
  const files: string[] = JSON.parse(stdout);
  return files.filter((file) => file.startsWith(`${root}/node_modules/`));
}
