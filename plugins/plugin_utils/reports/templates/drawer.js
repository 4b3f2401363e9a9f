// One finding in full, beside the list.

const drawer = document.getElementById("drawer");
let openedRow = -1;

function drawerIsOpen() {
  return openedRow >= 0;
}

function part(heading, ...children) {
  return el("section", null, el("h3", null, heading), children);
}

function fact(name, value) {
  return value === "" || value === null || value === undefined ? null : el("div", null, el("dt", null, name), el("dd", null, value));
}

function valueBlock(value) {
  const shown = readable(value);
  return shown ? el("pre", null, shown) : el("p", { class: "quiet" }, "nothing");
}

function evidencePart(detail) {
  if (!detail.evidence.length) return null;
  return part("Evidence", el("ul", { class: "evidence" }, detail.evidence.map((item) =>
    el("li", null, el("p", { class: "where" }, readable(item.where)), valueBlock(item.what)))));
}

function historyPart(row) {
  const history = historyOf(row);
  if (!history.length) return null;
  return part("History", el("ol", { class: "history" }, history.slice().reverse().map(([at, status]) =>
    el("li", null, el("time", { datetime: at }, moment(at)), " ", el("span", { class: "pill", "data-status": status }, title(status))))));
}

function exceptionPart(row) {
  const id = DATA.texts[COLUMN.disposition[row]];
  if (!id) return null;
  const found = DATA.dispositions.find((item) => item.id === id) || { id };
  return part("Exception", el("dl", { class: "facts-list" }, exceptionFacts(found)));
}

function exceptionFacts(item) {
  return [fact("Id", item.id), fact("Category", item.category), fact("Reason", item.reason), fact("Ticket", item.ticket),
    fact("Owner", item.owner), fact("Approved by", item.approver), fact("Expires", item.expires),
    fact("Instead", item.compensating_control)];
}

function placePart(row, rule, host) {
  const benchmark = DATA.benchmarks[rule.benchmark];
  const elsewhere = new Set();
  for (let other = 0; other < COUNT; other++) {
    if (COLUMN.status[other] === FAIL && RULES[COLUMN.rule[other]].key === rule.key) elsewhere.add(COLUMN.host[other]);
  }
  const filter = (name, value, text) => el("button", { type: "button", class: "link", click: () => only({ [name]: value }) }, text);
  return part("About", el("dl", { class: "facts-list" },
    fact("Host", filter("host", host.name, host.name)), fact("System", host.system),
    fact("Owner", DATA.texts[COLUMN.owner[row]]), fact("Due", DATA.texts[COLUMN.due[row]]),
    fact("Benchmark", benchmark ? benchmark.title + " " + benchmark.version : rule.benchmark),
    fact("Section", filter("section", rule.section, rule.section + (rule.level ? ", " + rule.level : ""))),
    fact("Control", rule.control ? el("code", null, rule.control) : ""),
    fact("Fails on", elsewhere.size ? filter("control", rule.key, plural(elsewhere.size, "host")) : ""),
    fact("Read", moment(DATA.texts[COLUMN.observed[row]])),
    fact("First seen", moment(DATA.texts[COLUMN.first[row]])), fact("Since", moment(DATA.texts[COLUMN.changed[row]]))));
}

// Fill the drawer with a finding. `focus`: move the keyboard there (not while the arrows walk the list).
function openDrawer(row, focus = true) {
  const rule = RULES[COLUMN.rule[row]], host = DATA.hosts[COLUMN.host[row]], detail = detailOf(row);
  const attack = rule.known.attack || [];
  openedRow = row;
  drawer.replaceChildren(
    el("header", { class: "drawer-head" },
      el("p", { class: "marks" }, severityMark(rule.severity), statusPill(COLUMN.status[row]),
        el("span", { class: "mono quiet" }, rule.section)),
      el("div", { class: "drawer-buttons" },
        el("button", { type: "button", "aria-label": "Previous finding", click: () => step(-1) }, "↑"),
        el("button", { type: "button", "aria-label": "Next finding", click: () => step(1) }, "↓"),
        el("button", { type: "button", class: "close", "aria-label": "Close", click: closeDrawer }, "✕"))),
    el("div", { class: "drawer-body", tabindex: 0, role: "group", "aria-label": "Details of the finding" },
      el("h2", { id: "drawer-title" }, rule.title),
      el("p", { class: "drawer-host mono" }, host.name),
      detail.reason ? el("p", { class: "reason" }, detail.reason) : null,
      !detail.reason && rule.reason ? el("p", { class: "reason" }, rule.reason) : null,
      detail.left_out
        ? el("p", { class: "reason" }, "Values, evidence and history of this finding are in report.json: this page holds those of the most urgent ones.")
        : el("div", { class: "pair" }, part("Expected", valueBlock(detail.expected)), part("Actual", valueBlock(detail.actual))),
      evidencePart(detail),
      rule.known.fix ? part("How to fix", el("p", null, rule.known.fix)) : null,
      rule.known.rationale ? part("Why it matters", el("p", null, rule.known.rationale)) : null,
      attack.length ? part("ATT&CK techniques", el("ul", { class: "tags" }, attack.map((id) => el("li", null, id)))) : null,
      exceptionPart(row), historyPart(row), placePart(row, rule, host)));
  drawer.hidden = false;
  document.documentElement.classList.add("with-drawer");
  if (focus) drawer.focus({ preventScroll: true });
  saveHash();
}

function closeDrawer() {
  if (!drawerIsOpen()) return;
  const row = openedRow;
  openedRow = -1;
  drawer.hidden = true;
  document.documentElement.classList.remove("with-drawer");
  const place = view.items.indexOf(row);
  if (place >= 0) findingList.move(place, false);
  findingList.grid.focus({ preventScroll: true });
  saveHash();
}

// Open the next finding of the list in that direction; groups are passed over.
function step(direction) {
  let place = view.items.indexOf(openedRow);
  do place += direction; while (place >= 0 && place < view.items.length && view.items[place] < 0);
  if (place < 0 || place >= view.items.length) return;
  findingList.move(place);
  openDrawer(view.items[place], false);
}

drawer.addEventListener("keydown", (event) => {
  if (event.key !== "ArrowDown" && event.key !== "ArrowUp" || event.target.closest(".drawer-body")) return;
  step(event.key === "ArrowDown" ? 1 : -1);
  event.preventDefault();
});
