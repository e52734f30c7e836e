/** Windows of a gateway without a pool, on a disk that does not take them for a while. */
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { createFolderSink } from "../../../src/gateway/file-directory.ts";
import type { CallWindow } from "../../../src/protocol/call-window.ts";

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "inferium-windows-"));
});
afterEach(() => rm(dir, { recursive: true, force: true }));

test("a window that cannot be written may be brought again, and is then there whole", async () => {
  const folder = join(dir, "windows");
  await writeFile(folder, "in the way");
  const sink = createFolderSink(folder);
  const window = { windowId: "w1" } as CallWindow;
  await expect(sink.commit(window)).rejects.toMatchObject({ code: "StateUnwritable", disposition: "retry" });
  await rm(folder);
  const { seed } = await sink.commit(window);
  expect((await sink.commit(window)).seed).toBe(seed);
  await sink.open("w1", []);
  expect((await readdir(folder)).sort()).toEqual(["w1.opened.json", "w1.window.json"]);
});
