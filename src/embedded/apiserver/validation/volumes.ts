/** Volumes of pods, and the mounts of containers. Pure. */

import { compareQuantities } from "../../quantity.ts";
import { asArray, asObject, asString, isObject, type JsonObject } from "../json-value.ts";
import { checkDnsLabel } from "../registry/names.ts";
import { checkFieldRef, checkResourceFieldRef, fileFields } from "./environment.ts";
import { eachItem, Findings } from "./findings.ts";
import { checkFileMode, checkLocalPath, checkNoBacksteps, checkUnreservedPath } from "./names.ts";

/** Valid volumes by name: mounts of others are findings of their own, as in the real server. */
export function checkVolumes(volumes: unknown, path: string, found: Findings): ReadonlyMap<string, JsonObject> {
  const valid = new Map<string, JsonObject>();
  eachItem(volumes, path, (volume, at) => {
    const own = new Findings();
    const name = asString(volume.name);
    checkSource(volume, at, own);
    if (name === "") own.required(`${at}.name`);
    else own.holds(`${at}.name`, name, checkDnsLabel);
    if (valid.has(name)) own.duplicate(`${at}.name`, name);
    found.add(...own.list);
    if (own.list.length === 0) valid.set(name, volume);
  });
  return valid;
}

function checkSource(volume: JsonObject, path: string, found: Findings): void {
  const given = Object.keys(volume).filter((name) => name !== "name" && isObject(volume[name]));
  const [first] = given;
  if (first === undefined) {
    found.required(path, "must specify a volume type");
    return;
  }
  for (const name of given.slice(1)) found.forbidden(`${path}.${name}`, "may not specify more than 1 volume type");
  sourceChecks[first]?.(asObject(volume[first]), `${path}.${first}`, found);
}

type SourceCheck = (source: JsonObject, path: string, found: Findings) => void;

const hostPathTypes = [
  "",
  "BlockDevice",
  "CharDevice",
  "Directory",
  "DirectoryOrCreate",
  "File",
  "FileOrCreate",
  "Socket",
];
const needs =
  (...fields: string[]): SourceCheck =>
  (source, path, found) => {
    for (const field of fields) if (asString(source[field]) === "") found.required(`${path}.${field}`);
  };

const sourceChecks: Readonly<Record<string, SourceCheck>> = {
  configMap: (source, path, found) => checkFiles(source, "name", path, found),
  secret: (source, path, found) => checkFiles(source, "secretName", path, found),
  persistentVolumeClaim: needs("claimName"),
  nfs: (source, path, found) => {
    needs("server", "path")(source, path, found);
    if (asString(source.path) !== "" && !asString(source.path).startsWith("/"))
      found.invalid(`${path}.path`, source.path, "must be an absolute path");
  },
  csi: needs("driver"),
  image: needs("reference"),
  emptyDir: (source, path, found) => {
    if (source.sizeLimit !== undefined && compareQuantities(source.sizeLimit, "0") < 0)
      found.forbidden(`${path}.sizeLimit`, "SizeLimit field must be a valid resource quantity");
  },
  hostPath: (source, path, found) => {
    if (asString(source.path) === "") {
      found.required(`${path}.path`);
      return;
    }
    found.holds(`${path}.path`, asString(source.path), checkNoBacksteps);
    found.optionalOneOf(`${path}.type`, source.type, hostPathTypes);
  },
  downwardAPI: (source, path, found) => {
    checkMode(source.defaultMode, `${path}.defaultMode`, found);
    for (const file of asArray(source.items)) checkDownwardFile(asObject(file), path, found);
  },
  projected: checkProjected,
  ephemeral: (source, path, found) => {
    if (!isObject(source.volumeClaimTemplate)) found.required(`${path}.volumeClaimTemplate`);
  },
};

function checkMode(mode: unknown, path: string, found: Findings): void {
  if (mode !== undefined) found.holds(path, Number(mode), checkFileMode);
}

function checkFiles(source: JsonObject, nameField: string, path: string, found: Findings): void {
  if (asString(source[nameField]) === "") found.required(`${path}.${nameField}`);
  checkMode(source.defaultMode, `${path}.defaultMode`, found);
  checkItems(source.items, `${path}.items`, found);
}

function checkItems(items: unknown, path: string, found: Findings): void {
  eachItem(items, path, (item, at) => {
    if (asString(item.key) === "") found.required(`${at}.key`);
    if (asString(item.path) === "") found.required(`${at}.path`);
    found.holds(`${at}.path`, asString(item.path), checkUnreservedPath);
    checkMode(item.mode, `${at}.mode`, found);
  });
}

