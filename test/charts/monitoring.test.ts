/**
 * What Prometheus and Grafana are given: every metric and label that alerts and dashboard name is one of the program's registries, each alert
 * fires when it should and not otherwise (by promtool), and the monitors find ports and pods that the chart makes.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Registry } from "prom-client";
import { afterAll, describe, expect, test } from "vitest";
import { parse } from "yaml";
import { createAgentMetrics } from "../../src/agent/metrics.ts";
import { createKubeMetrics } from "../../src/kube/metrics.ts";
import type { KubeObject } from "../../src/kube/object.ts";
import { createOperatorMetrics } from "../../src/operator/metrics.ts";
import { createPoolMetrics } from "../../src/pool/metrics.ts";
import { createValidatorMetrics } from "../../src/validator/metrics.ts";
import { createWorkerMetrics } from "../../src/worker/metrics.ts";
import { helms, hubValues, render, someAddress } from "./helm.ts";

interface Rule {
  readonly alert: string;
  readonly expr: string;
  readonly for?: string;
  readonly annotations: { readonly summary: string; readonly description: string };
}

interface Panel {
  readonly title: string;
  readonly targets?: readonly { readonly expr: string; readonly legendFormat?: string }[];
}

const files = new URL("../../charts/inferium/files/", import.meta.url);
const alertsPath = new URL("alerts.yaml", files).pathname;
const alerts: { groups: { rules: Rule[] }[] } = parse(readFileSync(alertsPath, "utf8"));
const rules = alerts.groups.flatMap((group) => group.rules);
const { panels }: { panels: Panel[] } = JSON.parse(readFileSync(new URL("dashboards/inferium.json", files), "utf8"));

/** Labels by the name of the metric, as Prometheus sees it. */
function readRegistries(): Map<string, readonly string[]> {
  const all = new Map<string, readonly string[]>();
  const makers = [
    createKubeMetrics,
    createOperatorMetrics,
    createPoolMetrics,
    createAgentMetrics,
    createWorkerMetrics,
    createValidatorMetrics,
  ];
  for (const make of makers) {
    const registry = new Registry();
    make(registry);
    for (const metric of registry.getMetricsAsArray() as unknown as { name: string; labelNames?: string[] }[]) {
      const labels = metric.labelNames ?? [];
      all.set(metric.name, labels);
      for (const suffix of ["_bucket", "_sum", "_count"]) all.set(metric.name + suffix, [...labels, "le"]);
    }
  }
  return all;
}

/** What Prometheus adds to what it scrapes, and what the PodMonitor takes over from pods. */
const ofTargets = ["namespace", "pod", "job", "instance", "container", "node", "inferium_io_member"];
const known = readRegistries();

const expressions = [
  ...rules.map(({ alert, expr }) => ({ where: `alert ${alert}`, expr, legend: "" })),
  ...panels.flatMap(({ title, targets = [] }) =>
    targets.map(({ expr, legendFormat = "" }) => ({ where: `panel ${title}`, expr, legend: legendFormat })),
  ),
];

describe("monitoring", () => {
  test.each(expressions)("$where names metrics and labels that the program has", ({ expr, legend }) => {
    const names = [...new Set(expr.match(/\b(?:inferium|leader_election|rest_client|reflector|workqueue)_\w+/g))];
    expect(names.length, expr).toBeGreaterThan(0);
    expect(names.filter((name) => !known.has(name))).toEqual([]);
    const labels = new Set([...names.flatMap((name) => known.get(name) ?? []), ...ofTargets]);
    const grouped = [...expr.matchAll(/\b(?:by|on|ignoring|without|group_left)\s*\(([^)]*)\)/g)];
    const selected = [...expr.matchAll(/[{,]\s*(\w+)\s*(?:=~|!~|!=|=)/g)];
    const shown = [...legend.matchAll(/\{\{\s*(\w+)\s*\}\}/g)];
    const used = [
      ...grouped.flatMap(([, list = ""]) => list.split(",")),
      ...[...selected, ...shown].map(([, one = ""]) => one),
    ];
    expect(used.map((label) => label.trim()).filter((label) => label !== "" && !labels.has(label))).toEqual([]);
  });

  test("every alert says what it means and what to do", () => {
    for (const { alert, annotations } of rules)
      expect([alert, annotations.summary.length > 15, annotations.description.length > 15]).toEqual([
        alert,
        true,
        true,
      ]);
  });
});

