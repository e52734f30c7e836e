/**
 * Runs one benchmark by name and prints its figures: `npm run bench -- NAME [--output json|text]`. With json, the last
 * line is one JSON object. `--models NAME,...` is for zk alone: the models to measure. `--part NAME` (any number of times),
 * `--count N` and `--timeout SECONDS` (of a part) are for pool and kueue-baseline.
 */
import { parseArgs } from "node:util";
import { benchApiServer } from "./apiserver.ts";
import type { BenchOptions, Figures } from "./bench-options.ts";
import { benchClient } from "./client.ts";
import { benchGame } from "./game.ts";
import { benchGas } from "./gas.ts";
import { benchGateway } from "./gateway.ts";
import { benchInference } from "./inference.ts";
import { benchKueueBaseline } from "./kueue-baseline.ts";
import { benchMatching } from "./matching.ts";
import { benchPool } from "./pool.ts";
import { benchSignatures } from "./signatures.ts";
import { benchZk } from "./zk.ts";

const benches: Readonly<Record<string, (options: BenchOptions) => Promise<Figures>>> = {
  apiserver: benchApiServer,
  client: benchClient,
  game: benchGame,
  gas: () => benchGas(),
  gateway: () => benchGateway(),
  inference: benchInference,
  "kueue-baseline": benchKueueBaseline,
  matching: benchMatching,
  pool: benchPool,
  signatures: benchSignatures,
  zk: benchZk,
};

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    output: { type: "string", default: "text" },
    models: { type: "string" },
    part: { type: "string", multiple: true },
    count: { type: "string" },
    timeout: { type: "string" },
  },
});
const name = positionals[0] ?? "";
const bench = Object.hasOwn(benches, name) ? benches[name] : undefined;
const isNumber = (text: string | undefined) => text === undefined || /^[1-9][0-9]{0,6}$/.test(text);
const hasParts = name === "pool" || name === "kueue-baseline";
const known =
  (values.output === "json" || values.output === "text") &&
  (values.models === undefined || name === "zk") &&
  (hasParts || (values.part ?? values.count ?? values.timeout) === undefined) &&
  isNumber(values.count) &&
  isNumber(values.timeout);

if (bench === undefined || !known) {
  console.error(
    `usage: npm run bench -- ${Object.keys(benches).join("|")} [--output json|text] [--models NAME,...] [--part NAME] [--count N] [--timeout SECONDS]`,
  );
  process.exitCode = 2;
} else {
  const figures = await bench({
    models: values.models?.split(","),
    ...(values.part ? { parts: values.part } : {}),
    ...(values.count ? { count: Number(values.count) } : {}),
    ...(values.timeout ? { timeoutMs: 1_000 * Number(values.timeout) } : {}),
  });
  if (values.output === "json") console.log(JSON.stringify(figures));
  else for (const [key, value] of Object.entries(figures)) console.log(`${key}: ${JSON.stringify(value)}`);
}
