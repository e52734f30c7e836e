/** Who is asking: bearer tokens only. A client that shows none is anonymous, one that shows a wrong one is refused. */

import { createHash } from "node:crypto";
import type { IncomingMessage } from "node:http";
import { anonymousUser, type UserInfo } from "../authorization/user-info.ts";
import { unauthorized } from "../status.ts";

export interface StaticToken {
  readonly token: string;
  readonly user: string;
  readonly groups?: readonly string[];
}

/** Checks tokens that are not in the static list; service account tokens. */
export type TokenVerifier = (token: string) => Promise<UserInfo | undefined>;

export class Authenticator {
  /** By digest, so that looking a token up leaks nothing by timing. */
  readonly #tokens = new Map<string, UserInfo>();
  readonly #verify: TokenVerifier;

  constructor(tokens: readonly StaticToken[], verify: TokenVerifier) {
    this.#verify = verify;
    for (const { token, user, groups } of tokens) {
      this.#tokens.set(digest(token), { username: user, groups: [...(groups ?? []), "system:authenticated"] });
    }
  }

  async authenticate(request: IncomingMessage): Promise<UserInfo> {
    const header = request.headers.authorization;
    if (header === undefined) return anonymousUser;
    const token = /^bearer +(\S+)$/i.exec(header.trim())?.[1];
    const user = token === undefined ? undefined : await this.identify(token);
    if (user === undefined) throw unauthorized();
    return user;
  }

  async identify(token: string): Promise<UserInfo | undefined> {
    return this.#tokens.get(digest(token)) ?? (await this.#verify(token));
  }
}

function digest(token: string): string {
  return createHash("sha256").update(token).digest("base64");
}
