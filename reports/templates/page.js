/* The filter lives in the address after "#", so that a view can be linked; the form shows it and changes it. */

const DEFAULTS = { q: "", host: "", section: "", severity: [], outcome: ["fail"], group: "check" };
const form = document.querySelector("form.filters");
let timer = 0;

/* An address without "=" names a part of the page, not a filter. */
function fromAddress() {
  const given = new URLSearchParams(location.hash.slice(1));
  const list = (name) => (given.has(name) ? given.get(name).split(",").filter(Boolean) : DEFAULTS[name]);
  return {
    q: given.get("q") || "", host: given.get("host") || "", section: given.get("section") || "",
    severity: list("severity"), outcome: list("outcome"), group: given.get("group") === "host" ? "host" : "check",
  };
}

function fromForm() {
  const checked = (name) => [...form.querySelectorAll(`[name=${name}]:checked`)].map((box) => box.value);
  return {
    q: form.elements.q.value.trim(), host: form.elements.host.value.trim(), section: form.elements.section.value,
    severity: checked("severity"), outcome: checked("outcome"), group: checked("group")[0] || "check",
  };
}

function toForm(filter) {
  for (const name of ["q", "host", "section"]) form.elements[name].value = filter[name];
  for (const box of form.querySelectorAll("[name=severity], [name=outcome]")) box.checked = filter[box.name].includes(box.value);
  for (const box of form.querySelectorAll("[name=group]")) box.checked = box.value === filter.group;
}

function toAddress(filter) {
  const changed = Object.entries(filter).filter(([name, value]) => String(value) !== String(DEFAULTS[name]));
  const address = changed.length ? link(Object.fromEntries(changed)) : location.pathname + location.search;
  history.replaceState(null, "", address);
}

function apply(filter) {
  showResults(select(filter), filter);
  const narrowed = Object.entries(filter).filter(([, value]) => String(value));
  document.getElementById("filter-words").textContent = `Shown: ${narrowed.map(([name, value]) => `${name} ${String(value).replaceAll(",", ", ")}`).join("; ")}.`;
}

function fromLink() {
  if (!location.hash.includes("=")) return;
  const filter = fromAddress();
  toForm(filter);
  apply(filter);
  const title = document.getElementById("findings-title");
  title.scrollIntoView();
  title.focus({ preventScroll: true });
}

function changed() {
  const filter = fromForm();
  toAddress(filter);
  apply(filter);
}

/* On paper everything that the filter leaves is open, up to a bound that a browser can lay out. */
function expand() {
  let left = 400;
  const open = (root) => {
    for (const details of root.querySelectorAll("details")) {
      if (left <= 0) return;
      left -= 1;
      if (details.build) details.build();
      details.open = true;
      open(details);
    }
  };
  open(document.querySelector("main"));
}

function start() {
  for (const element of document.querySelectorAll(".js:not(#about-host)")) element.hidden = false;
  form.elements.section.append(...sections.map((name) => el("option", { value: name }, name)));
  document.getElementById("host-names").append(...hosts.map((host) => el("option", { value: host.name })));
  const order = document.getElementById("order");
  order.addEventListener("change", () => matrix(order.value));
  matrix("worst");
  const filter = fromAddress();
  toForm(filter);
  apply(filter);
  form.addEventListener("input", (event) => {
    clearTimeout(timer);
    timer = setTimeout(changed, event.target.type === "search" ? 150 : 0);
  });
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("reset", (event) => {
    event.preventDefault();
    toForm(DEFAULTS);
    changed();
  });
  window.addEventListener("hashchange", fromLink);
  window.addEventListener("beforeprint", expand);
  matchMedia("print").addEventListener("change", (media) => media.matches && expand());
  if (location.hash) fromLink();
}

start();
