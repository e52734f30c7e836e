/** The bundle that `npm start` runs: made from the sources that are here, and only when they have changed. */
import { readdir, readFile, stat, utimes } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { version } from "../../src/base/version.ts";
import { computeCodeDigest } from "../../src/worker/code-digest.ts";
import { runCommand } from "../support/run-command.ts";

const root = new URL("../../", import.meta.url).pathname;
const bundle = async () => {
  const { code, stderr } = await runCommand(process.execPath, ["bundle.ts", "--if-changed"]);
  expect(code, stderr).toBe(0);
  return (await stat(join(root, "dist/main.js"))).ino;
};

describe("bundle", () => {
  test("is kept while the sources stay as they are, and made again after one is touched", async () => {
    const first = await bundle();
    expect(await bundle()).toBe(first);
    const now = new Date();
    await utimes(join(root, "src/base/version.ts"), now, now);
    expect(await bundle()).not.toBe(first);
  });

  test("runs, and finds what it reads beside package.json", async () => {
    await bundle();
    const { code, stdout } = await runCommand(process.execPath, ["dist/main.js", "--version"]);
    expect({ code, stdout: stdout.trim() }).toEqual({ code: 0, stdout: version });
  });

  test("lies there compiled, so that no process of a run compiles it again", async () => {
    await bundle();
    const chunks = (await readdir(join(root, "dist"))).filter((name) => name.endsWith(".js"));
    const compiled = await readdir(join(root, "dist/compile-cache"), { withFileTypes: true, recursive: true });
    // All but the helper process, which is not run here; and what the chunks load from node_modules.
    expect(compiled.filter((entry) => entry.isFile()).length).toBeGreaterThanOrEqual(chunks.length - 1);
  });

  test("a worker's receipt names the same code whether it runs from the bundle or from source", async () => {
    await bundle();
    const digest = await computeCodeDigest(join(root, "src"));
    const files = (await readdir(join(root, "dist"))).filter((name) => name.endsWith(".js"));
    const texts = await Promise.all(files.map((name) => readFile(join(root, "dist", name), "utf8")));
    expect(texts.filter((text) => text.includes(digest))).not.toEqual([]);
  });
});
