/**
 * Runs one benchmark by name and prints its figures: `npm run bench -- NAME [--output json|text]`. With json, the last
 * line is one JSON object. `--models NAME,...` is for zk alone: the models to measure.
 */
import { parseArgs } from "node:util";
import { benchApiServer } from "./apiserver.ts";
import { benchClient } from "./client.ts";
import { benchGame } from "./game.ts";
import { benchGas } from "./gas.ts";
import { benchInference } from "./inference.ts";
import { benchKueueBaseline } from "./kueue-baseline.ts";
import { benchMatching } from "./matching.ts";
import { benchSignatures } from "./signatures.ts";
import { benchZk } from "./zk.ts";

export type Figures = Readonly<Record<string, unknown>>;

interface BenchOptions {
  readonly models?: readonly string[] | undefined;
}

const benches: Readonly<Record<string, (options: BenchOptions) => Promise<Figures>>> = {
  apiserver: benchApiServer,
  client: benchClient,
  game: benchGame,
  gas: () => benchGas(),
  inference: benchInference,
  "kueue-baseline": benchKueueBaseline,
  matching: benchMatching,
  signatures: benchSignatures,
  zk: benchZk,
};

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { output: { type: "string", default: "text" }, models: { type: "string" } },
});
const name = positionals[0] ?? "";
const bench = Object.hasOwn(benches, name) ? benches[name] : undefined;
const known = (values.output === "json" || values.output === "text") && (values.models === undefined || name === "zk");

if (bench === undefined || !known) {
  console.error(`usage: npm run bench -- ${Object.keys(benches).join("|")} [--output json|text] [--models NAME,...]`);
  process.exitCode = 2;
} else {
  const figures = await bench({ models: values.models?.split(",") });
  if (values.output === "json") console.log(JSON.stringify(figures));
  else for (const [key, value] of Object.entries(figures)) console.log(`${key}: ${JSON.stringify(value)}`);
}
