import { spawn } from "node:child_process";
import { expect, test } from "vitest";

test("an output that nobody reads to its end, as with head, is no failure", async () => {
  const main = new URL("../../../src/main.ts", import.meta.url).pathname;
  const child = spawn(process.execPath, [main, "--help"], { stdio: ["ignore", "pipe", "pipe"] });
  child.stdout.destroy();
  let errors = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    errors += text;
  });
  const code = await new Promise((resolve) => child.on("close", resolve));
  expect({ code, errors }).toEqual({ code: 0, errors: "" });
});
