/**
 * `npm run fuzz -- [TARGET...] [--minutes M] [--seed N] [--index I] [--output json]`: hostile input, structure-aware and seeded,
 * into everything of ours that takes what strangers send. Each target has its share of the time, in a process of its own.
 * Prints executions, crashes and hangs of each; exits 1 where there is any. A finding is had again with its seed and `--index`.
 */
import { spawn } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { parseArgs } from "node:util";
import type { FuzzTarget } from "./target.ts";
import { targets } from "./targets.ts";

interface Finding {
  readonly kind: "crash" | "hang" | "death";
  readonly what: string;
  readonly index: number;
}

interface TargetReport {
  readonly target: string;
  executions: number;
  readonly outcomes: Record<string, number>;
  readonly findings: Finding[];
}

const mostFindings = 20;
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    minutes: { type: "string", default: "1" },
    seed: { type: "string" },
    index: { type: "string" },
    output: { type: "string", default: "text" },
  },
});
const unknown = positionals.find((name) => !targets.some((target) => target.name === name));
const minutes = Number(values.minutes);
const seed = values.seed === undefined ? Math.floor(Math.random() * 2 ** 31) : Number(values.seed);
if (unknown !== undefined || !(minutes > 0) || !Number.isInteger(seed)) {
  console.error(
    unknown === undefined
      ? `--minutes is ${values.minutes} and --seed ${values.seed}; expected a positive number and a whole one`
      : `there is no target ${unknown}`,
  );
  console.error(`\nusage: npm run fuzz -- [TARGET...] [--minutes M] [--seed N] [--index I] [--output json]\n`);
  for (const { name, what } of targets) console.error(`  ${name.padEnd(20)}${what}`);
  process.exitCode = 2;
} else {
  const chosen = targets.filter(({ name }) => positionals.length === 0 || positionals.includes(name));
  const shareMs = values.index === undefined ? (minutes * 60_000) / chosen.length : 0;
  const reports: TargetReport[] = [];
  for (const target of chosen) {
    const report = await fuzz(target, shareMs);
    reports.push(report);
    if (values.output !== "json") print(report);
  }
  const findings = reports.reduce((sum, report) => sum + report.findings.length, 0);
  if (values.output === "json") console.log(JSON.stringify({ seed, minutes, targets: reports, findings }));
  else console.log(`\nseed ${seed}: ${reports.length} targets, ${findings} findings`);
  process.exitCode = findings > 0 ? 1 : 0;
}

/** Starts the target's process again after each death, with the next execution, until its time is over. */
async function fuzz(target: FuzzTarget, shareMs: number): Promise<TargetReport> {
  const report: TargetReport = { target: target.name, executions: 0, outcomes: {}, findings: [] };
  const folder = await mkdtemp(join(tmpdir(), "inferium-fuzz-"));
  const place = join(folder, "index");
  const endMs = performance.now() + shareMs;
  try {
    let next = Number(values.index ?? 0);
    for (;;) {
      const died = await runProcess(target, { first: next, ms: Math.max(0, endMs - performance.now()), place, report });
      if (died === undefined || report.findings.length >= mostFindings) return report;
      const index = await readIndex(place, next);
      report.findings.push({ ...died, index });
      report.executions += index - next + 1;
      next = index + 1;
      if (performance.now() >= endMs) return report;
    }
  } finally {
    await rm(folder, { recursive: true });
  }
}

interface Share {
  readonly first: number;
  readonly ms: number;
  readonly place: string;
  readonly report: TargetReport;
}

/** What ended it before its time, if anything did. */
async function runProcess(target: FuzzTarget, share: Share): Promise<Omit<Finding, "index"> | undefined> {
  const { report, place } = share;
  const script = new URL("target-process.ts", import.meta.url).pathname;
  const args = [script, target.name, seed, share.first, Math.round(share.ms), place].map(String);
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "pipe"] });
  let last = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    last = `${last}${text}`.slice(-500);
  });
  const exited = new Promise<string | undefined>((resolve) => {
    child.on("exit", (code, signal) => resolve(code === 0 ? undefined : `${signal ?? `exit ${code}`}: ${last.trim()}`));
  });
  const watch = watchForHang(target, share.place, () => child.kill("SIGKILL"));
  for await (const line of createInterface({ input: child.stdout })) readLine(line, report);
  const death = await exited;
  if (watch.stop()) return { kind: "hang", what: `no end within ${target.hangMs} ms` };
  return death === undefined ? undefined : { kind: "death", what: death };
}

/** Kills what stays at one execution for too long. */
function watchForHang(target: FuzzTarget, place: string, kill: () => void): { stop(): boolean } {
  let hung = false;
  let seen = -1;
  let sinceMs = performance.now();
  const timer = setInterval(async () => {
    const index = await readIndex(place, -1);
    if (index !== seen) {
      seen = index;
      sinceMs = performance.now();
    }
    // The start of a process counts too, and a busy machine's is slow.
    if (performance.now() - sinceMs < target.hangMs + 30_000) return;
    hung = true;
    kill();
  }, 500);
  return {
    stop: () => {
      clearInterval(timer);
      return hung;
    },
  };
}

async function readIndex(place: string, otherwise: number): Promise<number> {
  const bytes = await readFile(place).catch(() => Buffer.alloc(0));
  return bytes.length < 8 ? otherwise : Number(bytes.readBigUInt64LE());
}

function readLine(line: string, report: TargetReport): void {
  const said = JSON.parse(line);
  if (said.executions !== undefined) {
    report.executions += said.executions;
    for (const [name, count] of Object.entries<number>(said.outcomes))
      report.outcomes[name] = (report.outcomes[name] ?? 0) + count;
  } else if (report.findings.length < mostFindings) {
    if (said.crash !== undefined)
      report.findings.push({ kind: "crash", what: `${said.crash} ${said.stack}`, index: said.index });
    else report.findings.push({ kind: "hang", what: said.hang, index: said.index });
  }
}

function print({ target, executions, outcomes, findings }: TargetReport): void {
  const common = Object.entries(outcomes)
    .sort((a, b) => b[1] - a[1])
    .slice(0, 5)
    .map(([name, count]) => `${name} ${count}`);
  const count = (kind: Finding["kind"]) => findings.filter((finding) => finding.kind === kind).length;
  console.log(
    `${target.padEnd(20)}${String(executions).padStart(9)} executions, ${count("crash")} crashes, ${count("hang")} hangs, ` +
      `${count("death")} deaths   (${common.join(", ")})`,
  );
  for (const { kind, what, index } of findings) console.log(`  FAIL ${kind} at --index ${index}: ${what}`);
}
