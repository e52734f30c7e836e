/**
 * The volumes of one pod and its access to the API server: written before its first container starts, refreshed while
 * it runs (config maps and secrets may change, tokens expire). Effects: reads through the pod API, files in the pod's
 * directory; the refresh ends with the signal.
 */
import { mkdir } from "node:fs/promises";
import { isDeepStrictEqual } from "node:util";
import type { Clock } from "../../base/clock.ts";
import { describeError, InferiumError } from "../../base/errors.ts";
import type { Logger } from "../../base/log.ts";
import type { Pod, Volume } from "./core-types.ts";
import type { NodeFacts } from "./field-ref.ts";
import { prepareHostPath } from "./host-path.ts";
import type { PodAccess } from "./pod-access.ts";
import type { PodApi } from "./pod-api.ts";
import type { PodPaths } from "./pod-paths.ts";
import { gatherSources } from "./sources.ts";
import type { TokenKeeper } from "./token-keeper.ts";
import { buildVolumeFiles, type VolumeFile } from "./volume-files.ts";
import { writeVolumeFiles } from "./volume-writer.ts";
import { Wakeup } from "./wakeup.ts";

export interface PodVolumesInput {
  readonly pod: Pod;
  readonly paths: PodPaths;
  readonly facts: NodeFacts;
  readonly api: PodApi;
  readonly access: PodAccess;
  readonly tokens: TokenKeeper;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly signal: AbortSignal;
}

export interface PreparedPod {
  readonly volumeDirs: ReadonlyMap<string, string>;
  /** Names of the volumes that hold what processes put there. */
  readonly writableDirs: ReadonlySet<string>;
  readonly kubeconfigPath: string | undefined;
}

/** As often as the kubelet of Kubernetes looks for changed config maps. */
const refreshMs = 60_000;

export class PodVolumes {
  readonly #input: PodVolumesInput;
  readonly #written = new Map<string, readonly VolumeFile[]>();
  readonly #retired = new AbortController();
  #prepared: PreparedPod | undefined;
  readonly #wakeup = new Wakeup();
  #pod: Pod;

  constructor(input: PodVolumesInput) {
    this.#input = input;
    this.#pod = input.pod;
  }

  /** Files of the downward API follow the object at once. */
  update(pod: Pod): void {
    const shown = ({ labels, annotations }: Pod["metadata"]) => ({ labels, annotations });
    const isShown = !isDeepStrictEqual(shown(pod.metadata), shown(this.#pod.metadata));
    this.#pod = pod;
    if (isShown) this.#wakeup.wake();
  }

  /** Idempotent; a failure leaves it to be tried again. @throws InferiumError FailedMount, CreateContainerConfigError */
  async prepare(): Promise<PreparedPod> {
    if (this.#prepared !== undefined) return this.#prepared;
    const { pod, paths, access } = this.#input;
    await mkdir(paths.root, { recursive: true, mode: 0o700 });
    const kubeconfigPath = (await access.write(this.#input)) ? paths.kubeconfig : undefined;
    await this.#writeApiVolumes();
    const volumes = pod.spec.volumes ?? [];
    const dirs = volumes.map(async (volume) => [volume.name, await this.#prepareVolume(volume)] as const);
    const volumeDirs = new Map(await Promise.all(dirs));
    const writable = volumes.filter((volume) => !this.#written.has(volume.name)).map((volume) => volume.name);
    this.#prepared = { volumeDirs, writableDirs: new Set(writable), kubeconfigPath };
    void this.#refresh(kubeconfigPath !== undefined);
    return this.#prepared;
  }

  /** Nothing reads the files any more. */
  stopRefresh(): void {
    this.#retired.abort(new Error("the pod is over"));
  }

  async #prepareVolume(volume: Volume): Promise<string> {
    const { hostPath } = volume;
    if (hostPath !== undefined) return asMountFailure(volume, () => prepareHostPath(hostPath));
    if (volume.emptyDir === undefined && !this.#written.has(volume.name)) {
      const type = Object.keys(volume).find((key) => key !== "name") ?? "none";
      throw new InferiumError(
        "UnsupportedVolume",
        `Volume '${volume.name}' is of type ${type}, which a process kubelet cannot provide: expected configMap, secret, ` +
          "downwardAPI, projected, emptyDir or hostPath.",
      );
    }
    const directory = this.#input.paths.volume(volume.name);
    await mkdir(directory, { recursive: true });
    return directory;
  }

  async #writeApiVolumes(): Promise<void> {
    const { api, facts, paths, clock, tokens } = this.#input;
    const pod = this.#pod;
    const sources = await gatherSources(api, pod, []);
    const input = { pod, sources, facts, tokens: await tokens.current() };
    for (const volume of pod.spec.volumes ?? []) {
      const files = await asMountFailure(volume, () => buildVolumeFiles(volume, input));
      if (files === undefined || isDeepStrictEqual(files, this.#written.get(volume.name))) continue;
      await writeVolumeFiles(paths.volume(volume.name), files, `v${clock.now()}_${this.#written.size}`);
      this.#written.set(volume.name, files);
    }
  }

  async #refresh(hasAccess: boolean): Promise<void> {
    const { clock, logger, pod, access } = this.#input;
    const signal = AbortSignal.any([this.#input.signal, this.#retired.signal]);
    const isConstant = !hasAccess && this.#written.size === 0;
    while (!isConstant && !signal.aborted) {
      await this.#wakeup.wait(clock, clock.now() + refreshMs, signal);
      if (signal.aborted) return;
      try {
        if (hasAccess) await access.refresh(this.#input);
        await this.#writeApiVolumes();
      } catch (error) {
        // The old files stay: a config map that is gone for a while must not break a running pod.
        logger.warn("volumes of a pod were not refreshed", { pod: pod.metadata.name, reason: describeError(error) });
      }
    }
  }
}

async function asMountFailure<T>(volume: Volume, prepare: () => T | Promise<T>): Promise<T> {
  try {
    return await prepare();
  } catch (cause) {
    const message = `MountVolume.SetUp failed for volume "${volume.name}" : ${describeError(cause)}`;
    throw new InferiumError("FailedMount", message, { disposition: "retry" });
  }
}