function checkDownwardFile(file: JsonObject, path: string, found: Findings): void {
  if (asString(file.path) === "") found.required(`${path}.path`);
  found.holds(`${path}.path`, asString(file.path), checkUnreservedPath);
  if (isObject(file.fieldRef)) {
    checkFieldRef(file.fieldRef, fileFields, `${path}.fieldRef`, found);
    if (isObject(file.resourceFieldRef))
      found.invalid(path, "resource", "fieldRef and resourceFieldRef can not be specified simultaneously");
  } else if (isObject(file.resourceFieldRef)) {
    const at = `${path}.resourceFieldRef`;
    if (asString(file.resourceFieldRef.containerName) === "") found.required(`${at}.containerName`);
    else checkResourceFieldRef(file.resourceFieldRef, at, found);
  } else found.required(path, "one of fieldRef and resourceFieldRef is required");
  checkMode(file.mode, `${path}.mode`, found);
}

function checkProjected(source: JsonObject, path: string, found: Findings): void {
  checkMode(source.defaultMode, `${path}.defaultMode`, found);
  const paths = new Set<string>();
  eachItem(source.sources, `${path}.sources`, (one, at) => {
    const given = Object.keys(one).filter((name) => isObject(one[name]));
    for (const name of ["secret", "configMap"]) {
      if (!isObject(one[name])) continue;
      if (asString(one[name].name) === "") found.required(`${at}.${name}.name`);
      checkItems(one[name].items, `${at}.${name}.items`, found);
      for (const item of asArray(one[name].items)) claimPath(asString(asObject(item).path), one[name].name);
    }
    for (const file of asArray(asObject(one.downwardAPI).items)) {
      checkDownwardFile(asObject(file), `${at}.downwardAPI`, found);
      claimPath(asString(asObject(file).path), asObject(file).path);
    }
    if (isObject(one.serviceAccountToken)) checkToken(one.serviceAccountToken, path, at, found);
    if (given.length > 1) found.forbidden(at, "may not specify more than 1 volume type per source");
  });

  function claimPath(wanted: string, shown: unknown): void {
    if (wanted !== "" && paths.has(wanted)) found.invalid(path, shown, "conflicting duplicate paths");
    paths.add(wanted);
  }
}

function checkToken(token: JsonObject, path: string, at: string, found: Findings): void {
  const seconds = Number(token.expirationSeconds ?? 3600);
  const field = `${at}.serviceAccountToken.expirationSeconds`;
  if (seconds < 600) found.invalid(field, seconds, "may not specify a duration less than 10 minutes");
  if (seconds > 2 ** 32) found.invalid(field, seconds, "may not specify a duration larger than 2^32 seconds");
  if (asString(token.path) === "") found.required(`${path}.path`);
  else found.holds(`${path}.path`, asString(token.path), checkUnreservedPath);
}

const propagations = ["Bidirectional", "HostToContainer", "None"];

export function checkMounts(
  container: JsonObject,
  volumes: ReadonlyMap<string, JsonObject>,
  path: string,
  found: Findings,
): void {
  const seen = new Set<string>();
  const devices = asArray(container.volumeDevices).map(asObject);
  eachItem(container.volumeMounts, path, (mount, at) => {
    const name = asString(mount.name);
    const mountPath = asString(mount.mountPath);
    if (name === "") found.required(`${at}.name`);
    if (!volumes.has(name)) found.notFound(`${at}.name`, name);
    if (mountPath === "") found.required(`${at}.mountPath`);
    if (seen.has(mountPath)) found.invalid(`${at}.mountPath`, mountPath, "must be unique");
    seen.add(mountPath);
    if (devices.some((device) => device.name === name))
      found.invalid(`${at}.name`, name, "must not already exist in volumeDevices");
    for (const field of ["subPath", "subPathExpr"]) {
      const value = asString(mount[field]);
      if (value !== "") found.holds(`${path}.${field}`, value, checkLocalPath);
    }
    if (asString(mount.subPath) !== "" && asString(mount.subPathExpr) !== "")
      found.invalid(`${at}.subPathExpr`, mount.subPathExpr, "subPathExpr and subPath are mutually exclusive");
    checkPropagation(container, mount, path, found);
  });
}

function checkPropagation(container: JsonObject, mount: JsonObject, path: string, found: Findings): void {
  found.optionalOneOf(`${path}.mountPropagation`, mount.mountPropagation, propagations);
  if (mount.mountPropagation !== "Bidirectional" || asObject(container.securityContext).privileged === true) return;
  const why = "Bidirectional mount propagation is available only to privileged containers";
  found.forbidden(`${path}.mountPropagation`, why);
}
