/**
 * Builds what to execute for one container: command, environment, working directory. Pure; called by the pod worker once
 * its sources are gathered and its volumes written.
 */
import type { Container } from "./core-types.ts";
import { buildDeclaredEnvironment, type Environment, type EnvironmentInput } from "./environment.ts";
import { expandVariables } from "./expansion.ts";
import { rootVariable } from "./group-ledger.ts";
import type { ProcessImage } from "./image-table.ts";
import { buildMountEnvironment, createPathRewriter, type MountPoint, resolveMounts } from "./mounts.ts";
import type { LaunchSpec } from "./process-group.ts";

export interface LaunchInput extends EnvironmentInput {
  readonly image: ProcessImage;
  /** Real directory of each volume. */
  readonly volumeDirs: ReadonlyMap<string, string>;
  /** What of the host's environment processes may see. */
  readonly hostEnv: Environment;
  /** What this node gives to every container; wins over host and image. */
  readonly nodeEnv: Environment;
  readonly rootDir: string;
  /** Working directory where neither container nor image names one. */
  readonly containerDir: string;
  /** The pod's own access to the API server. */
  readonly kubeconfigPath: string | undefined;
  /** Where the container's last words are looked for. */
  readonly terminationMessagePath: string;
}

export interface Launch {
  readonly spec: LaunchSpec;
  /** Maps mount paths; probes and hooks need it for their commands. */
  readonly rewrite: (text: string) => string;
  readonly mounts: readonly MountPoint[];
  readonly terminationMessagePath: string;
}

const defaultTerminationMessagePath = "/dev/termination-log";
/** For programs that do not take the path from their arguments. */
const terminationMessageVariable = "INFERIUM_TERMINATION_MESSAGE_PATH";

export function buildLaunch(input: LaunchInput): Launch {
  const declared = buildDeclaredEnvironment(input);
  const mounts = resolveMounts(input.container, input.volumeDirs, declared);
  const { terminationMessagePath } = input;
  const rewrite = createPathRewriter([
    ...mounts,
    {
      name: "",
      mountPath: input.container.terminationMessagePath || defaultTerminationMessagePath,
      realPath: terminationMessagePath,
    },
  ]);
  const expand = (text: string) => rewrite(expandVariables(text, (name) => declared[name]));
  const mapped = Object.fromEntries(Object.entries(declared).map(([name, value]) => [name, rewrite(value)]));
  const spec: LaunchSpec = {
    argv: buildArgv(input.container, input.image).map(expand),
    env: {
      ...buildBaseEnvironment(input),
      ...buildMountEnvironment(mounts),
      [terminationMessageVariable]: terminationMessagePath,
      ...mapped,
      [rootVariable]: input.rootDir,
    },
    workingDir: rewrite(input.container.workingDir ?? input.image.workingDir ?? input.containerDir),
  };
  return { spec, rewrite, mounts, terminationMessagePath };
}

function buildBaseEnvironment(input: LaunchInput): Environment {
  return {
    ...input.hostEnv,
    ...input.image.env,
    ...input.nodeEnv,
    HOSTNAME: input.pod.metadata.name,
    ...(input.kubeconfigPath === undefined ? {} : { KUBECONFIG: input.kubeconfigPath }),
  };
}

/** `command` replaces the entrypoint, `args` what follows it. An image of this table has no default arguments. */
function buildArgv(container: Container, image: ProcessImage): readonly string[] {
  const command = container.command?.length ? container.command : image.entrypoint;
  return [...command, ...(container.args ?? [])];
}
