/**
 * Light or dark: as the system says, until the visitor chooses. A plain script in the head, so that the page is never
 * painted in the wrong one first.
 */
(() => {
  const KEY = 'goassist.theme';
  const root = document.documentElement;
  const dark = matchMedia('(prefers-color-scheme: dark)');

  function chosen() {
    try {
      return localStorage.getItem(KEY);
    } catch {
      return null; // storage is closed to us: the system decides
    }
  }

  function isDark() {
    return (root.dataset.theme ?? (dark.matches ? 'dark' : 'light')) === 'dark';
  }

  function choose(theme) {
    root.dataset.theme = theme;
    try {
      localStorage.setItem(KEY, theme);
    } catch {
      // It lasts as long as the page.
    }
  }

  if (chosen()) root.dataset.theme = chosen();
  document.addEventListener('DOMContentLoaded', () => {
    const toggle = document.getElementById('theme-toggle');
    if (!toggle) return;
    const tell = () => toggle.setAttribute('aria-pressed', String(isDark()));
    toggle.addEventListener('click', () => {
      choose(isDark() ? 'light' : 'dark');
      tell();
    });
    dark.addEventListener('change', tell);
    tell();
  });
})();
