#!/usr/bin/env node
/**
 * solc for forge, out of the npm package (WebAssembly), so that a build needs no network and no native compiler.
 * Called by forge as its `solc` executable with `--version` or `--standard-json` (input on stdin, output on stdout).
 */
const { readFileSync, writeSync } = require("node:fs");
const solc = require("solc");

/** A pipe takes 64 KiB at a time; a short write would cut the JSON. */
function writeAll(text) {
  const bytes = Buffer.from(text);
  let offset = 0;
  while (offset < bytes.length) {
    try {
      offset += writeSync(1, bytes, offset);
    } catch (error) {
      if (error.code !== "EAGAIN") throw error;
    }
  }
}

const flags = process.argv.slice(2);
if (flags.includes("--version")) {
  writeAll(
    `solc, the solidity compiler commandline interface\nVersion: ${solc.version().replace("Emscripten", "Linux")}\n`,
  );
} else if (flags.includes("--standard-json")) {
  writeAll(solc.compile(readFileSync(0, "utf8")));
} else {
  process.stderr.write(`solc-shim: got ${flags.join(" ") || "no flag"}; expected --version or --standard-json\n`);
  process.exit(1);
}
