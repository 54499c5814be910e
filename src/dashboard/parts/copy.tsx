import { signal } from '@preact/signals';
import { Dialog } from './dialog.tsx';
import { Icon } from './icon.tsx';

/** Said for a moment, and by screen readers. */
export const said = signal('');
let timer = 0;

export function say(text: string): void {
  said.value = text;
  clearTimeout(timer);
  timer = window.setTimeout(() => { said.value = ''; }, 4000);
}

/** What the browser did not let the page copy. */
const refusedText = signal<string | null>(null);

export async function copy(text: string, what: string): Promise<void> {
  try {
    await navigator.clipboard.writeText(text);
    say(`${what} copied`);
  } catch {
    refusedText.value = text;
  }
}

export function Copy({ text, what }: { readonly text: string; readonly what: string }) {
  return <button type="button" class="plain" aria-label={`Copy ${what}`} title="Copy" onClick={() => void copy(text, what)}><Icon name="copy" /></button>;
}

export function CopyByHand() {
  const text = refusedText.value;
  if (text === null) return null;
  return <Dialog title="Copy this" onClose={() => { refusedText.value = null; }}>
    <p>The browser does not let the page copy. Select the text and copy it:</p>
    <textarea class="code" readonly rows={10} aria-label="Text to copy" value={text} onFocus={e => e.currentTarget.select()} />
  </Dialog>;
}

/** A command for a terminal. */
export function Command({ text }: { readonly text: string }) {
  return <div class="command"><code>{text}</code><Copy text={text} what="command" /></div>;
}
