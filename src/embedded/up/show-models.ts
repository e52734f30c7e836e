/**
 * After the run's tasks: a Model for each model that they used, as their owner would create it, and what the validators say of it.
 * Effects: creates Models, waits until they are approved or not.
 */
import { apiVersion } from "../../api/v1alpha1/meta.ts";
import type { Model } from "../../api/v1alpha1/types.ts";
import { modelResource } from "../../api/v1alpha1/types.ts";
import { InferiumError } from "../../base/errors.ts";
import type { Logger } from "../../base/log.ts";
import { createClient } from "../../kube/client.ts";
import { createInformer } from "../../kube/informer.ts";
import { defineResource } from "../../kube/resource.ts";
import { describeModel, type ShownModel } from "../demo/shown-model.ts";
import { demoNamespace, type TaskManifest } from "../demo/workload.ts";
import type { System } from "./start-system.ts";
import { waitUntil } from "./watch.ts";

export interface ShowModelsOptions {
  readonly system: System;
  readonly tasks: readonly TaskManifest[];
  readonly signal: AbortSignal;
  readonly say: (text: string) => void;
  readonly logger: Logger;
}

const models = defineResource<Model>(modelResource);
const approvalTimeoutMs = 60_000;
/** By the file's name; the project's own are under the project's licence. */
const licenses: ReadonlyMap<string, string> = new Map([["silero-vad-v5", "MIT"]]);

/** As they stand where it takes too long: the rest of the run does not depend on them. */
export async function showModels({ system, tasks, signal, say, logger }: ShowModelsOptions): Promise<ShownModel[]> {
  const { transport } = system.cluster;
  const informer = createInformer(transport, models, { namespace: demoNamespace, logger });
  informer.start(signal);
  try {
    const manifests = buildModels(tasks);
    for (const manifest of manifests) await createClient(transport, models).create(manifest as Model);
    const isDecided = (model: Model) =>
      model.status?.conditions?.some(({ type, status }) => type === "Approved" && status !== "Unknown") === true;
    await waitUntil({
      informers: [informer],
      signal,
      timeoutMs: approvalTimeoutMs,
      isTrue: () => informer.store.size >= manifests.length && informer.store.list().every(isDecided),
      describe: () => `the models to be checked: ${JSON.stringify(informer.store.list().map(describeModel))}`,
    });
  } catch (error) {
    if (!(error instanceof InferiumError) || error.code !== "WaitTimeout") throw error;
    say(`models     ${error.message}`);
  } finally {
    await informer.stop();
  }
  return informer.store.list().map(describeModel).sort(byName);
}

const byName = (a: ShownModel, b: ShownModel) => (a.name < b.name ? -1 : 1);

function buildModels(tasks: readonly TaskManifest[]): Pick<Model, "apiVersion" | "kind" | "metadata" | "spec">[] {
  const used = new Map(tasks.flatMap(({ spec }) => (spec.model ? [[spec.model.digest, spec.model]] : [])));
  return [...used.values()].map(({ uri, digest }) => {
    const name = /([^/]+)\.onnx$/.exec(uri)?.[1] ?? digest.slice(7, 19);
    const license = licenses.get(name) ?? "Apache-2.0";
    const metadata = { name, namespace: demoNamespace };
    return { apiVersion, kind: "Model", metadata, spec: { uri, digest, format: "onnx", license } };
  });
}
