/** Who a request comes from, as authentication found it or as an impersonation says. */
export interface UserInfo {
  readonly username: string;
  readonly uid?: string;
  readonly groups: readonly string[];
  readonly extra?: Readonly<Record<string, readonly string[]>>;
}

/** Members may do everything; no rule is asked. */
export const privilegedGroup = "system:masters";
export const authenticatedGroup = "system:authenticated";
export const unauthenticatedGroup = "system:unauthenticated";

export const anonymousUser: UserInfo = { username: "system:anonymous", groups: [unauthenticatedGroup] };

/** The server itself: its controllers and what it creates at its start. */
export const serverUser: UserInfo = { username: "system:apiserver", groups: [privilegedGroup, authenticatedGroup] };

export const isPrivileged = (user: UserInfo): boolean => user.groups.includes(privilegedGroup);
