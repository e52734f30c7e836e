/**
 * `npm run test:kube -- [--minutes 10] [--seed N]`: the chaos run, against what `openTestCluster` gives (KUBECONFIG,
 * KUBEBUILDER_ASSETS, or the embedded API server). Prints a summary line and what went wrong; exits 1 where anything did.
 * The same seed gives every part the same luck again.
 */
import { parseArgs } from "node:util";
import { loadKubeConnection } from "../../src/kube/connection.ts";
import { openTestCluster } from "../support/test-cluster.ts";
import { type ChaosReport, runChaos } from "./run-chaos.ts";

const { values } = parseArgs({
  options: { minutes: { type: "string", default: "0.5" }, seed: { type: "string" } },
});
const minutes = Number(values.minutes);
const seed = values.seed === undefined ? Math.floor(Math.random() * 2 ** 31) : Number(values.seed);

if (!(minutes > 0) || minutes > 600 || !Number.isInteger(seed) || seed < 0) {
  console.error("usage: npm run test:kube -- [--minutes M, up to 600] [--seed N, a whole number]");
  process.exitCode = 2;
} else {
  const cluster = await openTestCluster();
  try {
    console.log(`chaos: seed ${seed}, ${minutes} min, against the ${cluster.kind} API server`);
    const connection = await loadKubeConnection({ kubeconfigPath: cluster.kubeconfigPath });
    const report = await runChaos({ connection, seed, durationMs: minutes * 60_000, onProgress: console.log });
    print(report);
    process.exitCode = report.problems.length > 0 ? 1 : 0;
  } finally {
    await cluster.close();
  }
}

function print(report: ChaosReport): void {
  const faults = Object.values(report.faults).reduce((sum, n) => sum + n, 0);
  for (const [name, n] of Object.entries(report.faults)) console.log(`  ${name}: ${n}`);
  for (const problem of report.problems) console.log(`FAIL ${problem}`);
  console.log(
    `test:kube seed ${report.seed}: ${report.seconds} s, ${report.writes} writes, ${report.events} events, ${faults} faults in ` +
      `${report.requests} requests, ${report.lists} lists, ${report.restarts} restarts, ${report.coalesced} coalesced, ` +
      `${report.missed} missed; ${report.reconciles} reconciles, ${report.terms} terms; at most ${report.maxSockets} sockets per ` +
      `client, heap ${report.heapMiB.join(" to ")} MiB, at most ${report.maxLagMs} ms late: ${report.problems.length === 0 ? "ok" : "FAILED"}`,
  );
}