/** For each alert: series that make it fire, and series that do not, each over an hour of minutes; when it is looked at. */
const scenes: Readonly<
  Record<string, { readonly fires: readonly string[]; readonly silent: readonly string[]; readonly after?: string }>
> = {
  InferiumNoLeader: {
    fires: [series(`leader_election_master_status{name="inferium-operator-default",pod="a"}`, "0x120")],
    silent: [
      series(`leader_election_master_status{name="inferium-operator-default",pod="a"}`, "0x120"),
      series(`leader_election_master_status{name="inferium-operator-default",pod="b"}`, "1x120"),
    ],
  },
  InferiumChainAway: {
    fires: [series("inferium_chain_up", "0x120")],
    silent: [series(`inferium_chain_up{pod="a"}`, "0x120"), series(`inferium_chain_up{pod="b"}`, "1x120")],
  },
  InferiumCertificateExpires: {
    // The clock of promtool begins at zero.
    fires: [series("inferium_certificate_not_after_seconds", "604800x120")],
    silent: [series("inferium_certificate_not_after_seconds", "31536000x120")],
    after: "90m",
  },
  InferiumSettlementBacklog: {
    fires: [series("inferium_settlement_backlog_tasks", "6000x120")],
    silent: [series("inferium_settlement_backlog_tasks", "4000x120")],
  },
  InferiumBatchesRefused: {
    fires: [series("inferium_batch_refusals_total", "0+1x120")],
    silent: [series("inferium_batch_refusals_total", "7x120")],
  },
  InferiumWorkerSlashed: {
    fires: [series("inferium_slashes_total", "0+1x120")],
    silent: [series("inferium_slashes_total", "3x120")],
  },
  InferiumGpuUnhealthy: {
    fires: [series(`inferium_gpu_healthy{uuid="GPU-1",pod="a"}`, "0x120")],
    silent: [series(`inferium_gpu_healthy{uuid="GPU-1",pod="a"}`, "1x120")],
  },
  InferiumQueueStuck: {
    fires: [
      series("inferium_queue_waiting_tasks", "5x120"),
      series(`inferium_verdicts_total{result="Accepted"}`, "9x120"),
    ],
    silent: [
      series("inferium_queue_waiting_tasks", "5x120"),
      series(`inferium_verdicts_total{result="Accepted"}`, "0+1x120"),
    ],
  },
};

function series(metric: string, values: string): string {
  const [value = ""] = values.split("x");
  const count = values.split("x")[1];
  const inNamespace = metric.includes("{") ? metric.replace("{", `{namespace="n",`) : `${metric}{namespace="n"}`;
  return JSON.stringify({
    series: inNamespace,
    values: value.includes("+") ? `${value}x${count}` : `${value}+0x${count}`,
  });
}

const promtool = spawnSync("promtool", ["--version"]).status === 0;
if (!promtool) console.warn("promtool is not on the PATH (Debian: prometheus): the alert rules are not checked by it.");

