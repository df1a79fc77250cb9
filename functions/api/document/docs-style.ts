// The look of the docs page: one style sheet, light and dark, from a phone's width up.
export const docsStyle = `
:root {
  color-scheme: light dark;
  --text: #1c2430; --soft: #566173; --back: #ffffff; --panel: #f4f6f9; --line: #d9dfe7; --link: #0b5cad;
  --get: #0b6e4f; --post: #0b5cad; --delete: #b3261e;
}
@media (prefers-color-scheme: dark) {
  :root {
    --text: #e3e8ef; --soft: #9aa7b8; --back: #12161c; --panel: #1b212a; --line: #313a46; --link: #7ab8ff;
    --get: #5fd3a8; --post: #7ab8ff; --delete: #ff9a92;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0 auto; padding: 2.5rem 1.25rem 5rem; max-width: 62rem;
  background: var(--back); color: var(--text);
  font: 1rem/1.6 system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif;
  overflow-wrap: break-word;
}
h1, h2, h3, h4 { line-height: 1.25; scroll-margin-top: 1rem; }
h1 { margin: 0; font-size: 2.1rem; letter-spacing: -0.02em; }
h1 small { color: var(--soft); font-size: 1rem; font-weight: 400; letter-spacing: 0; }
h2 { margin: 3.5rem 0 1rem; padding-bottom: 0.4rem; border-bottom: 1px solid var(--line); font-size: 1.5rem; }
h3 { margin: 0 0 0.3rem; font-size: 1.15rem; }
h3 .path { font-size: 1em; }
h4 { margin: 1.5rem 0 0.4rem; color: var(--soft); font-size: 0.85rem; font-weight: 600; }
p { margin: 0.5rem 0; max-width: 46rem; }
a { color: var(--link); text-decoration: none; }
a:hover { text-decoration: underline; }
a:focus-visible { outline: 2px solid var(--link); outline-offset: 2px; }
code, pre { font-family: ui-monospace, SFMono-Regular, Menlo, Consolas, 'Liberation Mono', monospace; font-size: 0.875em; }
code { padding: 0.1em 0.3em; border-radius: 4px; background: var(--panel); }
pre { margin: 0; padding: 0.9rem 1rem; overflow-x: auto; border: 1px solid var(--line); border-radius: 6px; background: var(--panel); line-height: 1.5; }
pre code, a code, .path { padding: 0; background: none; }
.path { overflow-wrap: anywhere; }
nav ul { margin: 0.2rem 0 1rem; padding: 0; list-style: none; }
nav li { display: grid; grid-template-columns: 22rem 1fr; gap: 1rem; padding: 0.15rem 0; }
nav h3 { margin-top: 1rem; font-size: 1rem; }
article { margin: 2rem 0; padding-top: 2rem; border-top: 1px solid var(--line); }
h2 + p + article, h2 + article { padding-top: 0; border-top: 0; }
.method { display: inline-block; min-width: 4.2em; font: 700 0.8rem ui-monospace, SFMono-Regular, Menlo, Consolas, 'Liberation Mono', monospace; }
.GET { color: var(--get); } .POST { color: var(--post); } .DELETE { color: var(--delete); }
table { width: 100%; border-collapse: collapse; font-size: 0.925rem; }
th, td { padding: 0.45rem 1rem 0.45rem 0; border-bottom: 1px solid var(--line); text-align: left; vertical-align: top; }
th { color: var(--soft); font-size: 0.8rem; font-weight: 600; }
td:first-child { width: 14rem; overflow-wrap: anywhere; }
td:nth-child(2):not(:last-child) { width: 13rem; }
td p { margin: 0 0 0.25rem; } td p:last-child { margin: 0; }
.note { color: var(--soft); font-size: 0.85rem; }
@media (max-width: 44rem) {
  body { padding-top: 1.5rem; }
  nav li { grid-template-columns: 1fr; gap: 0; padding: 0.3rem 0; }
  thead { display: none; }
  tr { display: block; padding: 0.5rem 0; border-bottom: 1px solid var(--line); }
  td, td:first-child, td:nth-child(2):not(:last-child) { display: block; width: auto; padding: 0; border: 0; }
}
`;
