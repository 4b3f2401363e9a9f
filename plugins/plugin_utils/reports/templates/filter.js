// Which findings are shown. Every filter is a table over codes, so one pass over the integer columns gives the rows and
// the counts of all facets (each facet counted under all the other filters).

const STATUS = 1, SEVERITY = 2, BENCHMARK = 4, SECTION = 8, HOST = 16, OWNER = 32, AREA = 64, CONTROL = 128, SEARCH = 256;
const FACETS = ["status", "severity", "benchmark", "section", "host", "owner", "area", "control"];
const BIT = { status: STATUS, severity: SEVERITY, benchmark: BENCHMARK, section: SECTION, host: HOST, owner: OWNER,
  area: AREA, control: CONTROL };
const MULTIPLE = new Set(["status", "severity"]);

const filters = { status: new Set(), severity: new Set(), benchmark: "", section: "", host: "", owner: "", area: "",
  control: "", q: "" };

function isFiltered() {
  return filters.q !== "" || FACETS.some((name) => MULTIPLE.has(name) ? filters[name].size > 0 : filters[name] !== "");
}

function clearFilters() {
  for (const name of FACETS) filters[name] = MULTIPLE.has(name) ? new Set() : "";
  filters.q = "";
}

function inSection(section, chosen) {
  return section === chosen || section.startsWith(chosen + ".");
}

// Bits of the filters that a rule alone decides.
function ruleBits() {
  return Int32Array.from(RULES, (rule) =>
    (filters.severity.size && !filters.severity.has(DATA.severities[rule.severity]) ? SEVERITY : 0) |
    (filters.benchmark && rule.benchmark !== filters.benchmark ? BENCHMARK : 0) |
    (filters.section && !inSection(rule.section, filters.section) ? SECTION : 0) |
    (filters.area && rule.area !== filters.area ? AREA : 0) |
    (filters.control && rule.key !== filters.control ? CONTROL : 0));
}

// Words of a search: all must be found, in any place; "quoted words" stay together.
function words(query) {
  return [...query.toLowerCase().matchAll(/"([^"]+)"?|[^\s"]+/g)].map((match) => match[1] || match[0]).slice(0, 8);
}

let haystacks = null;
function searchTexts() {
  if (!haystacks) {
    const flat = (values) => values.filter(Boolean).join("\n").toLowerCase();
    haystacks = {
      rule: RULES.map((rule) => flat([rule.title, rule.control, rule.section, rule.benchmark, rule.known.fix,
        rule.known.rationale, ...(rule.known.attack || [])])),
      host: DATA.hosts.map((host) => flat([host.name, host.team, host.environment, host.system, ...(host.groups || [])])),
      text: DATA.texts.map((text) => text.toLowerCase()),
      detail: DATA.details.map((text) => text.toLowerCase()),
    };
  }
  return haystacks;
}

const found = new Map();
function hits(word) {
  if (!found.has(word)) {
    const texts = searchTexts();
    const mark = (values, needle) => Uint8Array.from(values, (value) => value.includes(needle) ? 1 : 0);
    // Details are JSON texts: what is looked for is written the same way.
    const inJson = JSON.stringify(word).slice(1, -1);
    if (found.size > 64) found.clear();
    found.set(word, { rule: mark(texts.rule, word), host: mark(texts.host, word), text: mark(texts.text, word),
      detail: mark(texts.detail, inJson) });
  }
  return found.get(word);
}

function emptyCounts() {
  return {
    status: new Int32Array(DATA.statuses.length), severity: new Int32Array(DATA.severities.length),
    rule: new Int32Array(RULES.length), section: new Int32Array(RULES.length), area: new Int32Array(RULES.length),
    host: new Int32Array(DATA.hosts.length), owner: new Int32Array(DATA.texts.length),
  };
}

// Return {rows, counts}: numbers of the shown findings in the order of `order`, and counts for the facets.
function applyFilters(order) {
  const ofRule = ruleBits();
  const ofStatus = Int32Array.from(DATA.statuses, (name) => filters.status.size && !filters.status.has(name) ? STATUS : 0);
  const ofHost = Int32Array.from(DATA.hosts, (host) => filters.host && host.name !== filters.host ? HOST : 0);
  const ofOwner = Int32Array.from(DATA.texts, (text) => filters.owner && text !== filters.owner ? OWNER : 0);
  const marks = words(filters.q).map(hits);
  const { rule, host, status, owner, detail } = COLUMN;
  const rows = new Int32Array(COUNT);
  const counts = emptyCounts();
  let shown = 0;
  for (let index = 0; index < COUNT; index++) {
    const row = order[index], r = rule[row], h = host[row];
    let bits = ofRule[r] | ofStatus[status[row]] | ofHost[h] | ofOwner[owner[row]];
    for (const mark of marks) {
      if (!mark.rule[r] && !mark.host[h] && !mark.detail[detail[row]] && !mark.text[owner[row]]) {
        bits |= SEARCH;
        break;
      }
    }
    if (bits === 0) {
      rows[shown++] = row;
      counts.status[status[row]]++;
      counts.severity[RULES[r].severity]++;
      counts.rule[r]++;
      counts.section[r]++;
      counts.area[r]++;
      counts.host[h]++;
      counts.owner[owner[row]]++;
    } else if (bits === STATUS) counts.status[status[row]]++;
    else if (bits === SEVERITY) counts.severity[RULES[r].severity]++;
    else if (bits === BENCHMARK) counts.rule[r]++;
    else if (bits === SECTION) counts.section[r]++;
    else if (bits === AREA) counts.area[r]++;
    else if (bits === HOST) counts.host[h]++;
    else if (bits === OWNER) counts.owner[owner[row]]++;
  }
  return { rows: rows.subarray(0, shown), counts };
}
