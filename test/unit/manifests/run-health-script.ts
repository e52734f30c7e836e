/** Runs a health script of Argo CD as Argo CD does: with the object as the global `obj`; what it returns is the health. */
import { lauxlib, lua, lualib, to_jsstring, to_luastring } from "fengari";

export interface Health {
  readonly status: string;
  readonly message: string;
}

type State = ReturnType<typeof lauxlib.luaL_newstate>;

/** @throws where the script does not compile, fails, or returns no table */
export function runHealthScript(script: string, object: object): Health {
  const state = lauxlib.luaL_newstate();
  lualib.luaL_openlibs(state);
  push(state, object);
  lua.lua_setglobal(state, to_luastring("obj"));
  if (lauxlib.luaL_dostring(state, to_luastring(script)) !== 0)
    throw new Error(to_jsstring(lua.lua_tostring(state, -1)));
  const field = (name: string) => {
    lua.lua_getfield(state, -1, to_luastring(name));
    const value = lua.lua_isstring(state, -1) ? to_jsstring(lua.lua_tostring(state, -1)) : "";
    lua.lua_pop(state, 1);
    return value;
  };
  if (!lua.lua_istable(state, -1)) throw new Error("the script returned no table");
  return { status: field("status"), message: field("message") };
}

function push(state: State, value: unknown): void {
  if (typeof value === "string") lua.lua_pushstring(state, to_luastring(value));
  else if (typeof value === "boolean") lua.lua_pushboolean(state, value);
  else if (typeof value === "number") lua.lua_pushnumber(state, value);
  else if (typeof value !== "object" || value === null) lua.lua_pushnil(state);
  else {
    lua.lua_newtable(state);
    for (const [key, one] of Object.entries(value)) {
      if (Array.isArray(value)) lua.lua_pushinteger(state, Number(key) + 1);
      else lua.lua_pushstring(state, to_luastring(key));
      push(state, one);
      lua.lua_settable(state, -3);
    }
  }
}
