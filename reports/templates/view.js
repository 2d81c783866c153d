/* Results as elements. What a host says goes in as text, never as markup. */

const BATCH = 50;

function el(tag, attributes, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes || {})) if (value !== undefined && value !== "") element.setAttribute(name, value);
  element.append(...children.filter((child) => child !== null && child !== undefined && child !== ""));
  return element;
}

function mark() {
  return el("span", { class: "mark", "aria-hidden": "true" });
}

function badge(kind, words) {
  return el("span", { class: `badge ${kind}` }, mark(), words || kind.replace("-", " "));
}

function amount(number, one, many) {
  return `${number.toLocaleString("en")} ${number === 1 ? one : many || `${one}s`}`;
}

function link(filter) {
  return `#${new URLSearchParams(filter).toString()}`;
}

function hostLink(host) {
  return el("a", { class: "host", href: link({ host: host.name, outcome: "fail,error" }) }, el("bdi", null, host.name));
}

/* Adds items in batches; a button brings the next. */
function batches(container, items, build, after) {
  let shown = 0;
  const more = el("button", { type: "button" });
  const row = el("div", { class: "more-row" }, more);
  const next = (size) => {
    container.append(...items.slice(shown, shown + size).map(build));
    shown = Math.min(items.length, shown + size);
    row.hidden = shown === items.length;
    more.textContent = `Show ${Math.min(BATCH, items.length - shown)} more of ${(items.length - shown).toLocaleString("en")}`;
  };
  more.addEventListener("click", () => {
    const at = container.children.length;
    next(BATCH);
    const first = container.children[at];
    const target = first && (first.matches("summary, a") ? first : first.querySelector("summary, a, button"));
    if (target) target.focus();
  });
  next(BATCH);
  (after || container).append(row);
  return next;
}

/* The matrix */

function cellOf(host, name) {
  const cell = host.sections.get(name);
  const worst = cell.fails.findLastIndex((count) => count > 0);
  const kind = worst >= 0 ? SEVERITIES[worst] : cell.errors ? "error" : cell.waived ? "waived" : cell.passed ? "pass" : "nothing";
  const said = [cell.failed && `${amount(cell.failed, "failure")}, worst ${SEVERITIES[worst]}`, cell.errors && `${cell.errors} not known`,
    cell.waived && `${cell.waived} waived`, cell.manual && `${cell.manual} for a person to decide`, cell.passed && `${cell.passed} passed`].filter(Boolean);
  const label = `${name} on ${host.name}: ${said.join("; ") || "nothing to decide"}`;
  const number = { error: cell.errors, waived: cell.waived }[kind] || cell.failed;
  const parts = [mark(), number ? String(number) : ""];
  if (cell.failed && cell.errors) parts.push(el("span", { class: "also" }, mark(), String(cell.errors)));
  const outcome = cell.failed || cell.errors ? "fail,error" : "pass,waived,manual,attested,not-applicable";
  return el("td", { class: "cellbox", role: "cell" },
    el("a", { class: `cell ${kind}`, href: link({ host: host.name, section: name, outcome }), "aria-label": label, title: label, "data-label": name }, ...parts));
}

function matrixRow(host) {
  const name = el("th", { scope: "row", role: "rowheader" }, hostLink(host), host.error ? el("span", { class: "sub" }, "could not be audited") : "");
  const rate = el("td", { class: "rate", role: "cell" }, host.rate === null ? "–" : `${host.rate} %`, el("span", { class: "sr" }, " passed"));
  return el("tr", { role: "row" }, name, rate, ...sections.map((section) => cellOf(host, section)));
}

function matrix(order) {
  const head = ["Host", "Passed", ...sections].map((name) => el("th", { scope: "col", role: "columnheader" }, name));
  const body = el("tbody", { role: "rowgroup" });
  const sorted = [...hosts].sort((a, b) => (order === "name" ? 0 : b.weight - a.weight || 0) || compare(a.name, b.name));
  const table = el("table", { class: "matrix", role: "table", "aria-label": "Hosts by section" },
    el("thead", { role: "rowgroup" }, el("tr", { role: "row" }, ...head)), body);
  const box = document.getElementById("matrix");
  box.replaceChildren(hosts.length ? table : el("p", { class: "none-left" }, "No host was audited."));
  return batches(body, sorted, matrixRow, box);
}

/* One check's words and evidence */

/* Our own words, written as docstrings: paragraphs, indented commands, ``code``. */
function prose(text) {
  return text.split(/\n\s*\n/).map((paragraph) => {
    if (/^ {2,}/.test(paragraph)) return el("pre", null, paragraph.replace(/^ +/gm, ""));
    const parts = paragraph.split("``").map((part, index) => (index % 2 ? el("code", null, part) : part));
    return el("p", { class: /^([-*]|\d+\.) /m.test(paragraph) ? "list" : "" }, ...parts);
  });
}

function words(check) {
  const block = (title, text) => (text ? el("div", null, el("h4", null, title), ...prose(text)) : null);
  if (!check.rationale && !check.remediation) return null;
  return el("div", { class: "words" }, block("Why it matters", check.rationale), block("What to do", check.remediation));
}

function remark(row) {
  const parts = [];
  if (row.letter !== "f") parts.push(badge(OUTCOMES[row.letter]));
  if (row.remark >= 0) parts.push(el("span", { class: "remark" }, el("bdi", null, data.texts[row.remark])));
  if (row.reason >= 0) parts.push(el("span", { class: "remark" }, el("bdi", null, (row.letter === "f" ? "Not seen: " : "") + data.texts[row.reason])));
  return el("div", null, ...parts);
}

