/**
 * What code computed a result, for the receipt: one digest over the sources that decide it (this role, inference,
 * tensors), in the order of their paths. The same release gives the same digest on every machine; an altered file another.
 */
import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { join, relative } from "node:path";

const folders = ["worker", "inference", "protocol/tensors"];

/** 0x-hex of 32 bytes. @param root folder that holds the layers; that of the running code by default */
export async function computeCodeDigest(root: string = join(import.meta.dirname, "..")): Promise<string> {
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
