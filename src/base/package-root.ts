/**
 * The folder of this package, which holds package.json and what is read at run time (crds/, manifests/, contract
 * artifacts). Modules run from src/ or from a bundle in dist/, so nobody can count folders upwards from where he is.
 */
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";

/** Ends in a slash, so that `new URL("crds/", packageRoot)` is a folder in it. */
export const packageRoot: URL = pathToFileURL(`${findPackageRoot(import.meta.dirname)}/`);

function findPackageRoot(from: string): string {
  for (let folder = from; ; folder = dirname(folder)) {
    if (existsSync(join(folder, "package.json"))) return folder;
    if (folder === dirname(folder)) throw new Error(`No package.json in ${from} or above it; reinstall inferium.`);
  }
}
