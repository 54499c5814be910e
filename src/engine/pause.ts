/** Whether a loop rests, and how it waits for the end of that. */
export class Pause {
  #on = false;
  #wake: (() => void) | null = null;

  get on(): boolean { return this.#on; }

  begin(): void { this.#on = true; }

  end(): void {
    this.#on = false;
    this.#wake?.();
  }

  /** Until the pause or the run ends. */
  async over(signal: AbortSignal): Promise<void> {
    if (!this.#on || signal.aborted) return;
    await new Promise<void>(done => {
      this.#wake = done;
      signal.addEventListener('abort', () => done(), { once: true });
    });
    this.#wake = null;
  }
}
