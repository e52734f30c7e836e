/**
 * A process that writes to a data directory until it is killed, for `crash.test.ts`. `KEY STEP` goes to standard output
 * when that step of that key is durable; `operationOf` says what each step is, so that the test can tell what must be there.
 */
import { writeSync } from "node:fs";
import type { KubeObject } from "../../../src/embedded/apiserver/object.ts";
import { openDataDir } from "../../../src/embedded/apiserver/storage/data-dir.ts";

export const keyCount = 12;
/** Small, so that many kills hit a rewrite of the file. */
export const compactBytes = 48 * 1024;

/** Each key goes through put, put, put, delete and so on. */
export const isDeletion = (step: number) => step % 4 === 3;

export const crashObject = (key: string, step: number): KubeObject => ({
  apiVersion: "v1",
  kind: "Thing",
  metadata: { name: key },
  step,
  text: String(step).repeat(50 + (step % 97)),
});

if (import.meta.main) {
  const [dir = "", ...steps] = process.argv.slice(2);
  const { store } = await openDataDir(dir, {
    compactBytes,
    onFailure: (error) => {
      throw error;
    },
  });
  const write = (key: string, step: number) => {
    if (isDeletion(step)) store.delete("things", key);
    else if (store.get("things", key) === undefined) store.create("things", key, crashObject(key, step));
    else store.update("things", key, crashObject(key, step));
  };
  const writer = async (key: string, first: number) => {
    for (let step = first; ; step += 1) {
      write(key, step);
      await store.flushed();
      writeSync(1, `${key} ${step}\n`);
    }
  };
  writeSync(1, "ready\n");
  await Promise.all(steps.map((step, index) => writer(`key-${index}`, Number(step))));
}
