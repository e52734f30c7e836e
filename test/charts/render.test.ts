/** What the chart renders and what it refuses, on both versions of helm; no cluster. */
import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { parse, parseAllDocuments, stringify } from "yaml";
import type { KubeObject } from "../../src/kube/object.ts";
import { chart, helms, hubValues, lint, memberValues, render, someAddress } from "./helm.ts";

const members = [
  { name: "gpu-a", node: "node-a", owner: someAddress },
  { name: "val-a", node: "node-b", role: "Validator", address: someAddress, existingSecret: "k", keystore: true },
];
const matrix: readonly (readonly [string, object])[] = [
  ["a hub alone", hubValues],
  ["a hub with members", { ...hubValues, members }],
  ["a member", memberValues],
  ["a launcher", { ...hubValues, members: [...members, { name: "l", node: "node-l", mode: "Pod", tier: "High" }] }],
  ["one namespace", { ...hubValues, operator: { watchNamespace: "team-a", secretNamespaces: ["team-a", "team-b"] } }],
  ["cert-manager", { ...hubValues, members, pool: { tls: { mode: "certManager", issuerRef: { name: "ca" } } } }],
  ["a given certificate", { ...hubValues, members, pool: { tls: { mode: "existingSecret", existingSecret: "tls" } } }],
  [
    "all options",
    {
      ...hubValues,
      members,
      priorityClasses: { create: true },
      monitoring: { enabled: true, rules: { enabled: true }, dashboard: { enabled: true } },
      networkPolicy: { poolFrom: ["10.0.0.0/8"], metricsNamespace: "monitoring" },
      image: { digest: `sha256:${"a".repeat(64)}`, pullSecrets: ["registry"] },
    },
  ],
  ["a development chain", { members, chain: { embedded: { enabled: true } } }],
  ["proving keys of a claim", { ...hubValues, members, validator: { provingKeys: { existingClaim: "keys" } } }],
  [
    "no options",
    {
      ...hubValues,
      crds: { install: false },
      rbac: { create: false },
      policies: { enabled: false },
      networkPolicy: { enabled: false },
      podDisruptionBudget: { enabled: false },
    },
  ],
];

const definitions = readdirSync(new URL("../../crds/", import.meta.url)).filter((name) => name.endsWith(".yaml"));
const trial = { members, chain: { embedded: { enabled: true } } };
const sha = `sha256:${"a".repeat(64)}`;

interface PodSpec {
  readonly automountServiceAccountToken?: boolean;
  readonly securityContext: object;
  readonly containers: readonly {
    readonly name: string;
    readonly securityContext: object;
    readonly resources: { requests?: object };
    readonly env?: readonly { readonly name: string }[];
  }[];
}

function podSpecs(objects: readonly KubeObject[]): PodSpec[] {
  const specs = objects as readonly { kind: string; spec?: PodSpec & { template?: { spec: PodSpec } } }[];
  return specs.flatMap(({ kind, spec }) =>
    kind === "Pod" && spec ? [spec] : spec?.template ? [spec.template.spec] : [],
  );
}

describe.each(helms)("$name", ({ binary }) => {
  test.each(matrix)("%s is linted and rendered, and every pod is restricted", (_, values) => {
    const linted = lint(binary, values);
    expect(linted.code, linted.output).toBe(0);
    const rendered = render(binary, values);
    expect(rendered.code, rendered.error).toBe(0);
    const names = rendered.objects.map(({ kind, metadata }) => `${kind} ${metadata.namespace ?? ""}/${metadata.name}`);
    expect(new Set(names).size).toBe(names.length);
    const specs = podSpecs(rendered.objects);
    expect(specs.length).toBeGreaterThan(0);
    for (const spec of specs) {
      const variables = spec.containers.flatMap(({ env }) => env ?? []).map(({ name }) => name);
      const isLauncher = variables.includes("INFERIUM_POD_NAMESPACE");
      const speaksToServer = isLauncher || ["operator", "agent"].includes(spec.containers[0]?.name ?? "");
      expect(spec.automountServiceAccountToken).toBe(speaksToServer);
      expect(spec.securityContext).toMatchObject({ runAsNonRoot: true, seccompProfile: { type: "RuntimeDefault" } });
      for (const container of spec.containers) {
        expect(container.securityContext).toEqual({
          allowPrivilegeEscalation: false,
          readOnlyRootFilesystem: true,
          capabilities: { drop: ["ALL"] },
        });
        expect(container.resources.requests).toBeDefined();
      }
    }
  });

  test("renders no key that was not given, and different ones each time", () => {
    const keys = () => render(binary, { ...hubValues, members }).objects.filter(({ kind }) => kind === "Secret");
    const [first, second] = [keys(), keys()] as unknown as { metadata: { name: string }; data: { key?: string } }[][];
    expect(first?.map(({ metadata }) => metadata.name).sort()).toEqual([
      "inferium-key-gpu-a",
      "inferium-pool-ca-key",
      "inferium-pool-tls",
      "inferium-settler",
    ]);
    for (const [index, { data }] of (first ?? []).entries()) {
      if (data.key === undefined) continue;
      expect(Buffer.from(data.key, "base64").toString()).toMatch(/^0x[0-9a-f]{64}$/);
      expect(second?.[index]?.data.key).not.toBe(data.key);
    }
  });

  test("keeps definitions and keys through an uninstall", () => {
    const kept = render(binary, { ...hubValues, members })
      .objects.filter(({ metadata }) => metadata.annotations?.["helm.sh/resource-policy"] === "keep")
      .map(({ kind }) => kind);
    expect(kept.filter((kind) => kind === "CustomResourceDefinition").length).toBe(definitions.length);
    expect(kept.filter((kind) => kind === "Secret").length).toBe(3);
  });
});

