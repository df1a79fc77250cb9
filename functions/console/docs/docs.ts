// What /docs can do with a script: search, copy, and run its lines here with a token, whose answer stands in the place of
// the example. Without it the page is all there to read.

/** As the console keeps it: who is signed in there is signed in here. */
const tokenKey = 'causeway.token';
/** What the page was written with; here stands the address that it came from. */
const writtenOrigin = 'http://127.0.0.1:8080';
const maxShownCharacters = 20_000;

const tokenNow = () => sessionStorage.getItem(tokenKey) ?? '';

function element<K extends keyof HTMLElementTagNameMap>(
  name: K,
  properties: Partial<HTMLElementTagNameMap[K]>,
): HTMLElementTagNameMap[K] {
  return Object.assign(document.createElement(name), properties);
}

function field(label: string, properties: Partial<HTMLInputElement>): HTMLInputElement {
  const input = element('input', { autocomplete: 'off', spellcheck: false, ...properties });
  const around = element('label', { textContent: label });
  around.append(input);
  return input;
}

function addSearch(): void {
  const input = field('Search', { type: 'search', placeholder: 'messages, replay, pause …' });
  const found = [...document.querySelectorAll<HTMLElement>('[data-operation]')];
  input.addEventListener('input', () => {
    const words = input.value.toLowerCase().split(/\s+/);
    for (const one of found) {
      const text = (one.dataset['operation'] ?? '').toLowerCase();
      one.hidden = !words.every((word) => text.includes(word));
    }
    for (const group of document.querySelectorAll<HTMLElement>('.side section, .group')) {
      const inside = [...group.querySelectorAll<HTMLElement>('[data-operation]')];
      group.hidden = input.value !== '' && inside.every(({ hidden }) => hidden);
    }
  });
  document.getElementById('search')?.append(input.parentElement ?? input);
}

function addToken(): void {
  const input = field('Token, to run the lines here; kept in this tab alone', {
    type: 'password',
    placeholder: 'causeway_…',
    value: tokenNow(),
  });
  input.addEventListener('input', () => sessionStorage.setItem(tokenKey, input.value.trim()));
  document.getElementById('token')?.append(input.parentElement ?? input);
}

function addCopy(line: HTMLElement): HTMLButtonElement {
  const button = element('button', { type: 'button', textContent: 'Copy' });
  button.addEventListener('click', async () => {
    await navigator.clipboard.writeText(line.textContent ?? '');
    button.textContent = 'Copied';
    setTimeout(() => {
      button.textContent = 'Copy';
    }, 2000);
  });
  return button;
}

function addRun(example: HTMLElement): HTMLButtonElement {
  const method = example.dataset['method'] ?? 'GET';
  const button = element('button', { type: 'button', className: 'run', textContent: 'Run' });
  const disarm = () => {
    button.className = 'run';
    button.textContent = 'Run';
  };
  button.addEventListener('blur', disarm);
  button.addEventListener('click', async () => {
    // What changes something takes a second press.
    if (method !== 'GET' && button.className === 'run') {
      button.className = 'sure';
      button.textContent = `Really ${method}`;
      return;
    }
    disarm();
    await run(example, method);
  });
  return button;
}

async function run(example: HTMLElement, method: string): Promise<void> {
  const caption = example.querySelector('figure:last-child .note');
  const shown = example.querySelector('.answer code');
  const { url = '', body = '' } = example.dataset;
  if (caption === null || shown === null) return;
  if (tokenNow() === '') {
    caption.textContent = 'needs a token: paste it at the top';
    return;
  }
  caption.textContent = 'asking …';
  const started = performance.now();
  try {
    const response = await fetch(url, {
      method,
      headers: {
        authorization: `Bearer ${tokenNow()}`,
        ...(body !== '' && { 'content-type': 'application/json' }),
      },
      ...(body !== '' && { body }),
    });
    const text = await response.text();
    caption.textContent = `${response.status}, from here, ${Math.round(performance.now() - started)} ms`;
    shown.textContent = text === '' ? '(no body)' : pretty(text).slice(0, maxShownCharacters);
  } catch {
    caption.textContent = 'no answer: the server could not be reached';
  }
}

function pretty(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}

/** A link to a schema opens it. */
function openTarget(): void {
  const target = document.getElementById(location.hash.slice(1));
  if (target instanceof HTMLDetailsElement) target.open = true;
}

for (const line of document.querySelectorAll('.line code'))
  line.textContent = (line.textContent ?? '').replaceAll(writtenOrigin, () => location.origin);
for (const example of document.querySelectorAll<HTMLElement>('.example')) {
  const line = example.querySelector<HTMLElement>('.line code');
  const caption = example.querySelector('figcaption');
  if (line === null || caption === null) continue;
  caption.append(element('span', {}), addCopy(line), addRun(example));
}
addSearch();
addToken();
addEventListener('hashchange', openTarget);
openTarget();
