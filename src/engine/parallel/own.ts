import type { Member } from './member.ts';
import type { Answer, Opening, Order } from './messages.ts';

/** The member on the main thread. It works between two turns of the event loop, a slice at a time, so that what others say is heard. */
export class OwnMember {
  readonly #make: (o: Opening, post: (a: Answer) => void) => Promise<Member>;
  readonly #answered: (a: Answer) => void;
  #member: Member | null = null;
  /** What is done in its order, and at once. */
  #ordered: Order[] = [];
  #maps: Order[] = [];
  #turn: NodeJS.Immediate | null = null;

  constructor(make: (o: Opening, post: (a: Answer) => void) => Promise<Member>, answered: (a: Answer) => void) {
    this.#make = make;
    this.#answered = answered;
  }

  async open(o: Opening): Promise<void> { this.#member = await this.#make(o, this.#answered); }

  tell(c: Order): void {
    (c.k === 'map' ? this.#maps : this.#ordered).push(c);
    this.#turn ??= setImmediate(this.#work);
  }

  close(): void {
    if (this.#turn !== null) clearImmediate(this.#turn);
    this.#ordered = [];
    this.#maps = [];
  }

  readonly #work = (): void => {
    this.#turn = null;
    const member = this.#member as Member;
    const ordered = this.#ordered;
    this.#ordered = [];
    for (const c of ordered) member.receive(c);
    const map = this.#maps.shift();
    if (map !== undefined) member.receive(map);
    if (this.#maps.length + this.#ordered.length > 0) this.#turn ??= setImmediate(this.#work);
  };
}
