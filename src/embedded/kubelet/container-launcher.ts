/**
 * Makes everything a container needs before its process and starts it: image, volumes, sources, directories, limits.
 * Called by the container set for each start. Effects: files under the pod's directory, a control group, a process.
 */
import { mkdir, rm, stat } from "node:fs/promises";
import type { Cgroups, ContainerCgroup } from "./cgroups.ts";
import type { ContainerRecord } from "./container-record.ts";
import { type ContainerRun, startContainer } from "./container-run.ts";
import type { Pod } from "./core-types.ts";
import type { Environment } from "./environment.ts";
import type { GroupLedger } from "./group-ledger.ts";
import { findImage, type ImageTable } from "./image-table.ts";
import { buildLaunch, type Launch } from "./launch-spec.ts";
import type { MountPoint } from "./mounts.ts";
import type { PodVolumes, PodVolumesInput } from "./pod-volumes.ts";
import type { ProbeListener } from "./probe-loop.ts";
import { gatherSources } from "./sources.ts";

export interface LauncherDeps extends Omit<PodVolumesInput, "pod" | "tokens"> {
  readonly images: ImageTable;
  readonly hostEnv: Environment;
  readonly nodeEnv: Environment;
  readonly rootDir: string;
  readonly ledger: GroupLedger;
  readonly cgroups: Cgroups;
}

export interface PreparedContainer {
  readonly launch: Launch;
  readonly cgroup: ContainerCgroup | undefined;
}

/** @throws InferiumError with a reason for the container status */
export async function prepareContainer(
  deps: LauncherDeps,
  pod: Pod,
  record: ContainerRecord,
  volumes: PodVolumes,
): Promise<PreparedContainer> {
  const { facts, paths, hostEnv, nodeEnv, rootDir } = deps;
  const image = findImage(deps.images, record.spec.image ?? "");
  const prepared = await volumes.prepare();
  const sources = await gatherSources(deps.api, { ...pod, spec: { containers: [] } }, [record.spec]);
  const containerDir = paths.container(record.name);
  const terminationMessagePath = paths.terminationMessage(record.name);
  await mkdir(containerDir, { recursive: true });
  // The last words of an earlier run are not this one's.
  await rm(terminationMessagePath, { force: true });
  const given = { facts, image, hostEnv, nodeEnv, rootDir, containerDir, terminationMessagePath };
  const launch = buildLaunch({ ...given, ...prepared, pod, container: record.spec, sources });
  await makeSubPaths(launch.mounts, prepared.writableDirs);
  const cgroup = deps.cgroups.create(`${pod.metadata.uid}-${record.name}`, record.spec.resources?.limits);
  return { launch, cgroup };
}

export function launchContainer(
  deps: LauncherDeps,
  record: ContainerRecord,
  prepared: PreparedContainer,
  run: { readonly number: number; readonly listener: ProbeListener; onPreStopFailed(message: string): void },
): Promise<ContainerRun> {
  const { paths, ledger, clock, logger } = deps;
  const { podIP } = deps.facts;
  const logPath = paths.log(record.name, run.number);
  const { number: _number, ...watchers } = run;
  return startContainer({ container: record.spec, podIP, ...prepared, ...watchers, logPath, ledger, clock, logger });
}

/** As in Kubernetes, a subPath that is not there becomes a directory; the files of API objects are what they are. */
async function makeSubPaths(mounts: readonly MountPoint[], writableDirs: ReadonlySet<string>): Promise<void> {
  for (const mount of mounts) {
    if (mount.isSubPath !== true || !writableDirs.has(mount.name)) continue;
    if ((await stat(mount.realPath).catch(() => undefined)) === undefined) {
      await mkdir(mount.realPath, { recursive: true });
    }
  }
}
