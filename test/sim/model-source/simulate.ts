/**
 * `npm run test:sim -- model-source [--rounds N]`: a worker's executor is given models from good and bad sources at once, in an
 * order that the seed decides, some of them by tasks that end before the source does. Every task must end in its time and say
 * what was wrong, good ones must succeed beside them, and nothing may be left: no file, no connection, no memory.
 */
import { execFileSync } from "node:child_process";
import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createExecutor, type Executor } from "../../../src/inference/execute.ts";
import { classifyFailure } from "../../../src/worker/classify-failure.ts";
import { createRandom, type SeededRandom } from "../../chaos/random.ts";
import { type Handler, startArtifactServer } from "../../integration/inference/artifact-server.ts";
import { countFault, type FaultCounts, type ScenarioOptions, type ScenarioReport } from "../scenario.ts";
import { assertModelSource, type Tried } from "./assert-model-source.ts";
import {
  downloadTimeoutMs,
  type Ground,
  idleTimeoutMs,
  maxArtifactBytes,
  modelOf,
  type Source,
  sources,
} from "./sources.ts";

/** Far above what three attempts at a source may take. */
const taskTimeoutMs = 30_000;
const atOnce = 8;

/** Names that resolve to this machine: one always, one only once somebody has looked. */
function resolver() {
  let asked = 0;
  return (host: string, done: (error: null, addresses: { address: string; family: number }[]) => void) => {
    const isInside = host !== "rebinding.test" || asked++ > 0;
    done(null, [{ address: isInside ? "127.0.0.2" : "127.0.0.3", family: 4 }]);
  };
}

export async function simulateModelSource({ seed, numbers, onProgress }: ScenarioOptions): Promise<ScenarioReport> {
  const began = performance.now();
  const random = createRandom(seed);
  const dir = await mkdtemp(join(tmpdir(), "inferium-sources-"));
  const server = await startArtifactServer(buildRoutes());
  const cacheDir = join(dir, "cache");
  const ground = { ...(await layFiles(dir)), port: Number(new URL(server.url).port) };
  const executor = createExecutor({
    ...{ cacheDir, fileRoots: [ground.models], allowedAddresses: ["127.0.0.1"], resolve: resolver() },
    ...{ maxArtifactBytes, idleTimeoutMs, timeoutMs: downloadTimeoutMs, backoff: { initialMs: 5, maxMs: 20 } },
  });
  const faults: FaultCounts = {};
  const before = process.memoryUsage().rss;
  try {
    const tried: Tried[] = [];
    for (let round = 0; round < (numbers.rounds ?? 1); round++) {
      const order = random.fork(`round ${round}`);
      for (const source of sources) if (source.want !== "success") countFault(faults, source.name);
      tried.push(...(await tryAll(executor, ground, order)));
      onProgress?.(`round ${round + 1}: ${tried.length} tasks`);
    }
    const rssMiB = (process.memoryUsage().rss - before) / 2 ** 20;
    const { problems, table } = await assertModelSource(tried, { cacheDir, rssMiB, openConnections: server.open });
    const seconds = Math.round((performance.now() - began) / 100) / 10;
    return {
      seed,
      seconds,
      faults,
      problems,
      table,
      tasks: tried.length,
      lost: tried.filter((one) => one.isLate).length,
    };
  } finally {
    await executor.close();
    await server.close();
    await rm(dir, { recursive: true, force: true });
  }
}

function buildRoutes(): Record<string, Handler> {
  const routes = sources.flatMap(({ name, handle }): [string, Handler][] => {
    const answer: Handler = (request, response, count) => handle?.({ request, response, count, model: modelOf(name) });
    // With what a redirect adds.
    return handle ? [`/${name}`, `/${name}?again`].map((path) => [path, answer]) : [];
  });
  return Object.fromEntries(routes);
}

/** What may be read, what may not, and what leads from the one to the other. */
async function layFiles(dir: string): Promise<Omit<Ground, "port">> {
  const [models, secrets] = [join(dir, "models"), join(dir, "secrets")];
  await mkdir(join(models, "folder"), { recursive: true });
  await mkdir(secrets);
  await writeFile(join(models, "good.onnx"), modelOf("file"));
  // What is found out there would be right: only the policy is in the way.
  await writeFile(join(secrets, "key"), modelOf("link-out"));
  await symlink(join(secrets, "key"), join(models, "link"));
  await symlink("/dev/zero", join(models, "zero"));
  execFileSync("mkfifo", [join(models, "pipe")]);
  return { models, secrets };
}

/** Each source twice: by a task with time, and by one that ends while the source is still being read. */
async function tryAll(executor: Executor, ground: Ground, random: SeededRandom): Promise<Tried[]> {
  const waiting = sources
    .flatMap((source) => [
      { source, isHurried: false },
      { source, isHurried: true },
      { source: sources[0]!, isHurried: false },
    ])
    .map((one) => ({ ...one, place: random.next() }))
    .sort((a, b) => a.place - b.place);
  const tried: Tried[] = [];
  const work = async () => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const afterMs = next.isHurried ? random.between(0, 200) : taskTimeoutMs;
      tried.push(await tryOne(executor, next.source, { ground, afterMs, isHurried: next.isHurried }));
    }
  };
  await Promise.all(Array.from({ length: atOnce }, work));
  return tried;
}

interface Attempt {
  readonly ground: Ground;
  readonly afterMs: number;
  readonly isHurried: boolean;
}

async function tryOne(executor: Executor, source: Source, { ground, afterMs, isHurried }: Attempt): Promise<Tried> {
  const stop = new AbortController();
  const timer = setTimeout(() => stop.abort(new Error("the task's time is over")), afterMs);
  const input = { inline: { x: { dtype: "float32" as const, shape: [1], data: [2] } } };
  const ended = executor.execute({ model: { uri: source.uri(ground), digest: source.digest }, input }, stop.signal);
  const failure = await ended.then(() => undefined, classifyFailure);
  clearTimeout(timer);
  return { source, failure, isHurried, isLate: !isHurried && stop.signal.aborted };
}
