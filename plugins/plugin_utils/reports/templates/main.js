// Wiring: controls of the filter bar, tabs, the address's fragment, keys.

const byId = (id) => document.getElementById(id);
const search = byId("search");
const chips = { status: new Map(), severity: new Map() };

function makeChips(name, values, label) {
  for (const value of values) {
    const count = el("span", { class: "chip-count" });
    const chip = el("button", { type: "button", class: "chip", "data-value": value, "aria-pressed": "false",
      ["data-" + name]: value, click: () => toggleChip(name, value) }, el("span", null, label(value)), count);
    chips[name].set(value, { chip, count });
    byId("chips-" + name).append(chip);
  }
}

function toggleChip(name, value) {
  if (!filters[name].delete(value)) filters[name].add(value);
  refresh();
}

const SELECTS = ["benchmark", "section", "host", "owner", "area"];
const choices = {};

// Parts of section numbers up to three levels, for the section filter: 5, 5.1, 5.1.2.
function sectionChoices() {
  const found = new Set();
  for (const rule of RULES) {
    const parts = rule.section.split(".");
    for (let depth = 1; depth <= Math.min(3, parts.length); depth++) found.add(parts.slice(0, depth).join("."));
  }
  return [...found].sort(collator.compare);
}

function listChoices() {
  const owners = new Set();
  for (const owner of COLUMN.owner) owners.add(owner);
  const unique = (values) => [...new Set(values)].filter(Boolean).sort(collator.compare);
  choices.benchmark = unique(RULES.map((rule) => rule.benchmark))
    .map((id) => [id, DATA.benchmarks[id] ? DATA.benchmarks[id].title : id]);
  choices.section = sectionChoices().map((section) => [section, section]);
  const assessed = DATA.hosts.filter((host) => host.state === "assessed");
  choices.host = unique(assessed.map((host) => host.name)).map((name) => [name, name]);
  choices.owner = unique([...owners].map((code) => DATA.texts[code])).map((name) => [name, name]);
  choices.area = unique(RULES.map((rule) => rule.area)).map((key) => [key, DATA.areas[key] || key]);
  for (const name of SELECTS) {
    const select = byId("select-" + name);
    choices[name].forEach(([, shown], place) => select.append(el("option", { value: String(place + 1) }, shown)));
    select.hidden = choices[name].length < 2;
    select.addEventListener("change", () => {
      filters[name] = select.value ? choices[name][Number(select.value) - 1][0] : "";
      refresh();
    });
  }
  byId("select-group").addEventListener("change", (event) => { view.group = event.target.value; refresh(); });
}

function showChoices() {
  for (const name of SELECTS) {
    const select = byId("select-" + name);
    let place = choices[name].findIndex(([value]) => value === filters[name]);
    if (place < 0 && filters[name]) {
      choices[name].push([filters[name], filters[name]]);
      place = choices[name].length - 1;
      select.append(el("option", { value: String(place + 1) }, filters[name]));
    }
    select.value = place < 0 ? "" : String(place + 1);
    select.classList.toggle("chosen", place >= 0);
  }
  byId("select-group").value = view.group;
}

function showCounts(counts) {
  for (const name of ["status", "severity"]) {
    [...chips[name].entries()].forEach(([value, { chip, count }], code) => {
      const amount = counts[name][code];
      const chosen = filters[name].has(value);
      count.textContent = amount.toLocaleString("en");
      chip.setAttribute("aria-pressed", String(chosen));
      chip.hidden = !amount && !chosen && !view.total[name][code];
    });
  }
  const controls = new Set();
  for (const row of view.rows) controls.add(RULES[COLUMN.rule[row]].key);
  let text = plural(view.rows.length, "finding");
  if (view.group === "control" && view.rows.length) text += " of " + plural(controls.size, "control");
  if (filters.control) text += ": " + (RULES.find((rule) => rule.key === filters.control) || { title: filters.control }).title;
  byId("found").textContent = visible(text);
  byId("clear").hidden = !isFiltered();
}

// Filter, arrange and draw anew.
function refresh() {
  const { rows, counts } = applyFilters(orderBy(view.sort));
  view.rows = rows;
  view.counts = counts;
  if (!view.total) view.total = counts;
  arrange();
  findingList.grid.setAttribute("role", view.group ? "treegrid" : "grid"); // only a tree's rows may expand
  findingList.markSort(view.sort);
  findingList.show(view.items.length);
  showCounts(counts);
  showChoices();
  if (search.value !== filters.q) search.value = filters.q;
  const work = byId("work").getBoundingClientRect().top;
  if (work < 0 && !byId("panel-findings").hidden) scrollBy(0, work);
  saveHash();
}

// Show the findings with only these filters: what a click on a number, a host or a section means.
function only(chosen, status = ["fail"]) {
  clearFilters();
  Object.assign(filters, chosen);
  filters.status = new Set(status);
  if (openedRow >= 0 && innerWidth < 900) closeDrawer();
  if (chosen.host) view.group = "";
  if (chosen.control) view.group = "";
  showTab("findings");
  refresh();
  byId("work").scrollIntoView({ block: "start" });
}

const tabs = [...document.querySelectorAll("[role=tab]")];
let currentTab = "findings";

function showTab(name) {
  if (!byId("tab-" + name)) name = "findings";
  currentTab = name;
  for (const tab of tabs) {
    const chosen = tab.id === "tab-" + name;
    tab.setAttribute("aria-selected", String(chosen));
    tab.tabIndex = chosen ? 0 : -1;
    byId(tab.getAttribute("aria-controls")).hidden = !chosen;
  }
  byId("filters").hidden = name !== "findings";
  if (name !== "findings" && drawerIsOpen()) closeDrawer();
  if (name === "hosts") hostList.show(hostOrder.length, hostList.active);
  if (name === "findings") findingList.draw();
  measureBar();
  saveHash();
}

