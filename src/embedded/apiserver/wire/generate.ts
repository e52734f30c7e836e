/**
 * Writes `messages.json`: the protobuf field numbers of the built-in kinds, read from the struct tags of the Go API
 * sources (modules k8s.io/api and k8s.io/apimachinery, v0.36.0). kubectl 1.32 and later send the bodies of some
 * commands as protobuf only.
 * Run: `node src/embedded/apiserver/wire/generate.ts SOURCES`, where SOURCES/k8s.io/... holds both modules.
 * Effects: one file.
 */
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { wireRoots } from "./wire-roots.ts";

type Field = [name: string, type: string, flags: string];

interface GoPackage {
  readonly path: string;
  readonly structs: Map<string, string>;
  readonly aliases: Map<string, string>;
  readonly imports: Map<string, string>;
}

const scalars: Record<string, string> = {
  string: "string",
  bool: "bool",
  int: "int",
  int32: "int",
  int64: "int",
  float64: "double",
  "[]byte": "bytes",
};

/** Types with a serialised form of their own, which the decoder knows. */
const wellKnown: Record<string, string> = {
  "k8s.io/apimachinery/pkg/apis/meta/v1.Time": "Time",
  "k8s.io/apimachinery/pkg/apis/meta/v1.MicroTime": "MicroTime",
  "k8s.io/apimachinery/pkg/apis/meta/v1.Duration": "Duration",
  "k8s.io/apimachinery/pkg/apis/meta/v1.FieldsV1": "RawJson",
  "k8s.io/apimachinery/pkg/runtime.RawExtension": "RawJson",
  "k8s.io/apimachinery/pkg/api/resource.Quantity": "Quantity",
  "k8s.io/apimachinery/pkg/util/intstr.IntOrString": "IntOrString",
  "k8s.io/apimachinery/pkg/types.UID": "string",
  "k8s.io/apimachinery/pkg/types.NodeName": "string",
  "k8s.io/api/authentication/v1.ExtraValue": "StringList",
  "k8s.io/api/authorization/v1.ExtraValue": "StringList",
};

class Sources {
  readonly #root: string;
  readonly #packages = new Map<string, GoPackage>();

  constructor(root: string) {
    this.#root = root;
  }

  package(path: string): GoPackage {
    const known = this.#packages.get(path);
    if (known !== undefined) return known;
    const folder = join(this.#root, path);
    if (!existsSync(folder))
      throw new Error(`${folder} is missing; give the folder that holds k8s.io/api and k8s.io/apimachinery`);
    const files = readdirSync(folder).filter((name) => name.endsWith(".go"));
    const text = files.map((name) => readFileSync(join(folder, name), "utf8")).join("\n");
    const result = parsePackage(path, text);
    this.#packages.set(path, result);
    return result;
  }
}

function parsePackage(path: string, text: string): GoPackage {
  const structs = new Map<string, string>();
  const aliases = new Map<string, string>();
  const imports = new Map<string, string>();
  for (const [, name = "", body = ""] of text.matchAll(/^type (\w+) struct \{\n([\s\S]*?)^\}/gm))
    structs.set(name, body);
  for (const [, name = "", target = ""] of text.matchAll(/^(?:type|\t)\s*(\w+) ((?:\[\]|map\[\w+\])?[\w.]+)$/gm))
    aliases.set(name, target);
  for (const [, alias, target = ""] of text.matchAll(/^\t(?:(\w+) )?"(k8s\.io\/[^"]+)"$/gm)) {
    imports.set(alias ?? target.split("/").at(-1) ?? "", target);
  }
  return { path, structs, aliases, imports };
}

interface Resolved {
  readonly type: string;
  readonly flags: string;
}

function resolve(goType: string, from: GoPackage, sources: Sources): Resolved {
  if (goType.startsWith("*")) {
    const target = resolve(goType.slice(1), from, sources);
    return { type: target.type, flags: `${target.flags}p` };
  }
  if (scalars[goType] !== undefined) return { type: scalars[goType], flags: "" };
  if (goType.startsWith("[]")) return { type: resolve(goType.slice(2), from, sources).type, flags: "r" };
  const map = /^map\[\w+(?:\.\w+)?\](.+)$/.exec(goType);
  if (map !== null) return { type: resolve(map[1] ?? "", from, sources).type, flags: "m" };
  return resolveNamed(goType, from, sources);
}

function resolveNamed(goType: string, from: GoPackage, sources: Sources): Resolved {
  const [left = "", right] = goType.split(".");
  const path = right === undefined ? from.path : from.imports.get(left);
  if (path === undefined) throw new Error(`unknown import ${left} in ${from.path}`);
  const name = right ?? left;
  const known = wellKnown[`${path}.${name}`];
  if (known !== undefined) return { type: known, flags: "" };
  const home = sources.package(path);
  if (home.structs.has(name)) return { type: `${path}.${name}`, flags: "" };
  const alias = home.aliases.get(name);
  if (alias === undefined) throw new Error(`unknown type ${name} in ${path}`);
  return resolve(alias, home, sources);
}

const fieldLine = /^\s*(?:(\w+)\s+)?([*\w.[\]]+)\s+`json:"([^"]*)"[^`\n]*? protobuf:"(?:\w+),(\d+),[^"]*"/gm;

function readMessage(id: string, sources: Sources): Record<string, Field> {
  const dot = id.lastIndexOf(".");
  const home = sources.package(id.slice(0, dot));
  const body = home.structs.get(id.slice(dot + 1)) ?? "";
  const fields: Record<string, Field> = {};
  for (const [, , goType = "", json = "", number = ""] of body.matchAll(fieldLine)) {
    const { type, flags } = resolve(goType, home, sources);
    const [name = ""] = json.split(",");
    fields[number] = [name, type, json.includes(",inline") ? `${flags}i` : flags];
  }
  return fields;
}

function generate(root: string): Record<string, Record<string, Field>> {
  const sources = new Sources(root);
  const pending = new Set<string>(Object.values(wireRoots));
  const messages: Record<string, Record<string, Field>> = {};
  for (const id of pending) {
    messages[id] = readMessage(id, sources);
    for (const [, type] of Object.values(messages[id])) if (type.includes("/")) pending.add(type);
  }
  return Object.fromEntries(Object.entries(messages).sort(([a], [b]) => (a < b ? -1 : 1)));
}

if (import.meta.main) {
  const [root] = process.argv.slice(2);
  if (root === undefined) throw new Error("usage: generate.ts SOURCES");
  const lines = Object.entries(generate(root)).map(([id, fields]) => `${JSON.stringify(id)}:${JSON.stringify(fields)}`);
  writeFileSync(new URL("./messages.json", import.meta.url), `{\n${lines.join(",\n")}\n}\n`);
}
