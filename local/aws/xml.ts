/** The little XML that S3 and STS speak: written from nested values, read by element name. */
export type XmlValue = string | number | boolean | undefined | XmlValue[] | { [element: string]: XmlValue };

const S3_NAMESPACE = 'http://s3.amazonaws.com/doc/2006-03-01/';

export function toXml(root: string, value: XmlValue, namespace = S3_NAMESPACE): string {
  return `<?xml version="1.0" encoding="UTF-8"?>\n${element(root, value, ` xmlns="${namespace}"`)}`;
}

export function errorXml(code: string, message: string, details: Readonly<Record<string, unknown>>): string {
  const fields = Object.fromEntries(Object.entries(details).map(([key, value]) => [key, String(value)]));
  return `<?xml version="1.0" encoding="UTF-8"?>\n${element('Error', { Code: code, Message: message, ...fields }, '')}`;
}

function element(name: string, value: XmlValue, attributes = ''): string {
  if (value === undefined) {
    return '';
  }
  if (Array.isArray(value)) {
    return value.map((item) => element(name, item)).join('');
  }
  const inner =
    typeof value === 'object'
      ? Object.entries(value)
          .map(([child, childValue]) => element(child, childValue))
          .join('')
      : escapeText(String(value));
  return `<${name}${attributes}>${inner}</${name}>`;
}

/** Text of every element of this name, in order. Enough for the flat requests of S3. */
export function elements(xml: string, name: string): string[] {
  return [...xml.matchAll(new RegExp(`<${name}(?:\\s[^>]*)?>([\\s\\S]*?)</${name}>`, 'g'))].map(
    (match) => match[1] as string,
  );
}

export function elementText(xml: string, name: string): string | undefined {
  const [first] = elements(xml, name);
  return first === undefined ? undefined : unescapeText(first);
}

function escapeText(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll('\r', '&#13;');
}

const ENTITIES: Readonly<Record<string, string>> = { lt: '<', gt: '>', amp: '&', quot: '"', apos: "'" };

function unescapeText(text: string): string {
  return text.replaceAll(/&(?:#x([0-9a-fA-F]+)|#(\d+)|(\w+));/g, (whole, hex, decimal, name) => {
    if (hex !== undefined) return String.fromCodePoint(Number.parseInt(hex, 16));
    if (decimal !== undefined) return String.fromCodePoint(Number(decimal));
    return ENTITIES[name as string] ?? whole;
  });
}
