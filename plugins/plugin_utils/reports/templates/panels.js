// Hosts, alerts and exceptions.

function tone(percent) {
  if (percent === null) return "none";
  return percent >= 70 ? "good" : percent >= 40 ? "fair" : "poor";
}

function number(value) {
  return value === null || value === undefined ? "–" : value.toFixed(1);
}

// Hosts that were assessed, worst score first, then the others.
const hostOrder = DATA.hosts.map((_, index) => index).sort((a, b) => {
  const left = DATA.hosts[a].score.percent, right = DATA.hosts[b].score.percent;
  return (left === null) - (right === null) || left - right || collator.compare(DATA.hosts[a].name, DATA.hosts[b].name);
});

function failedMarks(host) {
  return el("span", { class: "failed-marks" }, DATA.severities.map((name, code) => host.failed[code]
    ? el("span", { class: "count", "data-severity": name, title: host.failed[code] + " failed, " + name },
      el("span", { class: "hidden-text" }, name + " "), String(host.failed[code]))
    : null));
}

function hostCells(index) {
  const host = DATA.hosts[hostOrder[index]];
  const assessed = host.state === "assessed";
  const sub = [host.system, host.environment, host.notes && host.notes[0]].filter(Boolean).join(" · ");
  const unread = host.counts[DATA.statuses.indexOf("unreadable")] + host.counts[DATA.statuses.indexOf("error")];
  return [
    [el("span", { class: "title mono" }, host.name), el("span", { class: "sub" }, assessed ? sub : (host.reason || {}).text || "")],
    assessed ? [meter((host.score.percent || 0) / 100, tone(host.score.percent)), el("b", null, number(host.score.percent))]
      : el("span", { class: "pill", "data-status": host.state === "failed" ? "fail" : "unreadable" }, host.state),
    assessed ? el("span", null, number(host.score.weighted) + " %") : "",
    failedMarks(host), unread ? String(unread) : "", el("span", null, host.owner || ""),
  ];
}

const hostList = new VirtualList(document.getElementById("hosts"), {
  name: "hosts", label: "Hosts",
  columns: [{ name: "title-cell", title: "Host" }, { name: "score-cell", title: "Score, %" }, { name: "rate-cell", title: "Pass rate" },
    { name: "failed-cell", title: "Failed" }, { name: "unread-cell", title: "Not readable" }, { name: "owner-cell", title: "Owner" }],
  fill: hostCells,
  open: (index) => {
    const host = DATA.hosts[hostOrder[index]];
    if (host.state === "assessed") only({ host: host.name });
    else showTab("missing");
  },
});

function table(label, heads, rows) {
  return el("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": label },
    el("table", { class: "plain" }, el("caption", null, label),
      el("thead", null, el("tr", null, heads.map((head) => el("th", { scope: "col" }, head)))),
      el("tbody", null, rows.map((cells) => el("tr", null, cells.map((cell) => el("td", null, cell)))))));
}

function alertSteps(alert) {
  return el("details", null, el("summary", null, alert.title),
    el("p", null, alert.description), (alert.evidence || []).map((item) => el("pre", null, readable(item.where) + "\n" + readable(item.what))),
    (alert.steps || []).length ? el("ol", null, alert.steps.map((one) => el("li", null, one))) : null,
    (alert.techniques || []).length ? el("p", { class: "quiet" }, "ATT&CK " + alert.techniques.join(", ")) : null);
}

function fillPanels() {
  const alerts = document.getElementById("alerts"), exceptions = document.getElementById("exceptions");
  if (alerts) {
    alerts.append(table("Alerts", ["Severity", "Alert", "Host", "Status", "Seen", "Last seen"], DATA.alerts.map((alert) => [
      el("span", { class: "severity", "data-severity": alert.severity }, capital(alert.severity)), alertSteps(alert),
      el("span", { class: "mono" }, alert.host || "the fleet"), alert.status, plural(alert.count || 1, "time"), moment(alert.last_seen || "")])));
  }
  if (exceptions) {
    exceptions.append(table("Exceptions", ["Exception", "Applies to", "Hosts", "Reason", "Owner", "Expires"],
      DATA.dispositions.map((item) => [
        el("button", { type: "button", class: "link", click: () => only({ q: "" }, ["excepted"]) }, item.id || ""),
        el("span", { class: "mono" }, readable(item.selector).replaceAll("\n", ", ")), el("span", { class: "mono" }, readable(item.hosts)),
        [item.category ? item.category + ": " : "", item.reason || "", item.ticket ? " (" + item.ticket + ")" : ""].join(""),
        item.owner || "", [item.expires || "", item.state === "expired" ? "ended" : "", item.where || ""].filter(Boolean).join(", ")])));
  }
}
