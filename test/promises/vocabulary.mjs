/*
 * What generated code may consist of: numbers, names that pipe makes up (v0, k12), and these words. No text, name or literal of a user is
 * among them, whatever a pipeline says; so each token of generated code is looked at.
 */
const WORDS = new Set(`
  Infinity Math NaN aggregate anyNull at b batch begin blanks boolean break buf bytes c capacity case catch cells closed clz32 cols column const
  continue count d default dirty do e else emit encode end ends error f failed false fast filtered find floor for fr from function g get getFloat64
  getInt32 h hash high host i if imul instanceof isUtf8 k kb ke key keyText kh kn ks kt kw late latin1Slice length let lo low m n named nonAscii null
  nullGroup nulls number o octets order out outNulls p pane plain pos put q read reserve return row rows s safe scan setFloat64 setInt32 size skip
  skipper st stage start starts state string switch t text throw to toUpperCase touch true try typeof v value view w we while wide wm wn ws x y z
`.trim().split(/\s+/));

const TOKEN = /\s+|(?<name>[A-Za-z_$][\w$]*)|(?<number>0x[0-9a-f]+|\d+(?:\.\d+)?(?:e[+-]?\d+)?)|(?<text>'[^'\\\n]*'|"[^"\\\n]*")|(?<op>[{}()[\];,.:?!~<>=+\-*/%&|^])/gy;
const MADE = /^[a-z]{1,2}\d{1,5}$/;
const SEEN = /^seen\d{1,2}$/;
const TEXTS = new Set(["''", '"use strict"', "'number'", "'TRUE'", "'FALSE'"]);

/** Tokens of a generated source that are not in the list. */
export function foreignTokens(source) {
  const found = [];
  TOKEN.lastIndex = 0;
  for (let at = 0; at < source.length; at = TOKEN.lastIndex) {
    TOKEN.lastIndex = at;
    const m = TOKEN.exec(source);
    if (m === null) return [...found, source.slice(at, at + 40)];
    const { name, text } = m.groups;
    if (name !== undefined && !WORDS.has(name) && !MADE.test(name) && !SEEN.test(name)) found.push(name);
    if (text !== undefined && !TEXTS.has(text)) found.push(text);
  }
  return found;
}

/** Every source from which code is made while `work` runs: Function is the only way, and the engine has one place that calls it. */
export function recordingSources(work) {
  const { Function: real } = globalThis;
  const sources = [];
  globalThis.Function = new Proxy(real, { construct(target, args) { if (args.length > 1) sources.push(args.at(-1)); return Reflect.construct(target, args); } });
  try {
    work();
  } finally {
    globalThis.Function = real;
  }
  return sources;
}
