/** A place in one list; whoever is in several lists has a node in each. */
export class LruNode<Value> {
  readonly value: Value;
  colder: LruNode<Value> | undefined;
  hotter: LruNode<Value> | undefined;

  constructor(value: Value) {
    this.value = value;
  }
}

/**
 * Values from the coldest to the hottest, with the sum of their bytes. Every operation takes constant time and
 * allocates nothing. A value's bytes do not change while it is in the list.
 */
export class LruList<Value extends { readonly bytes: number }> {
  #coldest: LruNode<Value> | undefined;
  #hottest: LruNode<Value> | undefined;
  #bytes = 0;

  get coldest(): LruNode<Value> | undefined {
    return this.#coldest;
  }

  get bytes(): number {
    return this.#bytes;
  }

  addHottest(node: LruNode<Value>): void {
    node.hotter = undefined;
    node.colder = this.#hottest;
    if (this.#hottest === undefined) this.#coldest = node;
    else this.#hottest.hotter = node;
    this.#hottest = node;
    this.#bytes += node.value.bytes;
  }

  addColdest(node: LruNode<Value>): void {
    node.colder = undefined;
    node.hotter = this.#coldest;
    if (this.#coldest === undefined) this.#hottest = node;
    else this.#coldest.colder = node;
    this.#coldest = node;
    this.#bytes += node.value.bytes;
  }

  /** @param node - one of this list */
  remove(node: LruNode<Value>): void {
    if (node.colder === undefined) this.#coldest = node.hotter;
    else node.colder.hotter = node.hotter;
    if (node.hotter === undefined) this.#hottest = node.colder;
    else node.hotter.colder = node.colder;
    node.colder = undefined;
    node.hotter = undefined;
    this.#bytes -= node.value.bytes;
  }

  /** @param node - one of this list */
  heat(node: LruNode<Value>): void {
    if (this.#hottest === node) return;
    this.remove(node);
    this.addHottest(node);
  }
}
