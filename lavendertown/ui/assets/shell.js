// Served by lavendertown/ui/server/shell.py, for features without a Streamlit setting: texts of Streamlit's own
// dialogs, focus of a field, scrolling to the open finding on phones, and links followed without a click.
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
  for (const field of document.querySelectorAll('[class*="st-key-focus-"] input')) {
    if (shown.has(field)) continue;
    shown.add(field);
    field.focus();
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
