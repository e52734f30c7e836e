/**
 * The `$(VAR)` syntax of container commands, arguments and environment values: an unknown name stays as written, and
 * `$$` is an escaped dollar. Pure.
 */
export type VariableLookup = (name: string) => string | undefined;

export function expandVariables(text: string, lookup: VariableLookup): string {
  return text.replace(/\$\$|\$\(([^)]*)\)/g, (whole: string, name: string | undefined) => {
    if (name === undefined) return "$";
    return lookup(name) ?? whole;
  });
}
