/**
 * A path for a file that one step writes and the next reads, such as a witness, which holds the input: in a folder that nobody else
 * may read, away from the store, which may be mounted read-only. Effects: that folder, removed at the end.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

export async function withScratchFile<T>(use: (path: string) => Promise<T>): Promise<T> {
  const dir = await mkdtemp(join(tmpdir(), "inferium-zk-"));
  try {
    return await use(join(dir, "scratch"));
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}
