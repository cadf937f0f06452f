/** Elements without markup in strings: pages with Trusted Types allow no `innerHTML`, and text stays text. */

const SVG = 'http://www.w3.org/2000/svg';

/**
 * @param {string} tag
 * @param {Record<string, string|boolean|EventListener>} [attributes] functions listen: `onclick`
 * @param {...(Node|string)} children
 * @returns {HTMLElement}
 */
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === 'function') element.addEventListener(name.slice(2), value);
    else if (value !== false) element.setAttribute(name, value === true ? '' : value);
  }
  element.append(...children);
  return element;
}

const SHAPES = {
  wave: 'M4 10v4M8 7v10M12 4v16M16 8v8M20 10v4',
  mic: 'M12 3a3 3 0 0 1 3 3v5a3 3 0 0 1-6 0V6a3 3 0 0 1 3-3ZM5.5 11.5a6.5 6.5 0 0 0 13 0M12 18v3',
  send: 'M12 19V5m-6 6 6-6 6 6',
  close: 'M6 9l6 6 6-6',
};

/** @param {keyof SHAPES} name @returns {SVGElement} for eyes only */
export function icon(name) {
  const svg = document.createElementNS(SVG, 'svg');
  const path = document.createElementNS(SVG, 'path');
  const set = { viewBox: '0 0 24 24', width: '20', height: '20', fill: 'none', stroke: 'currentColor', 'stroke-width': '1.8', 'stroke-linecap': 'round', 'stroke-linejoin': 'round', 'aria-hidden': 'true' };
  for (const [key, value] of Object.entries(set)) svg.setAttribute(key, value);
  path.setAttribute('d', SHAPES[name]);
  svg.append(path);
  return svg;
}
