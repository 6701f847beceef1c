/** @returns a name as a quoted identifier */
export const identifier = (name: string): string => `"${name.replaceAll('"', '""')}"`;

/** @returns a text as a quoted literal */
export const literal = (text: string): string => `'${text.replaceAll("'", "''")}'`;
