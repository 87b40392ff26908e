// Served by lavendertown/ui/server/shell.py, for features without a Streamlit setting: texts of Streamlit's own
// dialogs, focus of a field, keys that Streamlit's buttons cannot have, scrolling to the open finding on phones,
// and links followed without a click.
// React owns the page: change texts and hide elements, but never remove a node.

const LOST_TEXT =
  "The server isn’t answering. This page reconnects as soon as the server is back, " +
  "and what you’ve typed stays here.";
const NARROW = 640;
const SETTLE_MS = 3000;

// Texts of Streamlit's front end → replacements.
const TEXTS = [
  [/^Connecting to Streamlit server$/, "Connecting to the server"],
  [/^Unable to connect to Streamlit server$/, "The server can’t be reached. Reload this page to try again."],
  [/^Cannot load Streamlit frontend code\./, "This page was updated on the server."],
  [/^To fix this, simply reload this app by pressing$/, "Reload it with"],
  [/AxiosError: Request failed with status code 413/, "The server is out of space for uploads; try again later."],
  [/^(Failed to generate file for download|Request timed out|Download failed)$/, "The file could not be created. Reload this page and try again."],
  [/AxiosError: /, "The upload failed; try again."],
  [/^\S* files are not allowed\.$/, "This kind of file can’t be read; choose one of the formats listed above."],
];

const shown = new WeakSet();

function replaceTexts(root) {
  const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
  for (let node = walker.currentNode; node; node = walker.nextNode()) {
    if (node.nodeType !== Node.TEXT_NODE) continue;
    const rule = TEXTS.find(([pattern]) => pattern.test(node.nodeValue.trim()));
    if (rule) node.nodeValue = rule[1];
  }
}

function replaceConnectionDialog() {
  for (const title of document.querySelectorAll('[role="dialog"] > [slot="title"]')) {
    const message = title.nextElementSibling;
    if (title.textContent !== "Connection error" || !title.firstChild || !message) continue;
    title.firstChild.nodeValue = "Connection lost";
    message.hidden = true;
    const text = document.createElement("div");
    text.className = message.className;
    text.textContent = LOST_TEXT;
    message.after(text);
  }
}

function focusField() {
  for (const field of document.querySelectorAll('[class*="st-key-focus-"] :is(input, textarea)')) {
    if (shown.has(field)) continue;
    shown.add(field);
    // The question for a name keeps the focus, although the field of the dialog below it is drawn again.
    if (!document.activeElement?.closest('[class*="st-key-focus-name"]')) field.focus();
  }
}

// The server opens another screen: see go_to in lavendertown/ui/components/shared/layout.py.
function followLink() {
  for (const link of document.querySelectorAll('[class*="st-key-go-now"] a')) {
    if (shown.has(link)) continue;
    shown.add(link);
    link.click();
  }
}

function showOpenFinding() {
  if (window.innerWidth > NARROW || !new URLSearchParams(location.search).has("finding")) return;
  const finding = document.querySelector('[class*="st-key-open-finding"]');
  if (!finding || shown.has(finding)) return;
  shown.add(finding);
  // Content above may still grow. Stop at the first input of the user.
  const observer = new ResizeObserver(() => finding.scrollIntoView());
  const stop = () => observer.disconnect();
  observer.observe(document.querySelector('[data-testid="stMainBlockContainer"]') ?? document.body);
  for (const event of ["pointerdown", "wheel", "touchstart", "keydown"])
    window.addEventListener(event, stop, { once: true, passive: true });
  setTimeout(stop, SETTLE_MS);
}

function findComment() {
  return document.querySelector('textarea[aria-label="Add a comment"]');
}

function isTyping(target) {
  return target.closest('input, textarea, select, [contenteditable], [role="dialog"]') !== null;
}

// The keys of inbox_actions.KEYBOARD_SHORTCUTS that are no button's shortcut. Each returns what it acted on.
function pressKey(event) {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) return sendComment(event.target);
  if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return null;
  if (event.key === "/") return focusOn(document.querySelector('input[type="search"]'));
  if (event.key === "m") return focusOn(findComment());
  if (event.key === "?") return click(document.querySelector('[class*="st-key-desk-key-H"] button'));
  return null;
}

function focusOn(field) {
  field?.focus();
  return field;
}

function click(button) {
  button?.click();
  return button;
}

function sendComment(field) {
  if (field !== findComment()) return null;
  const button = field.closest('[data-testid="stForm"]')?.querySelector('[data-testid="stFormSubmitButton"] button');
  // The form takes the text when the field loses the focus.
  field.blur();
  setTimeout(() => click(button), 0);
  return button;
}

document.addEventListener(
  "keydown",
  (event) => {
    if (!pressKey(event)) return;
    event.preventDefault();
    event.stopImmediatePropagation();
  },
  { capture: true },
);

function follow(changes) {
  for (const change of changes) {
    if (change.type === "characterData") replaceTexts(change.target);
    else change.addedNodes.forEach(replaceTexts);
  }
  replaceConnectionDialog();
  focusField();
  followLink();
  showOpenFinding();
}

new MutationObserver(follow).observe(document, { childList: true, characterData: true, subtree: true });
