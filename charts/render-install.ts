/**
 * Renders manifests/hub/install.yaml and manifests/overlays/member/install.yaml from the chart, with Secrets and addresses that the
 * administrator brings. `--check` writes nothing and exits 1 where a file differs, or where the chart's copy of crds/ does;
 * without a helm (.ci/client-tools brings one) only that copy is looked at, and it says so. Run by `npm run generate` and `npm run verify`.
 */
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";

const root = new URL("../", import.meta.url).pathname;
const helm = join(process.env.INFERIUM_TOOLS ?? join(homedir(), ".cache", "inferium-tools"), "helm-4.1");
const isCheck = process.argv.includes("--check");
const zero = `0x${"0".repeat(40)}`;

/** What only the administrator knows is plainly not filled in: an operator refuses to start with the zero address's contracts. */
const shared = {
  chain: {
    rpcUrl: "https://rpc.example.com",
    treasury: zero,
    existingConfigMap: "inferium-contracts",
    settler: { existingSecret: "inferium-settler" },
  },
};
const files: Readonly<Record<string, object>> = {
  "manifests/hub/install.yaml": {
    ...shared,
    pool: {
      tls: { mode: "existingSecret", existingSecret: "inferium-pool-tls", existingCaConfigMap: "inferium-pool-ca" },
    },
  },
  "manifests/overlays/member/install.yaml": {
    ...shared,
    mode: "member",
    pool: { url: "https://pool.hub.example.com:8443", tls: { existingCaConfigMap: "inferium-pool-ca" } },
    members: [{ name: "gpu-a", node: "node-a", address: zero, existingSecret: "gpu-a-key" }],
  },
};
const namespace = `# Rendered from charts/inferium by \`npm run generate\`. Do not edit: use kustomize (manifests/overlays) or the chart.
apiVersion: v1
kind: Namespace
metadata:
  name: inferium-system
  labels:
    app.kubernetes.io/name: inferium
    pod-security.kubernetes.io/enforce: restricted
`;

let differs = false;

function put(path: string, text: string): void {
  const current = existsSync(join(root, path)) ? readFileSync(join(root, path), "utf8") : "";
  if (current === text) return;
  if (!isCheck) writeFileSync(join(root, path), text);
  else console.error(`${path} is not what its source gives; run npm run generate.`);
  differs = isCheck;
}

for (const name of readdirSync(join(root, "crds")).filter((file) => file.endsWith(".yaml")))
  put(`charts/inferium/files/crds/${name}`, readFileSync(join(root, "crds", name), "utf8"));

if (!existsSync(helm)) {
  console.warn(`${helm} is not there: manifests/hub/install.yaml was not rendered. Run .ci/client-tools to bring it.`);
} else {
  for (const [path, values] of Object.entries(files)) {
    const args = [
      "template",
      "inferium",
      join(root, "charts/inferium"),
      "--namespace",
      "inferium-system",
      "--skip-tests",
      "--values",
      "-",
    ];
    const done = spawnSync(helm, args, {
      input: JSON.stringify(values),
      encoding: "utf8",
      maxBuffer: 64 * 1024 * 1024,
      timeout: 60_000,
    });
    if (done.status !== 0) throw new Error(`helm template failed for ${path}: ${done.error?.message ?? done.stderr}`);
    put(path, namespace + done.stdout);
  }
}
process.exitCode = differs ? 1 : 0;
