/**
 * The streams of `kubectl exec` and `attach` over one WebSocket, in the protocols v5 and v4.channel.k8s.io: the first
 * byte of a message names its channel. Called by the kubelet's endpoint. Effects: the connection; ends with its process.
 */
import type { Readable, Writable } from "node:stream";
import { describeError } from "../../base/errors.ts";
import { keepArchiveNames } from "./archive-names.ts";
import type { ContainerRun } from "./container-run.ts";
import { type ProcessExit, startProcessGroup } from "./process-group.ts";
import { buildTerminalArgv } from "./pseudo-terminal.ts";
import type { StreamRequest } from "./stream-request.ts";
import type { WebSocket } from "./websocket.ts";

export const streamProtocols = ["v5.channel.k8s.io", "v4.channel.k8s.io"];

const channel = { stdin: 0, stdout: 1, stderr: 2, error: 3, resize: 4, close: 255 } as const;

const maxPendingBytes = 16 * 1024 * 1024;

/** Runs a command inside a container until it ends, or the client has gone. */
export async function serveExec(connection: WebSocket, request: StreamRequest, run: ContainerRun): Promise<void> {
  const { context } = run;
  const { command } = request;
  const plain = keepArchiveNames(command, command.map(context.rewrite), context.mounts);
  const argv = request.tty ? buildTerminalArgv(plain) : plain;
  const launch = { ...context.launch, argv };
  const options = { hasStdin: request.stdin, onSpawn: context.onSpawn };
  let group: Awaited<ReturnType<typeof startProcessGroup>>;
  try {
    group = await startProcessGroup(launch, context.ledger, options);
  } catch (error) {
    context.logger.debug("command could not be executed in a container", { reason: describeError(error) });
    const text = `exec: ${JSON.stringify(argv[0])}: executable file not found in $PATH`;
    return finish(connection, buildFailure(`error executing command in container: ${text}`));
  }
  const kill = () => void group.signal("SIGKILL");
  context.ended.addEventListener("abort", kill, { once: true });
  const gone = new AbortController();
  const reading = pumpInput(connection, group.stdin).finally(() => {
    gone.abort(new Error("the client went away"));
    kill();
  });
  const output = Promise.all([
    pumpOutput(connection, request.stdout ? channel.stdout : undefined, group.stdout, gone.signal),
    pumpOutput(connection, request.stderr ? channel.stderr : undefined, group.stderr, gone.signal),
  ]);
  const exit = await group.exited;
  context.ended.removeEventListener("abort", kill);
  await output;
  await finish(connection, buildOutcome(exit));
  await reading;
}

/** Follows what a container writes from now on, and writes to its input, until it ends or the client has gone. */
export async function serveAttach(connection: WebSocket, request: StreamRequest, run: ContainerRun): Promise<void> {
  const gone = new AbortController();
  const follow = (stream: string, chunk: Buffer) => {
    const isWanted = stream === "stdout" ? request.stdout : request.stderr;
    const name = stream === "stdout" ? channel.stdout : channel.stderr;
    // The container does not wait for whoever watches it: a reader that is too slow is let go.
    if (connection.pendingBytes > maxPendingBytes) connection.close();
    if (isWanted) void connection.send(Buffer.concat([Buffer.from([name]), chunk]), gone.signal);
  };
  run.log.chunks.on("chunk", follow);
  const { stdinOnce } = run.context.container;
  const input = request.stdin ? run.stdin : undefined;
  const reading = pumpInput(connection, input, stdinOnce === true).finally(() => gone.abort(new Error("detached")));
  const ended = run.exited.then(() => undefined);
  await Promise.race([ended, reading]);
  run.log.chunks.off("chunk", follow);
  await finish(connection, success);
  await reading;
}

/** @param mayEnd false for an input that others will write to later */
async function pumpInput(connection: WebSocket, stdin: Writable | undefined, mayEnd = true): Promise<void> {
  for await (const message of connection.messages()) {
    const data = message.subarray(1);
    if (message[0] === channel.stdin && data.length > 0) await write(stdin, data);
    if (message[0] === channel.close && data[0] === channel.stdin && mayEnd) stdin?.end();
  }
  if (mayEnd) stdin?.end();
}

/** A program that has closed its input loses what is still sent. */
async function write(stdin: Writable | undefined, data: Buffer): Promise<void> {
  if (stdin === undefined || stdin.destroyed || stdin.writableEnded) return;
  await new Promise<void>((resolve) => stdin.write(data, () => resolve()));
}

/** Unwanted output is read all the same: a full pipe would stop the program. */
async function pumpOutput(
  connection: WebSocket,
  to: number | undefined,
  source: Readable,
  signal: AbortSignal,
): Promise<void> {
  try {
    for await (const chunk of source) {
      if (to !== undefined) await connection.send(Buffer.concat([Buffer.from([to]), chunk as Buffer]), signal);
    }
  } catch (error) {
    // The pipe is torn when its reader is killed; there is nothing left to send then.
    if (!source.destroyed) throw error;
  }
}

async function finish(connection: WebSocket, status: object): Promise<void> {
  const body = Buffer.from(JSON.stringify(status));
  await connection.send(Buffer.concat([Buffer.from([channel.error]), body]), AbortSignal.timeout(1_000));
  connection.close();
}

const success = { metadata: {}, status: "Success" };

function buildOutcome(exit: ProcessExit): object {
  if (exit.exitCode === 0) return success;
  return {
    metadata: {},
    status: "Failure",
    message: `command terminated with non-zero exit code: exit status ${exit.exitCode}`,
    reason: "NonZeroExitCode",
    details: { causes: [{ reason: "ExitCode", message: String(exit.exitCode) }] },
  };
}

function buildFailure(message: string): object {
  return { metadata: {}, status: "Failure", message, reason: "InternalError", code: 500 };
}
