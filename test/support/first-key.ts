/**
 * A backend that takes a circuit's first key from the folder of the powers of tau, and makes it once where it is not there: making it
 * takes most of a ceremony's time, and it is the same whoever makes it. Effects: that folder.
 */
import { randomUUID } from "node:crypto";
import { existsSync } from "node:fs";
import { copyFile, mkdir, readFile, rename } from "node:fs/promises";
import { dirname, join } from "node:path";
import { sha256 } from "../../src/base/digest.ts";
import type { CeremonyBackend } from "../../src/zk/proving/proving-backend.ts";

export function withFirstKey(backend: CeremonyBackend): CeremonyBackend {
  return {
    startKey: async (files) => {
      const digest = sha256(await readFile(files.r1csPath)).slice(7);
      const folder = join(dirname(files.powersOfTauPath), "first-keys");
      const kept = join(folder, `${digest}.zkey`);
      if (existsSync(kept)) return copyFile(kept, files.zkeyPath);
      await backend.startKey(files);
      await mkdir(folder, { recursive: true });
      // Tests of other processes may make the same one.
      const temporary = `${kept}.${randomUUID()}`;
      await copyFile(files.zkeyPath, temporary);
      await rename(temporary, kept);
    },
    contribute: (files) => backend.contribute(files),
    applyBeacon: (files) => backend.applyBeacon(files),
    checkSteps: (files) => backend.checkSteps(files),
    exportKey: (path) => backend.exportKey(path),
  };
}