describe.each(helms.slice(-1))("proving keys", ({ binary }) => {
  interface MemberSpec {
    readonly initContainers?: readonly { readonly args: readonly string[] }[];
    readonly containers: readonly {
      readonly env: readonly { readonly name: string; readonly value?: string }[];
      readonly volumeMounts: readonly object[];
    }[];
    readonly volumes: readonly object[];
  }
  const validatorOf = (provingKeys: object): MemberSpec => {
    const { objects, error } = render(binary, { ...hubValues, members, validator: { provingKeys } });
    const found = objects.find(({ metadata }) => metadata.name === "inferium-validator-val-a");
    expect(found, error).toBeDefined();
    return (found as unknown as { spec: { template: { spec: MemberSpec } } }).spec.template.spec;
  };
  const variables = ({ containers }: MemberSpec) =>
    Object.fromEntries((containers[0]?.env ?? []).map(({ name, value }) => [name, value]));

  test("of none: no folder, and proofs are checked alone", () => {
    const spec = validatorOf({});
    expect(variables(spec)).not.toHaveProperty("INFERIUM_PROOF_ARTIFACTS_DIR");
    expect(variables(spec)).not.toHaveProperty("INFERIUM_ALLOW_DEVELOPMENT_SETUP");
    expect(spec.initContainers).toBeUndefined();
  });

  test.each([
    ["a claim", { existingClaim: "keys" }, { persistentVolumeClaim: { claimName: "keys", readOnly: true } }],
    [
      "an image",
      { image: `registry.example.com/keys@${sha}` },
      { image: { reference: `registry.example.com/keys@${sha}`, pullPolicy: "IfNotPresent" } },
    ],
  ])("of %s are mounted read-only", (_, provingKeys, source) => {
    const spec = validatorOf({ ...provingKeys, seconds: 60, allowDevelopmentSetup: true });
    expect(spec.volumes).toContainEqual({ name: "proving-keys", ...source });
    const mountPath = "/etc/inferium/proving-keys";
    expect(spec.containers[0]?.volumeMounts).toContainEqual({ name: "proving-keys", mountPath, readOnly: true });
    expect(variables(spec)).toMatchObject({
      INFERIUM_PROOF_ARTIFACTS_DIR: mountPath,
      INFERIUM_PROOF_SECONDS: "60",
      INFERIUM_PROOF_MEMORY_MIB: "4096",
      INFERIUM_ALLOW_DEVELOPMENT_SETUP: "true",
    });
    expect(spec.initContainers).toBeUndefined();
  });

  test("of records are fetched before the validator starts, held against their digests, and kept with its state", () => {
    const url = "https://keys.example.com/circuit-a-1.json";
    const spec = validatorOf({ records: [{ url, digest: sha }] });
    const store = "/var/lib/inferium/proving-keys";
    expect(spec.initContainers?.[0]?.args).toEqual(["zk", "fetch", `--store=${store}`, "--record", `${url}#${sha}`]);
    expect(variables(spec)).toMatchObject({ INFERIUM_PROOF_ARTIFACTS_DIR: store });
  });
});

