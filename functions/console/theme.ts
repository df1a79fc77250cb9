// Loaded before the first paint: the theme that the reader has chosen, so that nothing flashes.
{
  let chosen: string | null = null;
  try {
    chosen = localStorage.getItem('causeway.theme');
  } catch {
    // Nothing is kept here.
  }
  if (chosen === 'light' || chosen === 'dark') document.documentElement.dataset['theme'] = chosen;
}
