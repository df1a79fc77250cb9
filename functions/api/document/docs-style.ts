// The look of the docs page: one style sheet, light and dark, from a phone's width up. Its colours are the console's.
export const docsStyle = `
:root {
  color-scheme: light dark;
  --text: light-dark(#14191d, #e9edef); --soft: light-dark(#5c6770, #94a0a8);
  --back: light-dark(#f6f7f8, #0d1012); --surface: light-dark(#ffffff, #14181b); --panel: light-dark(#f0f2f4, #1a1f23);
  --line: light-dark(#e2e6e9, #262d32); --control: light-dark(#858f97, #74808a); --accent: light-dark(#0a6c74, #52c4ce);
  --on-accent: light-dark(#ffffff, #06282b);
  --get: light-dark(#17713a, #62d391); --post: light-dark(#0a6c74, #52c4ce); --delete: light-dark(#b0241c, #ff8d85);
  --mono: ui-monospace, 'SF Mono', 'Cascadia Mono', Menlo, Consolas, 'DejaVu Sans Mono', 'Liberation Mono', monospace;
}
* { box-sizing: border-box; }
html { font-size: 87.5%; scroll-padding-top: 1rem; }
body {
  display: grid; grid-template-columns: 21rem minmax(0, 1fr); margin: 0; background: var(--back); color: var(--text);
  font: 1rem/1.5 system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif; overflow-wrap: break-word;
}
h1, h2, h3, p, ul, pre, figure { margin: 0; padding: 0; }
h1 { font-size: 1.5rem; letter-spacing: -0.012em; }
h2 { font-size: 1.286rem; }
h3 { font-size: 1.071rem; }
a { color: var(--accent); text-decoration: none; }
a:hover { text-decoration: underline; }
main p a, .errors a { text-decoration: underline; text-underline-offset: 0.2em; text-decoration-thickness: 1px; }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; border-radius: 4px; }
code, pre { font-family: var(--mono); font-size: 0.893rem; }
p code, td code { padding: 0.05em 0.3em; border-radius: 4px; background: var(--panel); }
.side { position: sticky; top: 0; height: 100vh; overflow-y: auto; padding: 1.2rem 1rem 3rem; border-right: 1px solid var(--line); }
.side .title { padding: 0 0.5rem 0.8rem; font-size: 1.071rem; font-weight: 650; }
.side .title a { color: var(--text); }
.side small { color: var(--soft); font-weight: 400; }
.side h2 { margin: 0.9rem 0 0.15rem; padding: 0 0.5rem; font-size: 0.893rem; }
.side h2 a { color: var(--soft); }
.side ul { list-style: none; }
.side li a { display: flex; gap: 0.5rem; padding: 0.2rem 0.5rem; border-radius: 5px; color: var(--text); line-height: 1.35; }
.side li a:hover { background: var(--panel); text-decoration: none; }
.side .method { flex: none; width: 3.3rem; padding-top: 0.15rem; font-size: 0.786rem; }
.method { font: 700 0.893rem var(--mono); }
.GET { color: var(--get); } .POST { color: var(--post); } .DELETE { color: var(--delete); }
main { padding: 1.5rem 2rem 5rem; max-width: 96rem; min-width: 0; }
main > header { display: grid; gap: 0.7rem; max-width: 60rem; }
.group { margin-top: 2.6rem; }
.group > p { max-width: 52rem; color: var(--soft); }
article, .schema, .group > table { margin-top: 0.9rem; padding: 1rem 1.2rem; border: 1px solid var(--line); border-radius: 8px; background: var(--surface); }
article { scroll-margin-top: 1rem; }
article:target { border-color: var(--accent); }
article > p { max-width: 60rem; }
.call { margin: 0.2rem 0 0.4rem; overflow-wrap: anywhere; }
.example { display: grid; grid-template-columns: repeat(2, minmax(0, 1fr)); gap: 0.8rem; margin: 0.7rem 0; }
figcaption { display: flex; align-items: center; gap: 0.5rem; min-height: 2rem; font-size: 0.893rem; font-weight: 600; color: var(--soft); }
figcaption span { margin-right: auto; }
pre { padding: 0.7rem 0.85rem; overflow: auto; border: 1px solid var(--line); border-radius: 5px; background: var(--panel); line-height: 1.5; max-height: 13.5rem; }
.line { white-space: pre-wrap; overflow-wrap: anywhere; }
details { margin-top: 0.3rem; }
summary { cursor: pointer; padding: 0.15rem 0; font-weight: 550; }
summary .note { font-weight: 400; }
.errors { margin-top: 0.4rem; font-size: 0.893rem; color: var(--soft); }
.errors a { color: var(--soft); margin-right: 0.4rem; }
.note { color: var(--soft); font-size: 0.893rem; }
table { width: 100%; border-collapse: collapse; font-size: 0.929rem; }
th, td { padding: 0.4rem 1rem 0.4rem 0; border-bottom: 1px solid var(--line); text-align: left; vertical-align: top; }
th { color: var(--soft); font-size: 0.857rem; font-weight: 600; }
td:first-child { width: 14rem; overflow-wrap: anywhere; }
td:nth-child(2):not(:last-child) { width: 14rem; }
td p { margin-bottom: 0.2rem; }
label { display: grid; gap: 0.25rem; font-size: 0.893rem; font-weight: 550; max-width: 40rem; }
input { width: 100%; height: 2.286rem; padding: 0 0.7rem; border: 1px solid var(--control); border-radius: 5px; background: var(--surface); color: var(--text); font: inherit; }
button { height: 1.857rem; padding: 0 0.6rem; border: 1px solid var(--line); border-radius: 5px; background: var(--surface); color: var(--text); font: 550 0.893rem system-ui, sans-serif; cursor: pointer; }
button:hover { border-color: var(--control); }
button.run { background: var(--accent); border-color: var(--accent); color: var(--on-accent); }
button.sure { background: var(--delete); border-color: var(--delete); color: var(--surface); }
[hidden] { display: none !important; }
@media (max-width: 64rem) {
  body { grid-template-columns: minmax(0, 1fr); }
  .side { position: static; height: auto; max-height: 22rem; border-right: 0; border-bottom: 1px solid var(--line); }
  .example { grid-template-columns: minmax(0, 1fr); }
  main { padding: 1rem 1rem 4rem; }
}
@media (max-width: 44rem) {
  thead { display: none; }
  tr { display: block; padding: 0.5rem 0; border-bottom: 1px solid var(--line); }
  td, td:first-child, td:nth-child(2):not(:last-child) { display: block; width: auto; padding: 0; border: 0; }
}
`;