// On one version: each start of helm takes a good part of a second, and both read one schema.
describe.each(helms)("$name: placement", ({ binary }) => {
  const one = (member: object, worker: object = {}) => {
    const { objects, error } = render(binary, {
      ...hubValues,
      members: [{ name: "gpu-a", node: "node-a", ...member }],
      worker,
    });
    expect(error).toBe("");
    const found = objects.find(({ kind, metadata }) => kind === "StatefulSet" && metadata.name.endsWith("gpu-a"));
    const set = found as unknown as {
      metadata: KubeObject["metadata"];
      spec: { template: { spec: Record<string, unknown> } };
    };
    const pod = set.spec.template.spec as { containers: { resources: object }[] } & Record<string, unknown>;
    return { objects, set, pod, resources: pod.containers[0]?.resources };
  };
  const tiersOf = (pod: Record<string, unknown>) => JSON.stringify(pod.affinity ?? {}).match(/"values":(\[.*?\])/)?.[1];

  test.each([
    ["High", '["High"]'],
    ["Mid", '["Mid","High"]'],
    ["Low", '["Low","Mid","High"]'],
  ])("a worker that asks for tier %s waits for a node that reaches it", (tier, want) => {
    const { pod } = one({ tier });
    expect(tiersOf(pod)).toBe(want);
    expect(pod.nodeSelector).toEqual({ "kubernetes.io/hostname": "node-a" });
  });

  test("without a tier it waits for nothing", () => {
    expect(one({}).pod.affinity).toBeUndefined();
  });

  test("GPUs are added to the limits of its role, and tolerated", () => {
    const { pod, resources } = one({ gpus: 2 });
    expect(resources).toMatchObject({ limits: { memory: "8Gi", "nvidia.com/gpu": 2 }, requests: { cpu: "1" } });
    expect(pod.tolerations).toEqual([{ key: "nvidia.com/gpu", operator: "Exists", effect: "NoSchedule" }]);
  });

  test("instances of a MIG profile by their own resource", () => {
    expect(one({ gpus: 1, migProfile: "1g.10gb" }).resources).toMatchObject({
      limits: { "nvidia.com/mig-1g.10gb": 1 },
    });
  });

  test("devices of a class by a claim of its own", () => {
    const { objects, pod, resources } = one({ gpus: 4, deviceClass: "gpu.nvidia.com" });
    const claim = objects.find(({ kind }) => kind === "ResourceClaimTemplate");
    expect(claim).toMatchObject({
      apiVersion: "resource.k8s.io/v1",
      spec: { spec: { devices: { requests: [{ exactly: { deviceClassName: "gpu.nvidia.com", count: 4 } }] } } },
    });
    expect(pod.resourceClaims).toEqual([{ name: "gpus", resourceClaimTemplateName: claim?.metadata.name }]);
    expect(resources).toMatchObject({ claims: [{ name: "gpus" }] });
    expect(JSON.stringify(resources)).not.toContain("nvidia.com/gpu");
  });

  test("its role's runtime class, priority class, spread and queue of Kueue", () => {
    const topologySpreadConstraints = [
      { maxSkew: 1, topologyKey: "topology.kubernetes.io/zone", whenUnsatisfiable: "ScheduleAnyway" },
    ];
    const names = { runtimeClassName: "nvidia", priorityClassName: "inference", queueName: "gpus" };
    const { set, pod } = one({}, { ...names, topologySpreadConstraints });
    expect(pod).toMatchObject({
      runtimeClassName: "nvidia",
      priorityClassName: "inference",
      topologySpreadConstraints,
    });
    expect(set.metadata.labels).toMatchObject({ "kueue.x-k8s.io/queue-name": "gpus" });
  });
});