function evidenceRow(row, withHost, first) {
  const cell = (label, ...content) => el("td", { role: "cell", "data-label": label }, ...content);
  const value = (at, kind) => (data.texts[row.texts[at]] ? el("bdi", { class: `value-text ${kind || ""}` }, data.texts[row.texts[at]]) : "");
  const host = withHost ? cell("Host", hostLink(row.host)) : null;
  if (!row.texts) return el("tr", { role: "row" }, host, el("td", { role: "cell", colspan: 4, "data-label": "Outcome" }, remark(row)));
  const subject = el("div", null, value(0), first ? remark(row) : "");
  return el("tr", { role: "row" }, host, cell("Subject", subject), cell("Observed", value(1, row.letter === "f" ? "observed" : "")), cell("Expected", value(2)), cell("Source", value(3)));
}

function evidence(results, withHost) {
  const rows = results.flatMap((result) => result.rows.map((row, index) => [row, index === 0]));
  const head = [...(withHost ? ["Host"] : []), "Subject", "Observed", "Expected", "Source"].map((name) => el("th", { scope: "col", role: "columnheader" }, name));
  const body = el("tbody", { role: "rowgroup" });
  const table = el("table", { class: "evidence", role: "table", "aria-label": "Evidence" }, el("thead", { role: "rowgroup" }, el("tr", { role: "row" }, ...head)), body);
  const box = el("div", null, table);
  batches(body, rows, ([row, first]) => evidenceRow(row, withHost, first), box);
  return box;
}

/* Groups: closed until they are asked for, and then built once */

function group(summary, build) {
  const details = el("details", { class: "group card" }, el("summary", null, ...summary));
  details.build = () => {
    if (!details.built) details.append(...build().filter(Boolean));
    details.built = true;
  };
  details.addEventListener("toggle", () => details.open && details.build());
  return details;
}

/* A row is a finding, or an outcome that has none. */
function measure(rows) {
  return rows.every((row) => row.texts) ? amount(rows.length, "finding") : amount(rows.length, "entry", "entries");
}

function tally(results, one) {
  return el("span", { class: "tally" }, `${amount(results.length, one)} · ${measure(results.flatMap((result) => result.rows))}`);
}

function heading(check, level) {
  const name = [check.number, check.id].filter(Boolean).join(" ");
  const suffix = check.level ? ` · level ${check.level}` : "";
  return el(level, null, el("bdi", null, check.title), " ", el("span", { class: "name" }, el("bdi", null, name), ` · ${check.section}${suffix}`));
}

function checkGroup({ key: check, results }) {
  const summary = [badge(SEVERITIES[check.severity]), heading(check, "h3"), tally(results, "host")];
  return group(summary, () => [words(check), evidence(results, true)]);
}

function hostGroup({ key: host, results }) {
  const rate = host.error ? badge("error", "unreachable") : badge(host.tally.f ? "fail" : "pass", host.rate === null ? "–" : `${host.rate} %`);
  const title = el("h3", null, el("bdi", null, host.name), " ", el("span", { class: "name" }, [host.system, host.engine && `engine ${host.engine}`, host.groups].filter(Boolean).join(" · ")));
  return group([rate, title, tally(results, "check")], () => {
    const inner = el("div", { class: "inner" });
    const sorted = [...results].sort((a, b) => b.check.severity - a.check.severity);
    batches(inner, sorted, (result) => {
      const summary = [badge(SEVERITIES[result.check.severity]), heading(result.check, "h4"), el("span", { class: "tally" }, measure(result.rows))];
      return group(summary, () => [words(result.check), evidence([result], false)]);
    });
    return [inner];
  });
}

function aboutHost(name) {
  const box = document.getElementById("about-host");
  const host = hosts.find((one) => one.name === name);
  box.hidden = !host;
  if (!host) return box.replaceChildren();
  const facts = [["Address", host.address], ["Platform", host.platform], ["System", host.system], ["Engine", host.engine], ["Transport", host.transport],
    ["Groups", host.groups], ["Collected", host.collected.slice(0, 16).replace("T", " ")], ["Passed", host.rate === null ? "" : `${host.rate} %`]];
  const list = el("dl", { class: "facts" }, ...facts.filter(([, value]) => value).map(([term, value]) => el("div", null, el("dt", null, term), el("dd", null, el("bdi", null, value)))));
  return box.replaceChildren(el("div", { class: "about card" }, el("h3", null, el("bdi", null, host.name)), list, host.error ? el("p", { class: "why" }, el("bdi", null, host.error)) : ""));
}

function showResults({ groups, total }, filter) {
  const box = document.getElementById("results");
  const build = filter.group === "host" ? hostGroup : checkGroup;
  box.replaceChildren();
  batches(box, groups, build);
  if (groups.length === 1) box.firstElementChild.open = true;
  if (!groups.length) box.replaceChildren(el("p", { class: "none-left card" }, hosts.length ? "Nothing matches this filter." : "No host was audited."));
  document.getElementById("count").textContent = `${measure(groups.flatMap(({ results }) => results.flatMap((result) => result.rows)))} in ${amount(total.results, "result")} on ${amount(total.hosts, "host")}`;
  aboutHost(filter.host);
}
