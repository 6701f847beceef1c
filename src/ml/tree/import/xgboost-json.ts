import { notReadable } from './untrusted.ts';

/**
 * JSON as XGBoost writes it: with NaN and Infinity as bare words, which become `null` here. Linear in the text's length.
 * @throws ValidationError MODEL_NOT_READABLE.
 */
export function parseXgboostJson(text: string): unknown {
  try {
    return JSON.parse(withoutBareWords(text));
  } catch (cause) {
    throw notReadable(`it is no JSON (${(cause as Error).message.slice(0, 80)})`);
  }
}

const BARE_WORDS = /-?(?:NaN|Infinity|nan|inf)/y;

function withoutBareWords(text: string): string {
  if (!/NaN|Infinity|nan|inf/.test(text)) return text;
  const pieces: string[] = [];
  let copied = 0;
  let isInString = false;
  for (let i = 0; i < text.length; i++) {
    const char = text[i];
    if (isInString) {
      if (char === '\\') i++;
      else if (char === '"') isInString = false;
    } else if (char === '"') {
      isInString = true;
    } else if (char === 'N' || char === 'I' || char === 'n' || char === 'i' || char === '-') {
      BARE_WORDS.lastIndex = i;
      const word = BARE_WORDS.exec(text)?.[0];
      if (word === undefined) continue;
      pieces.push(text.slice(copied, i), 'null');
      copied = i + word.length;
      i = copied - 1;
    }
  }
  pieces.push(text.slice(copied));
  return pieces.join('');
}
