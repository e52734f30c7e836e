/**
 * Runs one part of the benchmark of proofs in a process of its own and gives its figures, or why there are none: nothing that happens
 * to a part is thrown. Effects: the process, killed when its time is over; progress on stderr.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { PartFigures } from "./measure-circuit.ts";

export interface Part {
  readonly kind: "model" | "committed" | "setups" | "naive" | "peer";
  readonly name: string;
  readonly timeoutMs: number;
}

export type PartResult = PartFigures | { readonly name: string; readonly error: string };

const script = fileURLToPath(new URL("./measure-part.ts", import.meta.url));
/** Of what the process says last, in the error. */
const keptCharacters = 400;

export async function runPart({ kind, name, timeoutMs }: Part): Promise<PartResult> {
  console.error(`${kind} ${name} (at most ${Math.round(timeoutMs / 1000)} s)`);
  const begun = performance.now();
  const result = timeoutMs > 0 ? await runInFolder([kind, name], timeoutMs) : "no time was left for it";
  const seconds = ((performance.now() - begun) / 1000).toFixed(1);
  const told = typeof result === "string" ? { name, error: result } : result;
  console.error(`  ${seconds} s: ${JSON.stringify(told)}`);
  return told;
}

/** Keys take tens of megabytes, and a part that is killed removes nothing. */
async function runInFolder(args: readonly string[], timeoutMs: number): Promise<PartFigures | string> {
  const dir = await mkdtemp(join(tmpdir(), "inferium-bench-"));
  try {
    return await runProcess(args, { timeoutMs, dir });
  } finally {
    await rm(dir, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** @returns the figures, or what went wrong */
function runProcess(
  args: readonly string[],
  { timeoutMs, dir }: { readonly timeoutMs: number; readonly dir: string },
): Promise<PartFigures | string> {
  return new Promise((resolve, reject) => {
    const env = { ...process.env, TMPDIR: dir };
    const child = spawn(process.execPath, [script, ...args], { stdio: ["ignore", "pipe", "pipe"], env });
    const output = { out: "", err: "" };
    const timer = setTimeout(() => child.kill("SIGKILL"), timeoutMs);
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      output.out += text;
    });
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      process.stderr.write(text);
      output.err = (output.err + text).slice(-keptCharacters);
    });
    const finish = (figures: PartFigures | string) => {
      clearTimeout(timer);
      resolve(figures);
    };
    child.once("error", (error) => finish(error.message));
    // Both, but not "close": processes that the part has started may hold its stderr for a moment longer.
    const ended = once(child, "exit") as Promise<[code: number | null, signal: string | null]>;
    Promise.all([ended, once(child.stdout, "close")]).then(([[code, signal]]) => {
      if (code === 0) return finish(parseFigures(output.out));
      const cause = signal === "SIGKILL" ? `killed, ${timeoutMs} ms were allowed` : `ended with ${code ?? signal}`;
      return finish(`${cause}: ${output.err.trim()}`);
    }, reject);
  });
}

function parseFigures(text: string): PartFigures | string {
  const line = text.trim().split("\n").at(-1) ?? "";
  try {
    return JSON.parse(line) as PartFigures;
  } catch {
    return `its last line is no JSON: ${line.slice(0, keptCharacters)}`;
  }
}
