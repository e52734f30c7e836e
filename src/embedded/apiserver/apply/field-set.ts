/**
 * Sets of field paths, as trees that read and write the `fieldsV1` form of managed fields. Path elements are kept in
 * that form: `f:name`, `k:{"key":"value"}`, `v:"set member"`. Immutable: operations return new sets.
 */
import { isObject, type JsonObject } from "../json-value.ts";
import type { Schema } from "../schema/schema.ts";
import { childOf, itemSchemaOf } from "./type-shape.ts";

export class FieldSet {
  /** Whether the path up to here is itself in the set. Nothing owns a whole object, so a root never is. */
  readonly member: boolean;
  readonly children: ReadonlyMap<string, FieldSet>;

  constructor(member: boolean, children: ReadonlyMap<string, FieldSet> = noChildren) {
    this.member = member;
    this.children = children;
  }

  get isEmpty(): boolean {
    return !this.member && this.children.size === 0;
  }

  union(other: FieldSet): FieldSet {
    if (other.isEmpty || this === other) return this;
    if (this.isEmpty) return other;
    const children = new Map(this.children);
    let isChanged = other.member && !this.member;
    for (const [element, child] of other.children) {
      const mine = children.get(element);
      const both = mine?.union(child) ?? child;
      isChanged ||= both !== mine;
      children.set(element, both);
    }
    if (!isChanged) return this;
    return new FieldSet(this.member || other.member, children);
  }

  /** A member goes when it is a member there; what is below it goes by its own. */
  difference(other: FieldSet): FieldSet {
    if (other.isEmpty || this.isEmpty) return this;
    return this.#combine(
      other,
      (mine, theirs) => mine && !theirs,
      (child, theirs) => (theirs === undefined ? child : child.difference(theirs)),
    );
  }

  intersection(other: FieldSet): FieldSet {
    if (this.isEmpty || other.isEmpty) return emptySet;
    return this.#combine(
      other,
      (mine, theirs) => mine && theirs,
      (child, theirs) => (theirs === undefined ? emptySet : child.intersection(theirs)),
    );
  }

  /** Without every path at or below a member of `other`. */
  withoutSubtrees(other: FieldSet): FieldSet {
    if (other.member) return emptySet;
    if (other.isEmpty || this.isEmpty) return this;
    return this.#combine(
      other,
      (mine) => mine,
      (child, theirs) => (theirs === undefined ? child : child.withoutSubtrees(theirs)),
    );
  }

  /** Every struct field on the way to a member becomes a member too; keys of maps and list items do not. */
  withNamedFields(schema: Schema): FieldSet {
    const children = new Map<string, FieldSet>();
    for (const [element, child] of this.children) {
      const next = element.startsWith("f:") ? childOf(schema, element.slice(2)) : undefined;
      const below = element.startsWith("f:") ? (next?.schema ?? {}) : itemSchemaOf(schema);
      const named = child.withNamedFields(below);
      children.set(element, next?.named === true && !named.member ? new FieldSet(true, named.children) : named);
    }
    return new FieldSet(this.member, children);
  }

  #combine(
    other: FieldSet,
    member: (mine: boolean, theirs: boolean) => boolean,
    child: (mine: FieldSet, theirs: FieldSet | undefined) => FieldSet,
  ): FieldSet {
    const children = new Map<string, FieldSet>();
    const isMember = member(this.member, other.member);
    let isChanged = isMember !== this.member;
    for (const [element, mine] of this.children) {
      const kept = child(mine, other.children.get(element));
      isChanged ||= kept !== mine;
      if (!kept.isEmpty) children.set(element, kept);
    }
    if (!isChanged) return this;
    return isMember || children.size > 0 ? new FieldSet(isMember, children) : emptySet;
  }

  equals(other: FieldSet): boolean {
    if (this.member !== other.member || this.children.size !== other.children.size) return false;
    for (const [element, child] of this.children) {
      const theirs = other.children.get(element);
      if (theirs === undefined || !child.equals(theirs)) return false;
    }
    return true;
  }

  /** Every member path as a list of elements: at each level members first, then what is below. */
  *paths(prefix: readonly string[] = []): Generator<readonly string[]> {
    const children = sortedChildren(this);
    for (const [element, child] of children) if (child.member) yield [...prefix, element];
    for (const [element, child] of children) yield* child.paths([...prefix, element]);
  }

  toJson(): JsonObject {
    const result: JsonObject = {};
    if (this.member && this.children.size > 0) result["."] = {};
    for (const [element, child] of sortedChildren(this)) result[element] = child.toJson();
    return result;
  }
}

const noChildren: ReadonlyMap<string, FieldSet> = new Map();

export const emptySet = new FieldSet(false);
export const leafSet = new FieldSet(true);

function sortedChildren(set: FieldSet): (readonly [string, FieldSet])[] {
  return [...set.children].sort(([a], [b]) => (a < b ? -1 : 1));
}

export function fieldSetFromJson(json: unknown, isRoot = true): FieldSet {
  if (!isObject(json)) return emptySet;
  const children = new Map<string, FieldSet>();
  for (const [element, child] of Object.entries(json))
    if (element !== ".") children.set(element, fieldSetFromJson(child, false));
  const member = !isRoot && (Object.hasOwn(json, ".") || children.size === 0);
  return new FieldSet(member, children);
}

/** A set of one path and no more. */
export function pathSet(path: readonly string[]): FieldSet {
  return path.reduceRight((below, name) => new FieldSet(false, new Map([[`f:${name}`, below]])), leafSet);
}

export function unionAll(sets: readonly FieldSet[]): FieldSet {
  return sets.reduce((all, set) => all.union(set), emptySet);
}

/** A path as conflict messages show it: `.spec.containers[name="web"].image`. */
export function formatPath(path: readonly string[]): string {
  return path.map(formatElement).join("");
}

export function formatElement(element: string): string {
  if (element.startsWith("f:")) return `.${element.slice(2)}`;
  if (element.startsWith("v:")) return `[=${element.slice(2)}]`;
  const key = JSON.parse(element.slice(2)) as JsonObject;
  return `[${Object.entries(key)
    .map(([name, value]) => `${name}=${JSON.stringify(value)}`)
    .join(",")}]`;
}
