import type { ComponentChildren } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { Icon } from './icon.tsx';

interface Props {
  readonly title: string;
  readonly onClose: () => void;
  readonly children: ComponentChildren;
}

/** Over the page; keeps the focus, and gives it back. */
export function Dialog({ title, onClose, children }: Props) {
  const ref = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const back = document.activeElement;
    ref.current?.showModal();
    return () => { if (back instanceof HTMLElement) back.focus(); };
  }, []);
  return <dialog ref={ref} aria-label={title} onClose={onClose} onClick={e => { if (e.target === ref.current) ref.current?.close(); }}>
    <div class="dialog">
      <header><h2>{title}</h2><button type="button" class="plain" aria-label="Close" onClick={() => ref.current?.close()}><Icon name="close" /></button></header>
      {children}
    </div>
  </dialog>;
}

interface ConfirmProps {
  readonly title: string;
  readonly text: string;
  readonly verb: string;
  readonly onYes: () => void;
  readonly onClose: () => void;
}

/** Asks before something is changed. */
export function Confirm({ title, text, verb, onYes, onClose }: ConfirmProps) {
  return <Dialog title={title} onClose={onClose}>
    <p>{text}</p>
    <div class="actions">
      <button type="button" onClick={onClose}>Cancel</button>
      <button type="button" class="primary" onClick={() => { onYes(); onClose(); }}>{verb}</button>
    </div>
  </Dialog>;
}
