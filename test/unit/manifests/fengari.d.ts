/** The part of fengari that the tests use; the package declares nothing. */
declare module "fengari" {
  type State = { readonly state: unique symbol };
  type LuaString = Uint8Array;
  export function to_luastring(text: string): LuaString;
  export function to_jsstring(text: LuaString): string;
  export const lauxlib: {
    luaL_newstate(): State;
    luaL_dostring(state: State, script: LuaString): number;
  };
  export const lualib: { luaL_openlibs(state: State): void };
  export const lua: {
    lua_pushstring(state: State, text: LuaString): void;
    lua_pushboolean(state: State, value: boolean): void;
    lua_pushnumber(state: State, value: number): void;
    lua_pushinteger(state: State, value: number): void;
    lua_pushnil(state: State): void;
    lua_newtable(state: State): void;
    lua_settable(state: State, index: number): void;
    lua_setglobal(state: State, name: LuaString): void;
    lua_getfield(state: State, index: number, name: LuaString): void;
    lua_isstring(state: State, index: number): boolean;
    lua_istable(state: State, index: number): boolean;
    lua_tostring(state: State, index: number): LuaString;
    lua_pop(state: State, count: number): void;
  };
}
