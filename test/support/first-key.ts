/**
 * A backend that makes each circuit's first key once and copies it from then on: making it takes most of a ceremony's time, and it is
 * the same whoever makes it.
 */
import { copyFile, readFile } from "node:fs/promises";
import { sha256 } from "../../src/base/digest.ts";
import type { CeremonyBackend } from "../../src/zk/proving/proving-backend.ts";

export function withFirstKey(backend: CeremonyBackend): CeremonyBackend {
  const made = new Map<string, string>();
  return {
    startKey: async (files) => {
      const digest = sha256(await readFile(files.r1csPath));
      const known = made.get(digest);
      if (known !== undefined) return copyFile(known, files.zkeyPath);
      await backend.startKey(files);
      const kept = `${files.zkeyPath}.first`;
      await copyFile(files.zkeyPath, kept);
      made.set(digest, kept);
    },
    contribute: (files) => backend.contribute(files),
    applyBeacon: (files) => backend.applyBeacon(files),
    checkSteps: (files) => backend.checkSteps(files),
    exportKey: (path) => backend.exportKey(path),
  };
}
