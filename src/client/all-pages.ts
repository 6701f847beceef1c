interface Page<Item> {
  readonly items: readonly Item[];
  readonly next_cursor?: string | undefined;
}

/** @returns the items of all pages, in order */
export async function allPages<Item>(
  page: (cursor: string | undefined) => Promise<Page<Item>>,
): Promise<Item[]> {
  const items: Item[] = [];
  let cursor: string | undefined;
  do {
    const answer = await page(cursor);
    items.push(...answer.items);
    cursor = answer.next_cursor;
  } while (cursor !== undefined);
  return items;
}
