// The text of a secret or a file, as people leave it there: with the marks that editors add, with PEM on one line, or
// as something else than what is wanted. What can be read is read; else the very mistake is named, and no text repeated.

/** What a Windows editor saves as UTF-8 begins with a mark that neither JSON nor PEM has. */
export function withoutMark(text: string): string {
  return text.startsWith('\uFEFF') ? text.slice(1) : text;
}

export type GivenJson =
  | { readonly ok: true; readonly value: unknown }
  /** Such as `is not JSON`. */
  | { readonly ok: false; readonly mistake: string };

export function jsonIn(text: string): GivenJson {
  try {
    return { ok: true, value: JSON.parse(withoutMark(text)) };
  } catch (error) {
    return { ok: false, mistake: encodingMistake(text) ?? jsonMistake(text, error) };
  }
}

function jsonMistake(text: string, error: unknown): string {
  // The message may quote the text: only a number of it is told.
  const message = error instanceof Error ? error.message : '';
  const position = /at position (\d+)/.exec(message)?.[1];
  const line = position === undefined ? 1 : text.slice(0, Number(position)).split('\n').length;
  const where = text.trim().includes('\n') ? `, see line ${line}` : '';
  return /control character/.test(message)
    ? `is not JSON: a line break inside a text is written \\n${where}`
    : `is not JSON${where}`;
}

const pemBlock = /-----BEGIN ([A-Z0-9 ]+)-----([\s\S]*?)-----END \1-----/g;

/**
 * The PEM blocks of a text, with the line breaks that OpenSSL wants: consoles and environment variables make spaces of
 * them, or `\n` of two characters. A text without a block stays as it is.
 */
export function pemIn(text: string): string {
  const blocks = [...text.matchAll(pemBlock)].map(([whole, label, body = '']) => {
    // The headers of old encrypted keys end with their lines.
    if (body.includes(':')) return `${whole}\n`;
    const lines = body.replace(/\\[rn]|\s+/g, '').match(/.{1,64}/g) ?? [];
    return [`-----BEGIN ${label}-----`, ...lines, `-----END ${label}-----`, ''].join('\n');
  });
  return blocks.length > 0 ? blocks.join('') : withoutMark(text);
}

/** Why OpenSSL finds no such thing in the text, as `is cut off`; undefined where that cannot be told. */
export function pemMistake(
  text: string,
  wanted: 'certificate' | 'private key',
): string | undefined {
  const encoding = encodingMistake(text);
  if (encoding !== undefined) return encoding;
  const labels = [...text.matchAll(/-----BEGIN ([A-Z0-9 ]+)-----/g)].map(([, label = '']) => label);
  if (labels.length === 0)
    return /^\s*MI[A-Za-z0-9+/]/.test(text)
      ? 'is base64 without the lines -----BEGIN …----- and -----END …----- around it'
      : 'has no -----BEGIN …----- line';
  const isWanted = (label: string) =>
    wanted === 'certificate' ? label === 'CERTIFICATE' : label.endsWith('PRIVATE KEY');
  if (!labels.some(isWanted)) return `holds ${labels[0]}, and no ${wanted}`;
  return labels.length > [...text.matchAll(pemBlock)].length
    ? 'is cut off: an -----END …----- line is missing'
    : undefined;
}

/** What is wrong with the whole text. It has been read as UTF-8. */
function encodingMistake(text: string): string | undefined {
  if (text.trim() === '') return 'is empty';
  if (text.startsWith('0\uFFFD')) return 'is DER, which is binary: convert it to PEM';
  if (text.includes('\0')) return 'is UTF-16: save it as UTF-8';
  return undefined;
}
