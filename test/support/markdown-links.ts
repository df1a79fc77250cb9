// Where the links of a Markdown page lead, and the headings that links can lead to.
import { dirname, join, normalize } from 'node:path';

export interface PageLink {
  /** As the page has it. */
  readonly link: string;
  /** The file, from the top of the repository. */
  readonly target: string;
  readonly anchor: string | undefined;
}

/** The links of a page that lead to a file of ours; none of what it shows as code. */
export function linksOf(path: string, text: string): PageLink[] {
  const prose = withoutBlocks(text).replaceAll(/`[^`\n]*`/g, '');
  return [...prose.matchAll(/\]\(([^)\s]+)\)/g)]
    .map(([, link = '']) => link)
    .filter((link) => !/^https?:/.test(link))
    .map((link) => {
      const [file = '', anchor] = link.split('#');
      return { link, target: file === '' ? path : normalize(join(dirname(path), file)), anchor };
    });
}

/** The names by which links reach the headings of a page, as GitHub makes them; a second one of a name gets a number. */
export function anchorsOf(text: string): Set<string> {
  const anchors = new Set<string>();
  for (const [, heading = ''] of withoutBlocks(text).matchAll(/^#+ +(.+?) *$/gm)) {
    const base = heading
      .replaceAll(/\]\([^)]*\)/g, '')
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}_ -]/gu, '')
      .replaceAll(' ', '-');
    let anchor = base;
    for (let number = 1; anchors.has(anchor); number++) anchor = `${base}-${number}`;
    anchors.add(anchor);
  }
  return anchors;
}

function withoutBlocks(text: string): string {
  return text.replaceAll(/^```.*?^```$/gms, '');
}
