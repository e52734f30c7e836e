/** What secrets of the well-known types must hold. Pure. */
import { asObject, isObject } from "../json-value.ts";
import type { KubeObject } from "../object.ts";
import type { Findings } from "./findings.ts";

const accountAnnotation = "kubernetes.io/service-account.name";

export function checkSecretType(secret: KubeObject, found: Findings): void {
  const data = asObject(secret.data);
  const need = (...keys: string[]) => {
    for (const key of keys) if (data[key] === undefined) found.required(`data[${key}]`);
  };
  switch (secret.type) {
    case "kubernetes.io/service-account-token":
      if (!secret.metadata.annotations?.[accountAnnotation])
        found.required(`metadata.annotations[${accountAnnotation}]`);
      break;
    case "kubernetes.io/dockercfg":
      checkJson(data, ".dockercfg", found);
      break;
    case "kubernetes.io/dockerconfigjson":
      checkJson(data, ".dockerconfigjson", found);
      break;
    case "kubernetes.io/basic-auth":
      if (data.username === undefined && data.password === undefined) need("username", "password");
      break;
    case "kubernetes.io/ssh-auth":
      if (!data["ssh-privatekey"]) found.required("data[ssh-privatekey]");
      break;
    case "kubernetes.io/tls":
      need("tls.crt", "tls.key");
      break;
  }
}

function checkJson(data: Readonly<Record<string, unknown>>, key: string, found: Findings): void {
  if (data[key] === undefined) {
    found.required(`data[${key}]`);
    return;
  }
  const text = Buffer.from(String(data[key]), "base64").toString("utf8");
  if (!isJsonObject(text)) {
    const why = `invalid character '${text.trim()[0] ?? ""}' looking for beginning of value`;
    found.invalid(`data[${key}]`, "<secret contents redacted>", why);
  }
}

function isJsonObject(text: string): boolean {
  try {
    return isObject(JSON.parse(text));
  } catch {
    return false;
  }
}
