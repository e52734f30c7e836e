/**
 * `npm run test:circuits`: the circuits' tests as `npm test` runs them; `--long` looks at every wire and constraint of every template (of the tile, one of seven) and
 * compiles many more random networks with circom, which takes some minutes.
 */
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";

const isLong = process.argv.includes("--long");
const script = fileURLToPath(new URL("../run.ts", import.meta.url));
const env = { ...process.env, ...(isLong ? { INFERIUM_CIRCUITS: "long" } : {}) };
process.exitCode = spawnSync(process.execPath, [script, "circuits"], { stdio: "inherit", env }).status ?? 1;
