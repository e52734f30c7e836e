/**
 * `npm run verify`: what is generated is what its source gives, the code is clean, and no generated file was edited. Runs
 * each check, prints one line for each, exits 1 where any failed.
 */
import { spawnSync } from "node:child_process";

const root = new URL("../", import.meta.url).pathname;
const node = process.execPath;

const checks: readonly (readonly [name: string, args: readonly string[]])[] = [
  ["types and the API reference are generated from crds/", ["crds/generate.ts", "--check"]],
  [
    "manifests are rendered from charts/inferium, whose definitions are those of crds/",
    ["charts/render-install.ts", "--check"],
  ],
  ["contract artifacts are built from contracts/src", ["contracts/tools/build.ts", "--check"]],
  ["built-in kinds are those of the pinned client's models", ["src/embedded/apiserver/schema/generate.ts", "--check"]],
  ["the MNIST model is what its script trains", ["src/embedded/demo/models/train-mnist.ts", "--check"]],
  ["so is the convolutional one", ["src/embedded/demo/models/train-lenet.ts", "--check"]],
  ["and the linear one", ["src/embedded/demo/models/train-linear.ts", "--check"]],
  ["lint, format and layers", ["node_modules/@biomejs/biome/bin/biome", "check", "."]],
  ["types", ["node_modules/typescript/bin/tsc", "-p", "tsconfig.json"]],
];

let failed = 0;
for (const [name, args] of checks) {
  const { status, stdout, stderr, error } = spawnSync(node, [...args], {
    cwd: root,
    encoding: "utf8",
    timeout: 300_000,
  });
  console.log(`${status === 0 ? "ok  " : "FAIL"} ${name}`);
  if (status === 0) continue;
  failed += 1;
  console.log(error ? error.message : `${stdout}${stderr}`);
}
process.exitCode = failed > 0 ? 1 : 0;
