/**
 * What code computed a result, for the receipt: one digest over the sources that decide it (this role, inference,
 * tensors), in the order of their paths. The same release gives the same digest on every machine; an altered file another.
 *
 * A bundle has no such sources beside it, so it carries the digest that was computed when it was made (`bundle.ts`).
 */
import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { join, relative } from "node:path";

const folders = ["worker", "inference", "protocol/tensors"];

/** Put in by the bundler; not defined where the sources run. */
declare const INFERIUM_CODE_DIGEST: string | undefined;

/** Of the running code. 0x-hex of 32 bytes. */
export async function readCodeDigest(): Promise<string> {
  if (typeof INFERIUM_CODE_DIGEST === "string") return INFERIUM_CODE_DIGEST;
  return computeCodeDigest(join(import.meta.dirname, ".."));
}

/** @param root folder that holds the layers, such as src/ */
export async function computeCodeDigest(root: string): Promise<string> {
  const paths = (await Promise.all(folders.map((folder) => listSources(join(root, folder))))).flat();
  const hash = createHash("sha256");
  for (const path of paths.map((full) => relative(root, full)).sort()) {
    const bytes = await readFile(join(root, path));
    // Lengths between the parts: no two lists of files may hash alike.
    hash.update(`${path.length} ${path} ${bytes.length} `).update(bytes);
  }
  return `0x${hash.digest("hex")}`;
}

async function listSources(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true, recursive: true });
  return entries
    .filter((entry) => entry.isFile() && /\.(ts|js)$/.test(entry.name) && !entry.name.endsWith(".d.ts"))
    .map((entry) => join(entry.parentPath, entry.name));
}
