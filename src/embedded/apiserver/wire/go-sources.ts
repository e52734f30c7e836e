/**
 * Reads the Go API sources (modules k8s.io/api, k8s.io/apimachinery, ...): structs with their fields, tags and markers,
 * and what a type name in one package means. For the generators of `messages.json` and `list-semantics.json`.
 */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

export interface GoStruct {
  /** `+marker=value` lines above the type. */
  readonly markers: readonly string[];
  readonly body: string;
}

export interface GoPackage {
  readonly path: string;
  readonly structs: ReadonlyMap<string, GoStruct>;
  readonly aliases: ReadonlyMap<string, string>;
  readonly imports: ReadonlyMap<string, string>;
}

export interface GoField {
  readonly goType: string;
  /** The JSON tag, options included; empty where there is none. */
  readonly json: string;
  readonly tag: string;
  readonly markers: readonly string[];
}

/** A type without its pointer, list or map: `flags` say which (p, r, m). */
export interface ResolvedType {
  readonly type: string;
  readonly flags: string;
}

const scalars: Readonly<Record<string, string>> = {
  string: "string",
  bool: "bool",
  int: "int",
  int32: "int",
  int64: "int",
  uint8: "int",
  float64: "double",
  "[]byte": "bytes",
};

/** Types with a serialised form of their own, which the decoder knows. */
const wellKnown: Readonly<Record<string, string>> = {
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
  "k8s.io/api/certificates/v1.ExtraValue": "StringList",
};

export class GoSources {
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
    // The imports of types.go count: other files may give an alias another meaning.
    const files = readdirSync(folder).filter((name) => name.endsWith(".go") && !name.includes("generated"));
    files.sort((a, b) => Number(a === "types.go") - Number(b === "types.go"));
    const text = files.map((name) => readFileSync(join(folder, name), "utf8")).join("\n");
    const result = parsePackage(path, text);
    this.#packages.set(path, result);
    return result;
  }

  /** The struct behind a full name as `k8s.io/api/core/v1.Pod`, with its package. */
  struct(id: string): { readonly home: GoPackage; readonly struct: GoStruct | undefined } {
    const dot = id.lastIndexOf(".");
    const home = this.package(id.slice(0, dot));
    return { home, struct: home.structs.get(id.slice(dot + 1)) };
  }

  resolve(goType: string, from: GoPackage): ResolvedType {
    if (goType.startsWith("*")) {
      const target = this.resolve(goType.slice(1), from);
      return { type: target.type, flags: `${target.flags}p` };
    }
    if (scalars[goType] !== undefined) return { type: scalars[goType], flags: "" };
    if (goType.startsWith("[]")) return { type: this.resolve(goType.slice(2), from).type, flags: "r" };
    const map = /^map\[\w+(?:\.\w+)?\](.+)$/.exec(goType);
    if (map !== null) return { type: this.resolve(map[1] ?? "", from).type, flags: "m" };
    return this.#resolveNamed(goType, from);
  }

  #resolveNamed(goType: string, from: GoPackage): ResolvedType {
    const [left = "", right] = goType.split(".");
    const path = right === undefined ? from.path : from.imports.get(left);
    if (path === undefined) throw new Error(`unknown import ${left} in ${from.path}`);
    const name = right ?? left;
    const known = wellKnown[`${path}.${name}`];
    if (known !== undefined) return { type: known, flags: "" };
    const home = this.package(path);
    if (home.structs.has(name)) return { type: `${path}.${name}`, flags: "" };
    const alias = home.aliases.get(name);
    if (alias === undefined) throw new Error(`unknown type ${name} in ${path}`);
    return this.resolve(alias, home);
  }
}

function parsePackage(path: string, text: string): GoPackage {
  const structs = new Map<string, GoStruct>();
  const aliases = new Map<string, string>();
  const imports = new Map<string, string>();
  for (const [, comment = "", name = "", body = ""] of text.matchAll(
    /((?:^\/\/.*\n)*)^type (\w+) struct ?\{(?:\n([\s\S]*?)^)?\}/gm,
  ))
    structs.set(name, { markers: markersOf(comment), body });
  for (const [, name = "", target = ""] of text.matchAll(/^(?:type|\t)\s*(\w+) ((?:\[\]|map\[\w+\])*[\w.]+)$/gm))
    aliases.set(name, target);
  for (const [, alias, target = ""] of text.matchAll(/^\t(?:(\w+) )?"(k8s\.io\/[^"]+)"$/gm)) {
    imports.set(alias ?? target.split("/").at(-1) ?? "", target);
  }
  return { path, structs, aliases, imports };
}

function markersOf(comment: string): string[] {
  return [...comment.matchAll(/^\s*\/\/\s*\+(\S+)/gm)].map(([, marker = ""]) => marker);
}

const fieldLine = /^((?:\s*\/\/.*\n|\s*\n)*)\s*(?:(\w+)\s+)?([*\w.[\]]+)[ \t]*(?:`([^`]*)`)?.*$/gm;

/** The fields of a struct in their order. */
export function goFields(struct: GoStruct): GoField[] {
  const fields: GoField[] = [];
  for (const [, comment = "", , goType = "", tag = ""] of struct.body.matchAll(fieldLine)) {
    const json = /json:"([^"]*)"/.exec(tag)?.[1] ?? "";
    if (tag !== "") fields.push({ goType, json, tag, markers: markersOf(comment) });
  }
  return fields;
}
