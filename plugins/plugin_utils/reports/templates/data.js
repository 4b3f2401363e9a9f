// The page's data: one JSON element, columns of integers over dictionaries. Every text here may come from a hostile
// host: it reaches the page through text() and el() alone, which write text nodes and make odd characters visible.

const DATA = JSON.parse(document.getElementById("data").textContent);
const COUNT = DATA.count;
const STATUS_TITLES = {
  fail: "Failed", error: "Error", unreadable: "Unreadable", manual: "Manual", pass: "Passed",
  not_applicable: "Not applicable", excepted: "Excepted",
};
const FAIL = DATA.statuses.indexOf("fail");

function column(name) {
  const values = DATA.rows[name];
  return typeof values === "number" ? new Int32Array(COUNT).fill(values) : Int32Array.from(values);
}

const COLUMN = {};
for (const name of Object.keys(DATA.rows)) COLUMN[name] = column(name);

const RULES = DATA.rules.map(([benchmark, section, control, level, severity, title, reason]) => {
  const known = DATA.controls[control];
  return {
    benchmark, section, control, level, severity, reason,
    title: known ? known.title : title || section,
    area: known ? known.score || "" : "",
    known: known || {},
    key: control || benchmark + "\n" + section,
  };
});

// What Unicode calls control, format or default ignorable: it hides, reorders or steers. The same set as visible.py.
const ODD = new RegExp("[\\u0000-\\u001f\\u007f-\\u009f\\u00ad\\u034f\\u061c\\u115f\\u1160\\u17b4\\u17b5" +
  "\\u180b-\\u180f\\u200b-\\u200f\\u2028-\\u202e\\u2060-\\u206f\\u2800\\u3164\\ud800-\\udfff\\ufe00-\\ufe0f\\ufeff" +
  "\\uffa0\\ufff0-\\uffff\\u{1bca0}-\\u{1bca3}\\u{1d173}-\\u{1d17a}\\u{e0000}-\\u{e0fff}]", "gu");
const SHORT = { "\n": "\\n", "\t": "\\t", "\r": "\\r" };

function visible(value, block = false) {
  return String(value).replace(ODD, (char) => {
    if (block && (char === "\n" || char === "\t")) return char;
    const code = char.codePointAt(0);
    if (SHORT[char]) return SHORT[char];
    return code < 0x10000 ? "\\u" + code.toString(16).padStart(4, "0") : "\\U" + code.toString(16).padStart(8, "0");
  });
}

// A JSON value as a person reads it.
function readable(value) {
  if (value === null || value === undefined) return "";
  if (typeof value === "string") return value;
  if (typeof value === "boolean") return value ? "yes" : "no";
  if (typeof value === "number") return String(value);
  if (Array.isArray(value)) return value.map(readable).join("\n");
  return Object.entries(value).map(([key, item]) => {
    const shown = readable(item);
    return key + (shown.includes("\n") ? ":\n" + shown : ": " + shown);
  }).join("\n");
}

// Make an element. Attribute names are literals of this script; children are elements or text (made visible).
function el(tag, attributes, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes || {})) {
    if (value === null || value === undefined || value === false) continue;
    if (name === "class") element.className = value;
    else if (name === "click") element.addEventListener("click", value);
    else element.setAttribute(name, value === true ? "" : visible(value));
  }
  const block = tag === "pre";
  for (const child of children.flat()) {
    if (child === null || child === undefined || child === "") continue;
    element.append(child instanceof Node ? child : visible(child, block));
  }
  return element;
}

function title(status) {
  return STATUS_TITLES[status] || status;
}

function capital(text) {
  return text ? text[0].toUpperCase() + text.slice(1) : text;
}

function plural(count, noun) {
  return count.toLocaleString("en") + " " + noun + (count === 1 ? "" : "s");
}

function moment(time) {
  return /^\d{4}-\d\d-\d\dT\d\d:\d\d.*Z$/.test(time) ? time.slice(0, 10) + " " + time.slice(11, 16) + " UTC" : time;
}

// Days between two times, counted to the run's start and not to the reader's clock: a report does not age.
const TAKEN = Date.parse(DATA.run.started) || 0;
function age(time) {
  const at = Date.parse(time);
  if (!at) return "";
  const days = Math.floor((TAKEN - at) / 86400000);
  return days <= 0 ? "today" : days + " d";
}

function severityMark(severity) {
  const name = DATA.severities[severity] || "low";
  return el("span", { class: "severity", "data-severity": name }, capital(name));
}

function statusPill(status) {
  const name = DATA.statuses[status];
  return el("span", { class: "pill", "data-status": name }, title(name));
}

// Details are JSON texts, read when a finding is opened: [expected, actual, evidence, reason].
function detailOf(row) {
  const text = DATA.details[COLUMN.detail[row]];
  const [expected, actual, evidence, reason] = text ? JSON.parse(text) : [null, null, [], ""];
  return { left_out: !text, expected, actual, evidence: evidence || [], reason };
}

function historyOf(row) {
  const text = DATA.histories[COLUMN.history[row]];
  return text ? JSON.parse(text) : [];
}