describe.each(helms.slice(-1))("values", ({ binary }) => {
  test.each<[string, object, RegExp]>([
    [
      "a profile without a number",
      { ...hubValues, members: [{ name: "a", node: "n", migProfile: "1g.10gb" }] },
      /names 1g.10gb but no gpus/,
    ],
    [
      "a profile and a class",
      {
        ...hubValues,
        members: [{ name: "a", node: "n", gpus: 1, migProfile: "1g.10gb", deviceClass: "gpu.nvidia.com" }],
      },
      /has migProfile and deviceClass/,
    ],
    [
      "a validator's tier",
      { ...hubValues, members: [{ name: "a", node: "n", role: "Validator", tier: "High" }] },
      /is a Validator and has a tier/,
    ],
    [
      "a validator that launches pods",
      { ...hubValues, members: [{ name: "v", node: "n", role: "Validator", mode: "Pod" }] },
      /is a Validator and of mode Pod/,
    ],
    [
      "pods of tasks beside the release's keys",
      {
        ...hubValues,
        members: [{ name: "l", node: "n", mode: "Pod" }],
        launcher: { namespace: "inferium-system" },
      },
      /where the release keeps its keys/,
    ],
    [
      "a profile of no such form",
      { ...hubValues, members: [{ name: "a", node: "n", gpus: 1, migProfile: "half" }] },
      /migProfile/,
    ],
    ["an unknown value", { operator: { replica: 2 } }, /replica/],
    ["an unknown part", { operators: {} }, /operators/],
    ["text for a number", { operator: { replicas: "two" } }, /replicas.*(string|integer)/is],
    ["no replica", { operator: { replicas: 0 } }, /replicas/],
    ["an unknown mode", { mode: "both" }, /mode/],
    ["an address that is too short", { chain: { ...hubValues.chain, treasury: "0x12" } }, /treasury/],
    ["a contract that is none", { chain: { ...hubValues.chain, addresses: { settlment: someAddress } } }, /settlment/],
    ["an endpoint without a scheme", { chain: { ...hubValues.chain, rpcUrl: "rpc.example.com" } }, /rpcUrl/],
    ["plain HTTP for the pool", { pool: { url: "http://pool" } }, /pool.url/],
    ["a key in the values", { members: [{ name: "a", node: "n", key: "0x00" }] }, /key/],
    ["a member without a node", { members: [{ name: "a" }] }, /node/],
    ["a port above 65535", { metricsPort: 70_000 }, /metricsPort/],
    ["a digest that is none", { image: { digest: "sha256:abc" } }, /digest/],
    ["an unknown provider", { worker: { executionProviders: ["rocm"] } }, /executionProviders/],
    ["no endpoint", { chain: { treasury: someAddress } }, /chain.rpcUrl is empty; expected the JSON-RPC endpoint/],
    ["no contracts", { chain: { ...hubValues.chain, addresses: {} } }, /chain.addresses is empty/],
    ["no treasury", { chain: { ...hubValues.chain, treasury: "" } }, /chain.treasury is empty/],
    ["a member without a pool", { ...memberValues, pool: {} }, /pool.url is empty; in member mode/],
    ["a member mode without members", { ...memberValues, members: [] }, /members is empty/],
    [
      "a Secret without its address",
      { members: [{ name: "a", node: "n", existingSecret: "s" }] },
      /a has existingSecret but no address/,
    ],
    [
      "two members on a node",
      {
        members: [
          { name: "a", node: "n" },
          { name: "b", node: "n" },
        ],
      },
      /a and b are both on node n/,
    ],
    [
      "two members of a name",
      {
        members: [
          { name: "a", node: "n" },
          { name: "a", node: "m" },
        ],
      },
      /two are named a/,
    ],
    [
      "two sources of proving keys",
      {
        validator: {
          provingKeys: { existingClaim: "keys", records: [{ url: "https://k.example.com/c", digest: sha }] },
        },
      },
      /provingKeys has existingClaim and records; expected at most one/,
    ],
    ["an image of keys without a digest", { validator: { provingKeys: { image: "keys:1" } } }, /provingKeys.*image/s],
    [
      "a record without a digest",
      { validator: { provingKeys: { records: [{ url: "https://k.example.com/c" }] } } },
      /digest/,
    ],
    [
      "proving keys without a chain",
      { ...memberValues, validator: { provingKeys: { existingClaim: "keys" } } },
      /provingKeys is given but no chain/,
    ],
    [
      "a trial's chain beside contracts",
      { ...trial, chain: { ...hubValues.chain, ...trial.chain } },
      /has contracts of its own/,
    ],
    ["a trial without a validator", { ...trial, members: [{ name: "m", node: "n" }] }, /no member is a Validator/],
    [
      "a trial's chain in member mode",
      { ...memberValues, chain: { ...memberValues.chain, ...trial.chain } },
      /chain is the hub's/,
    ],
    ["a port twice", { metricsPort: 8443 }, /metricsPort and pool.port are both 8443/],
    ["a name of which nothing could run", { members: [{ name: "m".repeat(40), node: "n" }] }, /at most 52 leave room/],
    [
      "a variable that has a value of its own",
      { operator: { env: { INFERIUM_POOL_PORT: 1 } } },
      /operator.env has INFERIUM_POOL_PORT/,
    ],
    ["a quorum that is no majority", { operator: { models: { validators: 4, quorum: 2 } } }, /models.quorum is 2 of 4/],
    ["no issuer", { pool: { tls: { mode: "certManager" } } }, /issuerRef.name is empty/],
    ["no certificate", { pool: { tls: { mode: "existingSecret" } } }, /existingSecret is empty/],
  ])("refuses %s and says where", (_, values, message) => {
    const { code, error } = render(binary, { ...hubValues, ...values });
    expect(code).not.toBe(0);
    expect(error).toMatch(message);
  });
});

