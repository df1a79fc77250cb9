// URLs with levels of a message's topic in path and query: checked in the config, filled in for each message. Pure.

/** Maximum bytes of path and query; every server has to take 8,000 [RFC 9110, 4.1], and few take much more. */
export const maxTargetBytes = 8000;

export type FilledUrl =
  | { readonly kind: 'url'; readonly url: URL }
  /** No URL can be made from this topic that leads where the template says. */
  | { readonly kind: 'impossible'; readonly reason: string };

/** Whether a URL has placeholders, right or wrong ones. */
export function hasPlaceholders(text: string): boolean {
  return /[{}]|%7[bd]/i.test(text);
}

/** The rule that a URL breaks by its placeholders, or undefined. It is one that `new URL` takes. */
export function placeholderFault(text: string): string | undefined {
  if (!hasPlaceholders(text)) return undefined;
  // The parser takes out tabs and line breaks and reads \ as /: what is checked here has to be what it sees.
  if (/[\s\\]/.test(text)) return 'must hold no white space and no \\';
  const rest = text.replaceAll(/\{(?:topic|[1-9]\d{0,2})\}/g, '');
  if (hasPlaceholders(rest)) return 'may have { and } only as {topic}, {1}, {2} …';
  // As the parser finds it: https:/host and https:host are the same to it.
  if (/[{}]/.test(new URL(text).host))
    return 'may have {topic}, {1}, {2} … in its path and query only';
  return undefined;
}

/** Fills the template for a topic. */
export type UrlTemplate = (topic: string) => FilledUrl;

/** A template that {@link placeholderFault} has no objection to. */
export function urlTemplate(text: string): UrlTemplate {
  const { origin, pathname, search } = new URL(text);
  // The parser encodes braces in a path, and leaves them in a query.
  const template = `${pathname.replaceAll('%7B', '{').replaceAll('%7D', '}')}${search}`;
  if (!template.includes('{')) {
    const filled: FilledUrl = { kind: 'url', url: new URL(text) };
    return () => filled;
  }
  return (topic) => {
    if (!topic.isWellFormed()) return impossible('its topic is not well-formed Unicode');
    const levels = topic.split('/');
    let missing: string | undefined;
    const target = template.replaceAll(/\{(\w+)\}/g, (_, name: string) => {
      const value = name === 'topic' ? topic : levels[Number(name) - 1];
      missing ??= value === undefined ? name : undefined;
      return encoded(value ?? '');
    });
    if (missing !== undefined) return impossible(`its topic has no level ${missing} for the URL`);
    if (target.length > maxTargetBytes)
      return impossible(`the URL would take ${target.length} bytes, above ${maxTargetBytes}`);
    if (emptySegments(target) > emptySegments(template))
      return impossible('an empty level of its topic would be an empty segment of the path');
    const url = new URL(`${origin}${target}`);
    // `.` and `..` are no segments like others, and no way to write them survives every server between.
    if (`${url.pathname}${url.search}` !== target)
      return impossible('a level of its topic is . or .., which would lead to another path');
    return { kind: 'url', url };
  };
}

/** One segment or query value, whatever is in it: also ! ' ( ) *, some of which the parser would encode itself. */
function encoded(value: string): string {
  return encodeURIComponent(value).replaceAll(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

/** Servers merge // into /: the next segment would take the place of the empty one. */
function emptySegments(target: string): number {
  const [path = ''] = target.split('?');
  return path
    .slice(1)
    .split('/')
    .filter((segment) => segment === '').length;
}

function impossible(reason: string): FilledUrl {
  return { kind: 'impossible', reason };
}
