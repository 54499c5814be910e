import type { Method, Route } from './call.ts';
import { notFound, Refusal } from './refusal.ts';

export interface Found {
  readonly route: Route;
  readonly params: ReadonlyMap<string, string>;
}

/** Finds the route of a request. */
export class Router {
  readonly #routes: readonly { readonly route: Route; readonly parts: readonly string[] }[];

  constructor(routes: readonly Route[]) { this.#routes = routes.map(route => ({ route, parts: route.path.split('/') })); }

  /** `path`: as it came, escaped. Throws 404 and 405. */
  find(method: string, path: string): Found {
    const parts = path.split('/').map(unescaped);
    const found = this.#routes.flatMap(({ route, parts: wanted }) => {
      const params = matched(wanted, parts);
      return params === null ? [] : [{ route, params }];
    });
    if (found.length === 0) throw notFound('there is nothing at this path', 'GET /api/v1/schemas lists what there is');
    const wanted: string = method === 'HEAD' ? 'GET' : method;
    const of = found.find(f => f.route.method === wanted);
    if (of === undefined) throw new NoMethod(found.map(f => f.route.method));
    return of;
  }
}

/** 405 with the methods that there are. */
export class NoMethod extends Refusal {
  readonly allow: string;

  constructor(methods: readonly Method[]) {
    super(405, 'user.usage.not_allowed', `this path takes ${methods.join(' and ')} only`);
    this.allow = [...new Set(methods.flatMap(m => (m === 'GET' ? ['GET', 'HEAD'] : [m])))].join(', ');
  }
}

function matched(wanted: readonly string[], parts: readonly (string | null)[]): Map<string, string> | null {
  if (wanted.length !== parts.length) return null;
  const params = new Map<string, string>();
  for (const [i, w] of wanted.entries()) {
    const part = parts[i];
    if (part === null || part === undefined) return null;
    if (w.startsWith(':') && part !== '') params.set(w.slice(1), part);
    else if (w !== part) return null;
  }
  return params;
}

/** null where it is no text. */
function unescaped(part: string): string | null {
  try {
    return decodeURIComponent(part);
  } catch {
    return null;
  }
}