test.runIf(helms.length > 0)("every variable that the chart sets is refused where it is given once more", () => {
  const binary = helms.at(-1)?.binary ?? "";
  const values = {
    ...hubValues,
    members: [{ ...members[0], keystore: true, existingSecret: "k", address: someAddress }, members[1]],
  };
  const image = { digest: `sha256:${"a".repeat(64)}` };
  const containers = podSpecs(render(binary, { ...values, image, chain: { ...hubValues.chain, chainId: 1 } }).objects);
  const given = containers.flatMap((spec) =>
    spec.containers.flatMap(({ name, env = [] }) => env.map((one) => `${name} ${one.name}`)),
  );
  expect(given.length).toBeGreaterThan(60);
  const source = readFileSync(new URL("../../charts/inferium/templates/_checks.tpl", import.meta.url), "utf8");
  const refused = (name: string) => source.includes(`"${name.replace("INFERIUM_", "")}"`);
  // A default of values.yaml: a value of the user's takes its place.
  const isDefault = (name: string) => name === "NODE_OPTIONS";
  const names = given.map((one) => one.split(" ")[1] ?? "");
  expect(names.filter((name) => !refused(name) && !isDefault(name))).toEqual([]);
});

test.runIf(helms.length > 0)("a release whose objects could not be named is refused", () => {
  const args = ["template", "0", chart, "--values", "-"];
  const done = spawnSync(helms.at(-1)?.binary ?? "", args, { input: JSON.stringify(hubValues), encoding: "utf8" });
  expect(done.stderr).toContain("objects would be named 0-inferium, and a Service's name begins with a letter");
});

test("values.yaml explains every value of the schema", () => {
  const values = readFileSync(new URL("../../charts/inferium/values.yaml", import.meta.url), "utf8");
  const schema = JSON.parse(readFileSync(new URL("../../charts/inferium/values.schema.json", import.meta.url), "utf8"));
  const missing = Object.keys(schema.properties).filter((name) => name !== "global" && !values.includes(`\n${name}:`));
  expect(missing, stringify(missing)).toEqual([]);
});

interface Example {
  readonly kind: string;
  readonly spec: {
    readonly source?: { readonly path: string; readonly helm: { readonly valuesObject: object } };
    readonly chart?: { readonly spec: { readonly chart: string } };
    readonly values?: object;
  };
}

test.runIf(helms.length > 0)(
  "the GitOps examples give the chart values that it takes, and make no key at each rendering",
  () => {
    const examples = ["argocd/application.yaml", "flux/release.yaml"].flatMap((name) =>
      parseAllDocuments(readFileSync(new URL(`../../manifests/${name}`, import.meta.url), "utf8")).map(
        (document) => document.toJS() as Example,
      ),
    );
    const values = examples.flatMap(({ spec }) => spec.source?.helm?.valuesObject ?? spec.values ?? []);
    expect(values.length).toBe(2);
    expect(examples.flatMap(({ spec }) => spec.source?.path ?? spec.chart?.spec.chart.replace("./", "") ?? [])).toEqual(
      ["charts/inferium", "charts/inferium"],
    );
    for (const given of values) expect(render(helms.at(-1)?.binary ?? "", given).error).toBe("");
    // Argo CD renders each time; a Secret in there would be another one each time.
    const [argo = {}] = values;
    const kinds = render(helms.at(-1)?.binary ?? "", argo).objects.map(({ kind }) => kind);
    expect(kinds).not.toContain("Secret");
  },
);

test.runIf(helms.length > 0)("the values in the documentation are values that the chart takes", () => {
  const folder = new URL("../../docs/", import.meta.url);
  const blocks = readdirSync(folder).flatMap((name) =>
    [...readFileSync(new URL(name, folder), "utf8").matchAll(/^```yaml\n# values\.yaml([\s\S]*?)^```/gm)].map(
      (match) => [name, parse(match[1] ?? "") as object] as const,
    ),
  );
  expect(blocks.map(([name]) => name).sort()).toEqual(["clusters.md", "clusters.md", "install.md"]);
  for (const [name, values] of blocks) expect(render(helms.at(-1)?.binary ?? "", values).error, name).toBe("");
});