function measureBar() {
  document.documentElement.style.setProperty("--bar", stickyHeight() + "px");
}

// The section column is as wide as the longest id of a published benchmark here; longer names take two lines.
function measureSections() {
  const longest = Math.max(8, ...RULES.map((rule) => rule.section.length));
  document.documentElement.style.setProperty("--section", Math.ceil(Math.min(15, longest) * 8.4) + "px");
}

// The address keeps the filters, so that a link or a bookmark opens the same view.
let loading = true;
function saveHash() {
  if (loading) return;
  const parts = new URLSearchParams();
  for (const name of FACETS) {
    const value = MULTIPLE.has(name) ? [...filters[name]].join(",") : filters[name];
    if (value) parts.set(name, value);
  }
  if (filters.q) parts.set("q", filters.q);
  if (!isFiltered()) parts.set("status", "all"); // told from no fragment at all, which shows what failed
  parts.set("group", view.group || "none");
  if (view.sort !== "severity") parts.set("sort", view.sort);
  if (currentTab !== "findings") parts.set("view", currentTab);
  if (drawerIsOpen()) parts.set("finding", findingName(openedRow));
  const wanted = "#" + parts.toString();
  if (wanted !== location.hash) {
    try { history.replaceState(null, "", wanted); } catch { /* some browsers refuse it on file: the page works without */ }
  }
}

function findingName(row) {
  const rule = RULES[COLUMN.rule[row]];
  return JSON.stringify([DATA.hosts[COLUMN.host[row]].name, rule.benchmark, rule.section, rule.control]);
}

function loadHash() {
  const parts = new URLSearchParams(location.hash.slice(1));
  loading = true;
  clearFilters();
  for (const name of FACETS) {
    if (!parts.has(name)) continue;
    filters[name] = MULTIPLE.has(name) ? new Set(parts.get(name).split(",").filter((value) => chips[name].has(value))) : parts.get(name);
  }
  filters.q = (parts.get("q") || "").slice(0, 200);
  if (![...parts.keys()].some((name) => name !== "group" && name !== "view") && view.total.status[FAIL]) filters.status.add("fail");
  if (["control", "host"].includes(parts.get("group"))) view.group = parts.get("group");
  if (parts.get("group") === "none") view.group = "";
  if (["host", "section", "changed"].includes(parts.get("sort"))) view.sort = parts.get("sort");
  showTab(parts.get("view") || "findings");
  refresh();
  if (parts.has("finding")) {
    for (let row = 0; row < COUNT; row++) if (findingName(row) === parts.get("finding")) { openDrawer(row, false); break; }
  }
  loading = false;
}

function typing(target) {
  return target instanceof HTMLElement && target.matches("input, select, textarea");
}

document.addEventListener("keydown", (event) => {
  if (event.altKey || event.ctrlKey || event.metaKey) return;
  if (event.key === "/" && !typing(event.target)) {
    showTab("findings");
    search.focus();
    search.select();
    event.preventDefault();
  } else if (event.key === "Escape") {
    if (drawerIsOpen()) closeDrawer();
    else if (event.target === search && search.value) { filters.q = ""; refresh(); }
    else if (event.target === search) findingList.grid.focus();
  } else if (event.target === search && (event.key === "ArrowDown" || event.key === "Enter")) {
    findingList.grid.focus();
    event.preventDefault();
  }
});

document.querySelector("[role=tablist]").addEventListener("keydown", (event) => {
  const place = tabs.indexOf(document.activeElement);
  const next = { ArrowRight: place + 1, ArrowLeft: place - 1, Home: 0, End: tabs.length - 1 }[event.key];
  if (next === undefined || place < 0) return;
  const tab = tabs[(next + tabs.length) % tabs.length];
  showTab(tab.id.slice(4));
  tab.focus();
  event.preventDefault();
});

// Numbers of the summary are links; inside the page they set the filters and move to the list.
for (const link of document.querySelectorAll(".summary a[href^='#']")) {
  link.addEventListener("click", (event) => {
    event.preventDefault();
    const parts = new URLSearchParams(link.getAttribute("href").slice(1));
    if (parts.has("view")) {
      showTab(parts.get("view"));
      byId("work").scrollIntoView({ block: "start" });
      return;
    }
    const chosen = {};
    if (parts.has("severity")) chosen.severity = new Set([parts.get("severity")]);
    if (parts.has("area")) chosen.area = parts.get("area");
    only(chosen, parts.has("status") ? [parts.get("status")] : []);
  });
}

document.documentElement.classList.add("js");
makeChips("status", DATA.statuses, title);
makeChips("severity", DATA.severities, capital);
listChoices();
fillPanels();
fillFrameworks();
measureSections();
for (const tab of tabs) tab.addEventListener("click", () => showTab(tab.id.slice(4)));
search.addEventListener("input", () => { filters.q = search.value; refresh(); });
byId("clear").addEventListener("click", () => { clearFilters(); refresh(); search.focus(); });
byId("more").addEventListener("click", () => {
  const open = byId("filters").classList.toggle("open");
  byId("more").setAttribute("aria-expanded", String(open));
  measureBar();
});
addEventListener("resize", measureBar);
addEventListener("hashchange", loadHash);
refresh();
loadHash();
