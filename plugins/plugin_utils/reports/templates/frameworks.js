// Frameworks: what each asks for and how many hosts meet it. A framework has a thousand requirements, so that only the
// one that is chosen is drawn.

const STATE_TONES = ["fail", "unreadable", "pass", "not_applicable", "manual", "manual"];

function hostCounts(counts) {
  return counts.map((count, place) => count
    ? el("span", { class: "host-count" }, count.toLocaleString("en") + " " + title(DATA.frameworks.statuses[place]).toLowerCase())
    : null);
}

function requirementRow([name, text, state, controls, counts]) {
  return [el("span", { class: "mono" }, name), text, el("span", { class: "pill", "data-status": STATE_TONES[state] }, DATA.frameworks.states[state]),
    hostCounts(counts), String(controls)];
}

function drawFramework(place, holder) {
  const framework = DATA.frameworks.list[place];
  const judged = framework.rows.filter((row) => row.length > 2).map((row, at) => [row, at])
    .sort(([a, left], [b, right]) => a[2] - b[2] || left - right).map(([row]) => row);
  const unchecked = framework.rows.filter((row) => row.length === 2);
  holder.replaceChildren(
    el("ul", { class: "legend states" }, framework.counts.map((count, state) => count
      ? el("li", null, el("span", { class: "pill", "data-status": STATE_TONES[state] }, DATA.frameworks.states[state]), " ",
        el("b", null, count.toLocaleString("en"))) : null)),
    judged.length ? table("Requirements with a check", ["Requirement", "What it asks for", "State", "Hosts", "Controls"], judged.map(requirementRow)) : "",
    unchecked.length ? el("details", { class: "unchecked" },
      el("summary", null, plural(unchecked.length, "requirement") + " without a check here: judge them by other means"),
      table("Requirements without a check", ["Requirement", "What it asks for"],
        unchecked.map(([name, text]) => [el("span", { class: "mono" }, name), text]))) : "");
}

function fillFrameworks() {
  const holder = document.getElementById("frameworks");
  if (!holder) return;
  const body = el("div", null);
  const select = el("select", { id: "select-framework", "aria-label": "Framework" },
    DATA.frameworks.list.map((framework, place) => el("option", { value: String(place) }, framework.title)));
  select.addEventListener("change", () => drawFramework(Number(select.value), body));
  holder.append(el("div", { class: "framework-bar" }, select), body);
  drawFramework(0, body);
}
