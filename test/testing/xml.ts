export interface Element {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly children: Element[];
  text: string;
}

const ENTITIES: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

function decoded(text: string): string {
  if (/[<]/.test(text)) throw new Error(`"<" in ${text}`);
  return text.replace(/&(?:#(\d+)|(\w+));|&/g, (whole, code: string | undefined, name: string | undefined) => {
    const c = code === undefined ? ENTITIES[name ?? ''] : String.fromCodePoint(Number(code));
    if (c === undefined) throw new Error(`no entity: ${whole} in ${text}`);
    return c;
  });
}

/** Reads an XML 1.0 document of elements and text; throws where it is not well-formed. */
export function parseXml(text: string): Element {
  for (const c of text) {
    const n = c.codePointAt(0) as number;
    if (!(n === 9 || n === 10 || n === 13 || (n >= 0x20 && n <= 0xd7ff) || (n >= 0xe000 && n <= 0xfffd) || n >= 0x10000)) throw new Error(`character ${n}`);
  }
  const head = /^<\?xml version="1\.0" encoding="UTF-8"\?>\n/.exec(text);
  if (head === null) throw new Error('no declaration');
  const top: Element = { name: '', attributes: {}, children: [], text: '' };
  const open = [top];
  const tag = /<(\/?)([A-Za-z]+)((?:\s+[A-Za-z]+="[^"]*")*)\s*(\/?)>/y;
  let p = head[0].length;
  while (p < text.length) {
    const at = open.at(-1) as Element;
    if (text[p] !== '<') {
      const end = text.indexOf('<', p);
      at.text += decoded(text.slice(p, end < 0 ? undefined : end));
      p = end < 0 ? text.length : end;
      continue;
    }
    tag.lastIndex = p;
    const m = tag.exec(text);
    if (m === null) throw new Error(`no tag: ${text.slice(p, p + 80)}`);
    const [whole, closing, name, list, empty] = m as unknown as [string, string, string, string, string];
    p += whole.length;
    if (closing === '/') {
      if (open.length < 2 || at.name !== name) throw new Error(`</${name}> closes <${at.name}>`);
      open.pop();
      continue;
    }
    const attributes: Record<string, string> = {};
    for (const [, key, value] of list.matchAll(/([A-Za-z]+)="([^"]*)"/g) as Iterable<[string, string, string]>) {
      if (key in attributes) throw new Error(`${key} twice`);
      attributes[key] = decoded(value);
    }
    const element: Element = { name, attributes, children: [], text: '' };
    at.children.push(element);
    if (empty !== '/') open.push(element);
  }
  if (open.length !== 1 || top.children.length !== 1 || top.text.trim() !== '') throw new Error('not one element');
  return top.children[0] as Element;
}
