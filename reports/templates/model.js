"use strict";
/* The data island, decoded, and what a filter leaves of it. */

const data = JSON.parse(document.getElementById("data").textContent);
const SEVERITIES = ["low", "medium", "high", "critical"];
const OUTCOMES = { f: "fail", e: "error", w: "waived", m: "manual", t: "attested", p: "pass", n: "not-applicable" };
const LETTERS = Object.fromEntries(Object.entries(OUTCOMES).map(([letter, outcome]) => [outcome, letter]));

const checks = data.checks.map(([id, number, title, section, severity, level, rationale, remediation], index) => ({
  index, id, number, title, section, severity, level, rationale, remediation,
  words: [id, number, title, section].join("\n").toLowerCase(),
}));
const sections = [...new Set(checks.map((check) => check.section))];

const hosts = data.hosts.map(([name, platform, transport, address, engine, system, groups, collected, error, outcomes, details], index) => ({
  index, name, platform, transport, address, engine, system, groups, collected, error, outcomes,
  details: new Map(details.map((row) => [row[0], row])),
  words: [name, address, engine, system, groups].join("\n").toLowerCase(),
}));
const hostNames = new Set(hosts.map((host) => host.name));
let lowered = null;

/* By section: how many failures by severity, and how many of the other outcomes. The weight orders hosts, worst first. */
for (const host of hosts) {
  host.sections = new Map(sections.map((name) => [name, { fails: [0, 0, 0, 0], failed: 0, errors: 0, waived: 0, manual: 0, passed: 0 }]));
  host.tally = {};
  host.weight = 0;
  for (const check of checks) {
    const letter = host.outcomes[check.index];
    const cell = host.sections.get(check.section);
    host.tally[letter] = (host.tally[letter] || 0) + 1;
    if (letter === "f") {
      cell.fails[check.severity] += 1;
      cell.failed += 1;
      host.weight += 10 ** (2 * check.severity);
    }
    if (letter === "e") cell.errors += 1;
    if (letter === "w") cell.waived += 1;
    if (letter === "m") cell.manual += 1;
    if (letter === "p") cell.passed += 1;
  }
  const { p = 0, f = 0, w = 0 } = host.tally;
  host.rate = p + f + w ? Math.floor((100 * p) / (p + f + w)) : null;
  // Out of reach: after those that are known to fail, before those that are known to be well.
  if (host.error) host.weight = 0.5;
}

/* A host and a check: what was found, a row for each finding, or one row that gives the reason. */
function rowsOf(host, check) {
  const letter = host.outcomes[check.index];
  const detail = host.details.get(check.index);
  const base = { host, check, letter, reason: -1, remark: -1, finding: 0 };
  if (!detail) return [base];
  base.reason = detail[1];
  base.remark = detail[2];
  if (detail.length === 3) return [base];
  const rows = [];
  for (let at = 3; at < detail.length; at += 4) rows.push({ ...base, finding: at, texts: detail.slice(at, at + 4) });
  return rows;
}

/* For each word of the query, which texts, checks and hosts hold it. */
function searcher(query) {
  const words = query.toLowerCase().split(/\s+/).filter(Boolean);
  if (!words.length) return null;
  lowered = lowered || data.texts.map((text) => text.toLowerCase());
  return words.map((word) => ({
    texts: Uint8Array.from(lowered, (text) => text.includes(word)),
    checks: checks.map((check) => check.words.includes(word)),
    hosts: hosts.map((host) => host.words.includes(word)),
  }));
}

function found(row, search) {
  return search.every((word) => word.checks[row.check.index] || word.hosts[row.host.index]
    || [row.reason, row.remark].some((text) => word.texts[text] === 1) || (row.texts && row.texts.some((text) => word.texts[text] === 1)));
}

function hostFilter(name) {
  if (!name) return () => true;
  if (hostNames.has(name)) return (host) => host.name === name;
  const part = name.toLowerCase();
  return (host) => host.name.toLowerCase().includes(part);
}

/* The groups that a filter leaves: [{check or host, results: [{host, check, rows}]}], worst first. */
function select(filter) {
  const letters = new Set(filter.outcome.map((outcome) => LETTERS[outcome]));
  const wanted = checks.filter((check) => (!filter.section || check.section === filter.section)
    && (!filter.severity.length || filter.severity.includes(SEVERITIES[check.severity])));
  const search = searcher(filter.q);
  const groups = new Map();
  const total = { results: 0, hosts: 0 };
  for (const host of hosts.filter(hostFilter(filter.host))) {
    let seen = false;
    for (const check of wanted) {
      if (!letters.has(host.outcomes[check.index])) continue;
      let rows = rowsOf(host, check);
      if (search) rows = rows.filter((row) => found(row, search));
      if (!rows.length) continue;
      const key = filter.group === "host" ? host : check;
      if (!groups.has(key)) groups.set(key, []);
      groups.get(key).push({ host, check, rows });
      total.results += 1;
      seen = true;
    }
    total.hosts += seen;
  }
  const ordered = [...groups].map(([key, results]) => ({ key, results }));
  if (filter.group === "host") ordered.sort((a, b) => b.key.weight - a.key.weight || compare(a.key.name, b.key.name));
  else ordered.sort((a, b) => failed(b) - failed(a) || b.key.severity - a.key.severity || b.results.length - a.results.length);
  return { groups: ordered, total };
}

/* A check that failed somewhere comes before one that only could not be seen. */
function failed(group) {
  return group.results.some((result) => result.rows[0].letter === "f");
}

function compare(a, b) {
  return a.localeCompare(b, "en", { numeric: true });
}
