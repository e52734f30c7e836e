/**
 * `npm run test:image`: builds the image by podman or docker and runs the tests of this folder on it; ends with a line of totals. Where no
 * container can run here the reason is printed, and the tests count as skipped.
 *   INFERIUM_IMAGE        an image that is there already, in place of the one that is built
 *   INFERIUM_BUILD_BASE   what to build on; without it, one is made from Debian's packages (build-base.ts), or, with docker, that of the Dockerfile is pulled
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Engine, findEngine } from "../../image/engine.ts";
import { makeBuildBase } from "./build-base.ts";

const root = join(import.meta.dirname, "../..");
const work = mkdtempSync(join(tmpdir(), "inferium-image-test-"));

try {
  const image = prepare();
  const report = join(work, "report.json");
  const reporters = ["--reporter=default", "--reporter=json", `--outputFile.json=${report}`];
  spawnSync(process.execPath, ["node_modules/vitest/vitest.mjs", "run", "--project", "image", ...reporters], {
    cwd: root,
    stdio: "inherit",
    env: { ...process.env, INFERIUM_IMAGE: image ?? "", INFERIUM_IMAGE_RECORDS: work },
  });
  const { numPassedTests, numFailedTests, numFailedTestSuites, numTotalTests } = JSON.parse(
    readFileSync(report, "utf8"),
  );
  const failed = numFailedTests || numFailedTestSuites;
  const skipped = numTotalTests - numPassedTests - numFailedTests;
  console.log(`${numPassedTests} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`);
  process.exitCode = failed > 0 || numTotalTests === 0 ? 1 : 0;
} finally {
  rmSync(work, { recursive: true, force: true });
}

/** @returns nothing where this machine runs no containers; a build that fails is an error */
function prepare(): string | undefined {
  if (process.env.INFERIUM_IMAGE) return process.env.INFERIUM_IMAGE;
  let engine: Engine;
  let base: string | undefined;
  try {
    engine = findEngine();
    base = process.env.INFERIUM_BUILD_BASE ?? (engine.name === "podman" ? makeBuildBase(engine) : undefined);
  } catch (error) {
    console.log(`skipped: no container can be run here: ${(error as Error).message}`);
    return undefined;
  }
  const tag = "localhost/inferium:under-test";
  const args = [
    "image/build.ts",
    "--tag",
    tag,
    "--output",
    work,
    ...(base === undefined ? [] : ["--build-base", base]),
  ];
  const { status } = spawnSync(process.execPath, args, { cwd: root, stdio: "inherit" });
  if (status !== 0) throw new Error("the image could not be built");
  return tag;
}
