/**
 * Runs the circom compiler of the development dependencies in a folder of its own, which holds the templates of circuits/ and the
 * generated constants. Effects: that folder and a process.
 */
import { execFile } from "node:child_process";
import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { emitPoseidonConstants } from "../../src/zk/circuit/emit-circom.ts";

export interface CompiledCircom {
  readonly r1cs: Uint8Array;
  /** Wire by name. What the compiler has removed is left out. */
  readonly wires: ReadonlyMap<string, number>;
  readonly wasmPath: string;
  readonly dir: string;
  dispose(): Promise<void>;
}

const root = fileURLToPath(new URL("../../", import.meta.url));

/** @param timeoutMs for the compiler */
export async function compileCircom(source: string, timeoutMs = 240_000): Promise<CompiledCircom> {
  const dir = await mkdtemp(join(tmpdir(), "inferium-circom-"));
  await cp(join(root, "circuits"), dir, { recursive: true });
  await writeFile(join(dir, "poseidon_constants.circom"), emitPoseidonConstants());
  await writeFile(join(dir, "main.circom"), source);
  const args = [join(root, "node_modules/circom2/cli.js"), "main.circom", "--r1cs", "--sym", "--wasm", "--O1"];
  const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: dir, timeout: timeoutMs });
  // The compiler ends with 0 whatever happened.
  if (!stdout.includes("Everything went okay")) throw new Error(`circom failed: ${stdout}`);
  const lines = (await readFile(join(dir, "main.sym"), "utf8")).trim().split("\n");
  const kept = lines.map((line) => line.split(",")).filter(([, wire]) => wire !== "-1");
  return {
    r1cs: await readFile(join(dir, "main.r1cs")),
    wires: new Map(kept.map(([, wire, , name = ""]) => [name, Number(wire)])),
    wasmPath: join(dir, "main_js/main.wasm"),
    dir,
    dispose: () => rm(dir, { recursive: true, force: true }),
  };
}
