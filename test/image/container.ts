/** Containers as the chart's pods are confined: no root, nothing writable but what is named, no capability. For the tests of this folder. */
import { type Engine, findEngine } from "../../image/engine.ts";

export const image = process.env.INFERIUM_IMAGE || undefined;
/** Where the build left its records; none where the image was given. */
export const records = process.env.INFERIUM_IMAGE_RECORDS || undefined;
export const account = 65_532;

export const whyNot = "no image: run npm run test:image, which builds one where containers can run";

/** As `securityContext` of charts/inferium/templates/_pods.tpl has it. Limits that a confined machine can give. */
const confinement = [
  ...["--network", "host", "--user", `${account}:${account}`],
  ...["--read-only", "--read-only-tmpfs=false", "--cap-drop", "all", "--security-opt", "no-new-privileges"],
  ...["--ulimit", "nofile=2048:2048", "--ulimit", "nproc=4096:4096"],
];

export interface ContainerOptions {
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Host folder by its path inside, which is read-only there. */
  readonly mounts?: Readonly<Record<string, string>>;
  /** A path inside that may be written, in memory. */
  readonly writable?: string;
  readonly entrypoint?: string;
}

let engine: Engine | undefined;
export function theEngine(): Engine {
  engine ??= findEngine();
  return engine;
}

function buildArguments({ args, env = {}, mounts = {}, writable, entrypoint }: ContainerOptions): string[] {
  return [
    ...confinement,
    ...Object.entries(env).flatMap(([name, value]) => ["--env", `${name}=${value}`]),
    ...Object.entries(mounts).flatMap(([path, folder]) => ["--volume", `${folder}:${path}:ro`]),
    ...(writable === undefined ? [] : ["--tmpfs", `${writable}:rw,noexec,nosuid,nodev,mode=1777`]),
    ...(entrypoint === undefined ? [] : ["--entrypoint", entrypoint]),
    image ?? "",
    ...args,
  ];
}

/** Until it ends. @throws Error with what it printed, where it ends with another status than 0 */
export function runContainer(options: ContainerOptions): string {
  return theEngine().run(["run", "--rm", ...buildArguments(options)]);
}

export class Container {
  readonly #id: string;
  readonly role: string;

  private constructor(id: string, role: string) {
    this.#id = id;
    this.role = role;
  }

  /** Without blocking: what it talks to may be a server of this process. */
  static async start(options: ContainerOptions): Promise<Container> {
    const id = await theEngine().runBeside(["run", "--detach", ...buildArguments(options)]);
    return new Container(id.trim(), options.args.join(" "));
  }

  logs(): Promise<string> {
    return theEngine().runBeside(["logs", this.#id], { both: true });
  }

  /** As a kubelet does: a signal, and some time. @returns its exit status */
  async stop(): Promise<number> {
    const engine = theEngine();
    await engine.runBeside(["stop", "--time", "30", this.#id]);
    const [state] = JSON.parse(await engine.runBeside(["inspect", this.#id])) as [{ State: { ExitCode: number } }];
    await engine.runBeside(["rm", "--force", this.#id]);
    return state.State.ExitCode;
  }
}
