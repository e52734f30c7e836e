/**
 * The entry of this node in a file of the pool's members, as variables: the agents of a DaemonSet share one environment,
 * and what differs from node to node is in the file. Read by config.ts. Effects: reads the file.
 */
import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { describeError, InferiumError } from "../base/errors.ts";

const variableOf = {
  name: "INFERIUM_WORKERNODE_NAME",
  address: "INFERIUM_ADDRESS",
  keyFile: "INFERIUM_KEY_FILE",
  role: "INFERIUM_ROLE",
  mode: "INFERIUM_EXECUTOR",
  owner: "INFERIUM_OWNER",
  slots: "INFERIUM_SLOTS",
} as const;

export interface MemberFile {
  readonly path: string | undefined;
  readonly nodeName: string | undefined;
  /** Folder that relative key files are in; default: the one that the process runs in. */
  readonly keysDir: string | undefined;
}

/** Nothing where no file is named. @throws InferiumError InvalidConfig */
export async function readMember(file: MemberFile): Promise<Readonly<Record<string, string>>> {
  const { path = "", nodeName = "", keysDir = "" } = file;
  if (path === "") return {};
  const members = await readMembers(path);
  const member = members[nodeName];
  if (typeof member === "object" && member !== null) {
    const variables = toVariables(path, nodeName, member);
    const { INFERIUM_KEY_FILE: keyFile } = variables;
    return keyFile === undefined ? variables : { ...variables, INFERIUM_KEY_FILE: resolve(keysDir, keyFile) };
  }
  const known = Object.keys(members).join(", ") || "none";
  throw invalid(`INFERIUM_MEMBERS_FILE ${path} has no member on node "${nodeName}"; it has: ${known}`);
}

async function readMembers(path: string): Promise<Record<string, unknown>> {
  try {
    const given: unknown = JSON.parse(await readFile(path, "utf8"));
    if (typeof given === "object" && given !== null && !Array.isArray(given)) return given as Record<string, unknown>;
    throw new Error("expected an object with the name of a node for each key");
  } catch (error) {
    throw invalid(`INFERIUM_MEMBERS_FILE names ${path}, which cannot be used: ${describeError(error)}`);
  }
}

function toVariables(path: string, nodeName: string, member: object): Record<string, string> {
  const entries = Object.entries(member).map(([field, value]) => {
    const variable = variableOf[field as keyof typeof variableOf];
    if (variable === undefined) {
      const expected = Object.keys(variableOf).join(", ");
      throw invalid(`INFERIUM_MEMBERS_FILE ${path}: node "${nodeName}" has "${field}"; expected ${expected}`);
    }
    return [variable, String(value)];
  });
  return Object.fromEntries(entries);
}

function invalid(message: string): InferiumError {
  return new InferiumError("InvalidConfig", `${message}.`, { disposition: "fatal" });
}
