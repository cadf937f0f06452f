/** The widget's looks, as a constructed stylesheet: the page's own policy and styles do not reach in here. */

const CSS = `
:host { --accent: var(--goassist-accent, #0f6558); --on-accent: var(--goassist-on-accent, #fff); --paper: #fffdf7; --sunk: #f0ece0; --ink: #1b2a27;
  --soft: #51605b; --line: #d9d2c0; --bad: #a5302a; --bad-wash: #fae2dd;
  position: fixed; z-index: 2147483000; right: 16px; bottom: 16px; }
/* A page's own "* { … !important }" reaches the host and no further: whatever is inherited begins anew here. */
.root { all: initial; display: block; color: var(--ink); font: 400 15px/1.45 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; }
:host([data-dark]) { --accent: var(--goassist-accent, #63c2ae); --on-accent: var(--goassist-on-accent, #0c1513); --paper: #18211f; --sunk: #222e2b; --ink: #eef2ec;
  --soft: #a9b8b1; --line: #34433e; --bad: #ff9d92; --bad-wash: #3b1f1c; color-scheme: dark; }
:host([position="bottom-left"]) { right: auto; left: 16px; }
:host([position="top-right"]) { bottom: auto; top: 16px; }
:host([position="top-left"]) { bottom: auto; right: auto; top: 16px; left: 16px; }
:host([position="inline"]) { position: static; display: block; }
* { box-sizing: border-box; }
[hidden] { display: none !important; }
button, input { font: inherit; color: inherit; }
button { cursor: pointer; }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
.launcher { display: flex; gap: 8px; align-items: center; padding: 12px 18px; border: 0; border-radius: 999px; background: var(--accent); color: var(--on-accent);
  font-weight: 600; box-shadow: 0 6px 24px rgb(0 0 0 / 22%); }
.panel { width: min(370px, calc(100vw - 32px)); height: min(560px, calc(100vh - 32px)); display: flex; flex-direction: column; background: var(--paper);
  border: 1px solid var(--line); border-radius: 18px; box-shadow: 0 12px 48px rgb(0 0 0 / 25%); overflow: hidden; }
:host([position="inline"]) .panel { width: 100%; box-shadow: none; }
header { display: flex; align-items: center; gap: 10px; padding: 12px 14px; border-bottom: 1px solid var(--line); }
header div { flex: 1; min-width: 0; }
h2, p { margin: 0; }
h2 { font-size: 16px; line-height: 1.3; overflow-wrap: anywhere; }
.state { color: var(--soft); font-size: 13px; }
.orb { width: 36px; height: 36px; border-radius: 50%; display: grid; place-items: center; background: var(--accent); color: var(--on-accent);
  transform: scale(calc(1 + var(--level, 0) * .18)); }
.round { width: 40px; height: 40px; flex: none; display: grid; place-items: center; border: 1px solid transparent; border-radius: 50%; background: none; }
.round--solid { background: var(--accent); color: var(--on-accent); }
.scroller { flex: 1; overflow-y: auto; padding: 14px; display: flex; flex-direction: column; gap: 8px; }
.lines { display: flex; flex-direction: column; gap: 8px; }
.line { max-width: 85%; padding: 8px 12px; border-radius: 14px; background: var(--sunk); overflow-wrap: anywhere; align-self: flex-start; }
.line--visitor { align-self: flex-end; background: var(--accent); color: var(--on-accent); }
.lines--live .line { opacity: .75; }
.line__who { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
.line__cut { margin-left: 6px; font-size: 12px; font-style: italic; }
.divider { text-align: center; font-size: 12px; color: var(--soft); }
.empty { color: var(--soft); }
.notice { margin: 10px 14px 0; padding: 10px 12px; border-radius: 12px; background: var(--bad-wash); font-size: 14px; }
.notice__title { font-weight: 600; color: var(--bad); }
.notice__actions { display: flex; gap: 8px; flex-wrap: wrap; margin-top: 6px; }
.controls { display: flex; gap: 8px; padding: 10px 14px 0; flex-wrap: wrap; }
.button { padding: 9px 16px; border: 1px solid var(--line); border-radius: 999px; background: var(--paper); display: inline-flex; gap: 8px; align-items: center; }
.button--talk { background: var(--accent); color: var(--on-accent); border-color: transparent; font-weight: 600; flex: 1; justify-content: center; }
.button[aria-disabled="true"] { opacity: .55; }
.button[aria-pressed="true"] { background: var(--sunk); font-weight: 600; }
.recording { display: flex; flex-wrap: wrap; gap: 8px; align-items: center; padding: 10px 14px 0; font-size: 14px; }
.recording p { flex: 1 1 auto; }
.recording div { display: flex; flex-wrap: wrap; gap: 8px; }
.recording .button { padding: 6px 12px; }
.recording[data-state="on"] p { color: var(--bad); font-weight: 600; }
.recording[data-state="on"] p::before { content: "●"; margin-right: 6px; }
form { display: flex; gap: 8px; padding: 10px 14px; }
input { flex: 1; min-width: 0; padding: 9px 14px; border: 1px solid var(--soft); border-radius: 999px; background: var(--paper); }
.small { padding: 0 14px 12px; font-size: 12px; color: var(--soft); }
.small a { color: inherit; }
@media (prefers-reduced-motion: no-preference) { .orb { transition: transform 90ms linear; } .panel { animation: rise 160ms ease-out; } }
@keyframes rise { from { opacity: 0; transform: translateY(8px); } }
@media (max-width: 420px) { .panel { height: min(560px, calc(100dvh - 32px)); } }
@media print { :host { display: none; } }
`;

/** @returns {CSSStyleSheet} */
export function look() {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(CSS);
  return sheet;
}
