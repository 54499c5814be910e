import { ApiError, request } from './api.ts';

export type Connection = 'connecting' | 'open' | 'lost';

/** Longer than the server is ever silent: it sends a comment each 15 s. */
const SILENCE_MS = 40_000;
const WAITS_MS = [500, 1000, 2000, 5000];

interface Handlers {
  /** `data` is the parsed JSON of an event. */
  readonly event: (name: string, data: unknown) => void;
  readonly state?: (state: Connection) => void;
  /** What the server refuses; there is no further try. */
  readonly refused?: (error: ApiError) => void;
}

/** Reads server-sent events until the returned function is called; a lost connection is tried again. By fetch, as EventSource sends no headers. */
export function listen(path: string, { event, state, refused }: Handlers): () => void {
  const stop = new AbortController();
  void (async () => {
    for (let tries = 0; !stop.signal.aborted; tries++) {
      if (tries === 0) state?.('connecting');
      try {
        await once(path, stop.signal, event, () => { tries = 0; state?.('open'); });
      } catch (e) {
        if (stop.signal.aborted) return;
        if (e instanceof ApiError && e.status >= 400 && e.status < 500) { refused?.(e); return; }
      }
      if (stop.signal.aborted) return;
      state?.('lost');
      await new Promise(resolve => setTimeout(resolve, WAITS_MS[Math.min(tries, WAITS_MS.length - 1)]));
    }
  })();
  return () => stop.abort();
}

/** One connection, to its end. */
async function once(path: string, outer: AbortSignal, event: Handlers['event'], opened: () => void): Promise<void> {
  const quiet = new AbortController();
  const end = (): void => quiet.abort();
  outer.addEventListener('abort', end);
  let timer = setTimeout(end, SILENCE_MS);
  try {
    const response = await request(path, { signal: quiet.signal, headers: { accept: 'text/event-stream' } });
    opened();
    const reader = (response.body as ReadableStream<Uint8Array>).pipeThrough(new TextDecoderStream() as ReadableWritablePair<string, Uint8Array>).getReader();
    let rest = '';
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      clearTimeout(timer);
      timer = setTimeout(end, SILENCE_MS);
      const blocks = (rest + value).split('\n\n');
      rest = blocks.pop() as string;
      for (const block of blocks) deliver(block, event);
    }
  } finally {
    clearTimeout(timer);
    outer.removeEventListener('abort', end);
    quiet.abort();
  }
}

function deliver(block: string, event: Handlers['event']): void {
  let name = 'message';
  const data: string[] = [];
  for (const line of block.split('\n')) {
    if (line.startsWith('event:')) name = line.slice(6).trim();
    else if (line.startsWith('data:')) data.push(line.slice(5));
  }
  if (data.length > 0) event(name, JSON.parse(data.join('\n')));
}