describe.runIf(promtool)("promtool", () => {
  const folder = mkdtempSync(join(tmpdir(), "inferium-alerts-"));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test("takes the alert rules", () => {
    const done = spawnSync("promtool", ["check", "rules", alertsPath], { encoding: "utf8" });
    expect(done.stdout + done.stderr).toMatch(/SUCCESS: \d+ rules found/);
  });

  test("knows a scene for every alert", () => {
    expect(Object.keys(scenes).sort()).toEqual(rules.map(({ alert }) => alert).sort());
  });

  /** The names of the alerts that fire, as promtool finds them. */
  function listFiring(input: readonly string[], at: string): string[] {
    const tests = rules.map(({ alert }) => ({ eval_time: at, alertname: alert, exp_alerts: [] }));
    const scene = { interval: "1m", input_series: input.map((one) => JSON.parse(one)), alert_rule_test: tests };
    const path = join(folder, "scene.json");
    writeFileSync(path, JSON.stringify({ rule_files: [alertsPath], evaluation_interval: "1m", tests: [scene] }));
    const { stdout, stderr } = spawnSync("promtool", ["test", "rules", path], { encoding: "utf8" });
    return [...(stdout + stderr).matchAll(/alertname: ?(\w+)/g)].map(([, name = ""]) => name);
  }

  test.each(Object.entries(scenes))(
    "finds that %s fires where it should, alone, and is silent otherwise",
    (name, scene) => {
      expect(listFiring(scene.fires, scene.after ?? "60m")).toEqual([name]);
      expect(listFiring(scene.silent, scene.after ?? "60m")).toEqual([]);
    },
  );
});

describe.runIf(helms.length > 0)("the monitors", () => {
  type Labels = Readonly<Record<string, string>>;
  interface Found extends KubeObject {
    readonly spec: {
      readonly selector: {
        readonly matchLabels: Labels;
        readonly matchExpressions?: readonly { key: string; values: readonly string[] }[];
      };
      readonly endpoints?: readonly { port: string }[];
      readonly podMetricsEndpoints?: readonly { port: string }[];
      readonly ports?: readonly { name: string }[];
      readonly template?: { metadata: { labels: Labels }; spec: { containers: { ports?: { name: string }[] }[] } };
    };
  }
  const member = { name: "gpu-a", node: "node-a", address: someAddress, existingSecret: "gpu-a-key" };
  const validator = { ...member, name: "check-a", node: "node-b", role: "Validator", existingSecret: "check-a-key" };
  const values = { ...hubValues, members: [member, validator], monitoring: { enabled: true } };
  const objects = () => render(helms.at(-1)?.binary ?? "", values).objects as Found[];
  const hasLabels = (labels: Labels | undefined, wanted: Labels) =>
    Object.entries(wanted).every(([name, value]) => labels?.[name] === value);

  test("select the operator's Service, by a port that it has", () => {
    const all = objects();
    const monitor = all.find(({ kind }) => kind === "ServiceMonitor");
    const services = all.filter(
      ({ kind, metadata }) =>
        kind === "Service" && hasLabels(metadata.labels, monitor?.spec.selector.matchLabels ?? {}),
    );
    expect(services.map(({ metadata }) => metadata.name)).toEqual(["inferium-operator-metrics"]);
    const ports = services[0]?.spec.ports?.map(({ name }) => name) ?? [];
    for (const { port } of monitor?.spec.endpoints ?? []) expect(ports).toContain(port);
  });

  test("select agents, workers and validators, by a port that their pods have", () => {
    const all = objects();
    const monitor = all.find(({ kind }) => kind === "PodMonitor");
    const components = monitor?.spec.selector.matchExpressions?.[0];
    const templates = all.flatMap(({ spec }) => spec?.template ?? []);
    const chosen = templates.filter(
      ({ metadata: { labels } }) =>
        hasLabels(labels, monitor?.spec.selector.matchLabels ?? {}) &&
        components?.values.includes(labels[components.key] ?? ""),
    );
    expect(chosen.map(({ metadata }) => metadata.labels["app.kubernetes.io/component"]).sort()).toEqual([
      "agent",
      "validator",
      "worker",
    ]);
    for (const { spec } of chosen)
      for (const { port } of monitor?.spec.podMetricsEndpoints ?? [])
        expect(spec.containers.flatMap(({ ports = [] }) => ports.map(({ name }) => name))).toContain(port);
  });
});
