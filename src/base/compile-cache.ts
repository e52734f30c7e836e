/**
 * Where the bundle's modules lie compiled: `bundle.ts` puts them beside the bundle, and fifteen processes that start at
 * once need not each compile the same text. Node checks every entry against its module, version and processor.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";

/** Undefined when run from source. */
export function findCompileCache(): string | undefined {
  const folder = join(import.meta.dirname, "compile-cache");
  return existsSync(folder) ? folder : undefined;
}
