// The list of findings: order, grouping, rows.

const view = { sort: "severity", group: DATA.hosts.length > 1 ? "control" : "", opened: new Set(), rows: new Int32Array(0),
  items: [], groups: [] };
const NATURAL = Int32Array.from({ length: COUNT }, (_, index) => index); // packed worst first
const collator = new Intl.Collator("en", { numeric: true });
const orders = new Map([["severity", NATURAL]]);

// Ranks by which integers stand for texts: sorting compares numbers only.
function ranks(values) {
  const order = values.map((_, index) => index).sort((a, b) => collator.compare(values[a], values[b]));
  const result = new Int32Array(values.length);
  order.forEach((index, rank) => { result[index] = rank; });
  return result;
}

function orderBy(key) {
  if (!orders.has(key)) {
    const [rank, codes, sign] = {
      host: () => [ranks(DATA.hosts.map((host) => host.name)), COLUMN.host, 1],
      section: () => [ranks(RULES.map((rule) => rule.section)), COLUMN.rule, 1],
      changed: () => [ranks(DATA.texts), COLUMN.changed, -1],
    }[key]();
    orders.set(key, NATURAL.slice().sort((a, b) => sign * (rank[codes[a]] - rank[codes[b]]) || a - b));
  }
  return orders.get(key);
}

// What the list shows: a finding is its row number, a group is ~(its place in view.groups).
function arrange() {
  view.groups = [];
  if (!view.group) {
    view.items = view.rows;
    return;
  }
  const places = new Map();
  for (const row of view.rows) {
    const key = view.group === "host" ? COLUMN.host[row] : RULES[COLUMN.rule[row]].key;
    let group = places.get(key);
    if (!group) {
      group = { key: view.group + " " + key, rows: [] };
      places.set(key, group);
      view.groups.push(group);
    }
    group.rows.push(row);
  }
  const items = [];
  view.groups.forEach((group, place) => {
    items.push(~place);
    if (view.opened.has(group.key)) for (const row of group.rows) items.push(row);
  });
  view.items = items;
}

function hostsIn(rows) {
  const hosts = new Set();
  for (const row of rows) hosts.add(COLUMN.host[row]);
  return hosts;
}

// Below its control a finding need not repeat the title: it says what was found on this host.
function titleCell(row) {
  const rule = RULES[COLUMN.rule[row]], host = DATA.hosts[COLUMN.host[row]].name;
  let shown = rule.title;
  if (view.group === "control") {
    const detail = detailOf(row), actual = readable(detail.actual).replaceAll("\n", ", ").slice(0, 200);
    shown = detail.reason || (actual ? "found " + actual : rule.title);
  }
  return [el("span", { class: "title" }, shown), el("span", { class: "sub" }, host)];
}

function findingCells(row) {
  const rule = RULES[COLUMN.rule[row]], host = DATA.hosts[COLUMN.host[row]];
  const changed = DATA.texts[COLUMN.changed[row]];
  return [severityMark(rule.severity), titleCell(row), statusPill(COLUMN.status[row]), el("span", { class: "mono" }, host.name),
    el("span", { class: "mono", title: rule.section }, rule.section), el("span", { title: changed ? "since " + moment(changed) : null }, age(changed))];
}

function groupCells(group) {
  const first = group.rows[0], rule = RULES[COLUMN.rule[first]];
  const count = el("span", { class: "tally" });
  if (view.group === "host") {
    const host = DATA.hosts[COLUMN.host[first]];
    count.append(visible(plural(group.rows.length, "finding")));
    const sub = [host.system, host.owner].filter(Boolean).join(" · ");
    return [severityMark(rule.severity), [el("span", { class: "title" }, host.name), el("span", { class: "sub" }, sub)],
      count, "", "", ""];
  }
  const hosts = hostsIn(group.rows);
  const assessed = DATA.hosts.reduce((sum, host) => sum + (host.state === "assessed" ? 1 : 0), 0);
  const only = hosts.size === 1 ? DATA.hosts[COLUMN.host[first]].name : plural(hosts.size, "host");
  count.append(meter(hosts.size / Math.max(1, assessed)));
  const statuses = new Set(group.rows.map((row) => COLUMN.status[row]));
  const sub = statuses.size === 1 ? title(DATA.statuses[COLUMN.status[first]]) + " on " + only : plural(group.rows.length, "finding");
  return [severityMark(rule.severity), [el("span", { class: "title" }, rule.title), el("span", { class: "sub" }, sub)],
    statuses.size === 1 ? statusPill(COLUMN.status[first]) : el("span", { class: "quiet" }, "mixed"),
    [el("span", null, only), count], el("span", { class: "mono", title: rule.section }, rule.section), ""];
}

const SVG = "http://www.w3.org/2000/svg";
function meter(share, tone = "") {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 100 6");
  svg.setAttribute("preserveAspectRatio", "none");
  svg.setAttribute("aria-hidden", "true");
  svg.setAttribute("class", "meter");
  if (tone) svg.dataset.tone = tone;
  for (const [name, width] of [["meter-track", 100], ["meter-fill", Math.max(0, Math.min(100, 100 * share))]]) {
    const rect = document.createElementNS(SVG, "rect");
    rect.setAttribute("class", name);
    rect.setAttribute("height", "6");
    rect.setAttribute("width", String(width));
    svg.append(rect);
  }
  return svg;
}

const findingList = new VirtualList(document.getElementById("findings"), {
  name: "findings", label: "Findings",
  columns: [{ name: "severity-cell", title: "Severity", sort: "severity" }, { name: "title-cell", title: "Finding" },
    { name: "status-cell", title: "Status" }, { name: "host-cell", title: "Host", sort: "host" },
    { name: "section-cell", title: "Section", sort: "section" }, { name: "age-cell", title: "Since", sort: "changed" }],
  fill: (index) => view.items[index] < 0 ? groupCells(view.groups[~view.items[index]]) : findingCells(view.items[index]),
  describe: (index, row) => {
    const item = view.items[index];
    row.classList.toggle("child", view.group !== "" && item >= 0);
    if (view.group) row.setAttribute("aria-level", item < 0 ? "1" : "2");
    row.dataset.status = item < 0 ? "" : DATA.statuses[COLUMN.status[item]];
    if (item >= 0) return;
    row.classList.add("group");
    row.setAttribute("aria-expanded", String(view.opened.has(view.groups[~item].key)));
  },
  open: (index) => {
    const item = view.items[index];
    if (item >= 0) openDrawer(item);
    else toggleGroup(index, view.groups[~item]);
  },
  onSort: (key) => { view.sort = key; refresh(); },
});
findingList.onMove = (index) => { if (drawerIsOpen() && view.items[index] >= 0) openDrawer(view.items[index], false); };

function toggleGroup(index, group) {
  if (!view.opened.delete(group.key)) view.opened.add(group.key);
  arrange();
  findingList.show(view.items.length, index);
}

findingList.grid.addEventListener("keydown", (event) => {
  const item = view.items[findingList.active];
  if (event.key !== "ArrowRight" && event.key !== "ArrowLeft" || item === undefined || item >= 0) return;
  const group = view.groups[~item];
  if (view.opened.has(group.key) === (event.key === "ArrowLeft")) toggleGroup(findingList.active, group);
  event.preventDefault();
});
