// The list of findings, one row each: see lavendertown/ui/components/findings/finding_list.py for data and events.
// All text is set as text, never as HTML, because descriptions and names come from data files.

const BAR = { width: 5, gap: 2, height: 18 };

export default function ({ parentElement, data, setTriggerValue }) {
  const root = parentElement.querySelector(".list");
  // What the user selected counts until the server answers to exactly that.
  const own = (root.own ??= { turn: data.turn, selected: new Set() });
  if (own.turn === data.turn) own.selected = new Set(data.selected);
  const list = { data, own, send: setTriggerValue, root };
  const focused = root.getRootNode().activeElement?.dataset.focus;
  root.classList.toggle("narrow", data.narrow);
  root.replaceChildren(table(list));
  if (focused) root.querySelector(`[data-focus="${CSS.escape(focused)}"]`)?.focus();
}

function make(tag, properties, ...children) {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
}

function table(list) {
  const { columns, rows, caption } = list.data;
  const head = make("tr", {}, make("th", { className: "box", scope: "col" }, selectAll(list)));
  head.append(...columns.map((column) => header(list, column)));
  const body = make("tbody", {}, ...rows.map((row) => line(list, row)));
  return make("table", {}, make("caption", { textContent: caption }), make("thead", {}, head), body);
}

function header(list, column) {
  const cell = make("th", { className: column.kind, scope: "col" });
  cell.dataset.column = column.name;
  if (!column.order) {
    cell.textContent = column.label;
    return cell;
  }
  const isOrder = column.order === list.data.order;
  if (isOrder) cell.ariaSort = "descending";
  const button = make("button", { type: "button", textContent: column.label, title: column.order_label });
  button.dataset.focus = `order:${column.name}`;
  button.onclick = () => list.send("order", column.order);
  cell.append(button);
  return cell;
}

function line(list, row) {
  const { data, own } = list;
  const element = make("tr", {});
  element.dataset.id = row.id;
  element.classList.toggle("open", row.id === data.open);
  element.classList.toggle("selected", own.selected.has(row.id));
  element.append(make("td", { className: "box" }, selectOne(list, row)));
  for (const column of data.columns) {
    const cell = make("td", { className: column.kind }, ...content(list, row, column));
    cell.dataset.column = column.name;
    element.append(cell);
  }
  element.onclick = (event) => {
    // Text that was just marked with the mouse is to be copied.
    if (event.target.closest("a, label, input") || String(getSelection())) return;
    open(list, row.id);
  };
  return element;
}

function content(list, row, column) {
  const value = row.cells[column.name];
  if (value === null || value === undefined || value.length === 0) return [];
  switch (column.kind) {
    case "finding":
      return [link(list, row, value)];
    case "runs":
      return [bars(value)];
    case "chips":
      return value.map(([text, colour]) => make("span", { className: `chip ${colour}`, textContent: text }));
    default:
      return [make("span", { textContent: value, title: value })];
  }
}

function link(list, row, text) {
  const element = make("a", { href: row.address, textContent: text, title: text });
  element.dataset.focus = row.id;
  if (row.id === list.data.open) element.ariaCurrent = "true";
  element.onclick = (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    open(list, row.id);
  };
  element.onkeydown = (event) => {
    const step = { ArrowDown: "nextElementSibling", ArrowUp: "previousElementSibling" }[event.key];
    const other = step && element.closest("tr")[step];
    if (!other) return;
    event.preventDefault();
    other.querySelector("a").focus();
  };
  return element;
}

function open(list, id) {
  for (const row of list.root.querySelectorAll("tbody tr")) row.classList.toggle("open", row.dataset.id === id);
  list.send("open", id);
}

function selectOne(list, row) {
  const isSelected = list.own.selected.has(row.id);
  return checkbox(`select:${row.id}`, `Select: ${row.cells.finding}`, isSelected, (checked) => {
    if (checked) list.own.selected.add(row.id);
    else list.own.selected.delete(row.id);
    sendSelection(list);
  });
}

function selectAll(list) {
  const ids = list.data.rows.map((row) => row.id);
  const areAll = ids.length > 0 && ids.every((id) => list.own.selected.has(id));
  return checkbox("select all", "Select all on this page", areAll, (checked) => {
    list.own.selected = new Set(checked ? ids : []);
    for (const box of list.root.querySelectorAll("tbody input")) box.checked = checked;
    sendSelection(list);
  });
}

function checkbox(focus, label, checked, onChange) {
  const box = make("input", { type: "checkbox", checked, ariaLabel: label });
  box.dataset.focus = focus;
  box.onchange = () => onChange(box.checked);
  return make("label", {}, box);
}

function sendSelection({ own, root, send }) {
  own.turn += 1;
  for (const row of root.querySelectorAll("tbody tr"))
    row.classList.toggle("selected", own.selected.has(row.dataset.id));
  send("select", { ids: [...own.selected], turn: own.turn });
}

function bars(counts) {
  const [width, name] = [BAR.width + BAR.gap, "http://www.w3.org/2000/svg"];
  const most = Math.max(1, ...counts);
  const picture = document.createElementNS(name, "svg");
  picture.setAttribute("width", counts.length * width);
  picture.setAttribute("height", BAR.height);
  picture.setAttribute("role", "img");
  picture.setAttribute("aria-label", `Rows by run: ${counts.map((count) => count ?? "not counted").join(", ")}`);
  counts.forEach((count, place) => {
    const height = count === 0 ? 1 : Math.max(3, ((count ?? 1) / most) * BAR.height);
    const bar = document.createElementNS(name, "rect");
    for (const [key, value] of Object.entries({ x: place * width, y: BAR.height - height, width: BAR.width, height }))
      bar.setAttribute(key, value);
    picture.append(bar);
  });
  return picture;
}
