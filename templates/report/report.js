"use strict";
/* What moves on the page: charts on a click, sorting, ages. Times are minutes on a job's own clocks, shown as UTC. */
(() => {
  const DAY = 86400000, RANGES = { "30d": 30, "90d": 90, "1y": 365, "5y": 1826, all: 0 }, MOST = 6;
  const all = new Map(JSON.parse(document.getElementById("data").textContent).map((packed) => [packed.id, packed]));
  const make = (name, values = {}, ...children) => {
    const element = document.createElement(name);
    Object.assign(element, values);
    element.append(...children);
    return element;
  };
  const draw = (parent, name, values, text = "") => {
    const element = document.createElementNS("http://www.w3.org/2000/svg", name);
    Object.entries(values).forEach(([key, value]) => element.setAttribute(key, value));
    element.textContent = text;
    return parent.appendChild(element);
  };
  const iso = (time) => new Date(time).toISOString();
  const day = (time) => iso(time).slice(0, 10);
  const weekday = (time) => new Date(time).toLocaleDateString("en", { weekday: "short", timeZone: "UTC" });
  const moment = (time) => `${weekday(time)} ${day(time)} ${iso(time).slice(11, 16)}`;
  const grouped = (text) => text.replace(/^\d{5,}/, (whole) => whole.replace(/\B(?=(\d{3})+$)/g, "\u202f"));
  const percent = (now, before) => {
    const text = Math.abs((now / before - 1) * 100).toFixed(2);
    return `${Number(text) === 0 ? "±" : now > before ? "+" : "−"}${text} %`;
  };

  /* A series with its times, values and origins unpacked, once. */
  function series(id) {
    const one = all.get(id);
    if (!one || one.at) return one;
    let minute = 0;
    one.at = one.times.map((step) => (minute += step) * 60000);
    one.value = one.rates.map(Number);
    one.origin = one.from.flatMap((origin) => Array(origin[0]).fill(origin));
    const steps = one.at.slice(1).map((time, n) => time - one.at[n]).sort((a, b) => a - b);
    one.gap = Math.max(31 * DAY, 10 * (steps[steps.length >> 1] || 0)); // nothing is drawn across a longer one
    return one;
  }
  const rateDay = (one, n) => day(Math.floor(one.at[n] / DAY) * DAY + one.origin[n][1] * DAY);
  const told = (one, n) => `${grouped(one.rates[n])} of ${rateDay(one, n)}, ${one.origin[n][2]}${one.origin[n][3] === "published" ? "" : `, ${one.origin[n][3]}`}`;

  /* How many rates a stretch shows; of a series that is drawn thinned only the whole is known. */
  const counted = (one, shown) => (shown === one.at.length ? one.told : `${one.told.includes("drawn") ? "" : `${shown.toLocaleString("en")} `}of ${one.told}`);

  /* What is open stands in the address: #euro/EUR-USD+euro/EUR-GBP/1y, or two days for a stretch of one's own. */
  function address() {
    const parts = decodeURIComponent(location.hash.slice(1)).split("/");
    const range = parts.length > 2 ? parts.pop() : "1y";
    const ids = parts.join("/").split("+").filter((id) => all.has(id)).slice(0, MOST);
    return { ids, range };
  }
  const go = (ids, range, push) => {
    const hash = ids.length ? `#${ids.map(encodeURI).join("+")}/${range}` : location.pathname;
    if (push) history.pushState(null, "", hash); else history.replaceState(null, "", hash);
    show();
  };
  function stretch(chosen, range) {
    const first = Math.min(...chosen.map((one) => one.at[0])), last = Math.max(...chosen.map((one) => one.at.at(-1)));
    const own = range.split("..").map((text) => Date.parse(`${text}Z`));
    if (own.length === 2 && own[0] < own[1]) return own;
    return [RANGES[range] ? Math.max(first, last - RANGES[range] * DAY) : first, last];
  }
  const within = (one, [from, to]) => one.at.flatMap((time, n) => (time >= from && time <= to ? [n] : []));

  let panel = null, opened = "";
  function show() {
    const { ids, range } = address();
    if (!ids.length) {
      if (panel) panel.remove();
      panel = null; opened = "";
      return;
    }
    const row = document.getElementById(ids[0]);
    if (!panel || opened !== ids[0]) {
      if (panel) panel.remove();
      panel = make("tr", { className: "opened" }, make("td", { colSpan: 20 }));
      for (let box = row.closest("details"); box; box = null) box.open = true;
      row.after(panel);
      opened = ids[0];
    }
    chart(panel.firstChild, ids.map(series), range);
  }

  function chart(box, chosen, range) {
    const span = stretch(chosen, range), several = chosen.length > 1, ids = chosen.map((one) => one.id);
    const shown = chosen.map((one) => within(one, span));
    const base = chosen.map((one, k) => (several ? one.value[shown[k][0]] / 100 : 1));
    const output = make("output", { ariaLive: "polite" });
    const plot = make("div", { className: "plot", tabIndex: 0, role: "group", ariaLabel: `Chart of ${chosen.map((one) => one.pair).join(", ")}. Arrow keys read single rates, plus and minus zoom, Escape closes.` });
    const buttons = Object.keys(RANGES).map((name) => make("button", { type: "button", ariaPressed: String(name === range), textContent: name.replace(/(\d+)/, "$1 "), onclick: () => go(ids, name) }));
    const more = make("select", { ariaLabel: "Compare with", onchange: () => more.value && go([...ids, more.value], range) }, new Option("Compare with …", ""),
      ...[...all.values()].filter((one) => !ids.includes(one.id)).map((one) => new Option(`${one.pair} (${one.job})`, one.id)));
    const saved = () => chosen.flatMap((one, k) => shown[k].map((n) => ({ job: one.job, pair: one.pair, slot: iso(one.at[n]).slice(0, 16), zone: one.zone, rate: one.rates[n], rate_date: rateDay(one, n), provider: one.origin[n][2], kind: one.origin[n][3] })));
    const saves = ["csv", "json"].map((form) => make("button", { type: "button", textContent: form.toUpperCase(), onclick: () => save(ids.join("-").replace(/\//g, "-"), form, saved()) }));
    const close = make("button", { type: "button", textContent: "Close", onclick: shut });
    const keys = make("ul", { className: "keys" }, ...chosen.map((one, k) => {
      const item = make("li"), sample = draw(item, "svg", { viewBox: "0 0 26 10" }), values = shown[k].map((n) => one.value[n]);
      if (several) draw(sample, "path", { class: `line n${k}`, d: "M0 5h26" }); else sample.remove();
      const first = shown[k][0], last = shown[k].at(-1);
      if (first === undefined) item.append(make("b", { textContent: one.pair }), " no rate in this time");
      else if (first === last) item.append(make("b", { textContent: one.pair }), ` ${counted(one, 1)}`);
      else {
        const low = shown[k][values.indexOf(values.reduce((a, b) => Math.min(a, b)))], high = shown[k][values.indexOf(values.reduce((a, b) => Math.max(a, b)))];
        item.append(make("b", { textContent: `${one.pair} ${percent(one.value[last], one.value[first])}` }), ` from ${day(one.at[first])} to ${day(one.at[last])}; lowest ${grouped(one.rates[low])} (${day(one.at[low])}), highest ${grouped(one.rates[high])} (${day(one.at[high])}); ${counted(one, shown[k].length)}`);
      }
      return item;
    }));
    const controls = make("div", { className: "controls" }, ...buttons, ...(chosen.length < MOST && all.size > chosen.length ? [more] : []), ...saves, close);
    const held = box.contains(document.activeElement) && document.activeElement.className === "plot";
    box.replaceChildren(make("div", { className: "chart" }, controls, ...(several ? [make("p", { className: "quiet", textContent: `Each pair is 100 on ${day(span[0])}.` })] : []), keys, plot, output));
    if (shown.flat().length < 2) { // one rate has no axis
      plot.remove();
      output.textContent = chosen.flatMap((one, k) => shown[k].map((n) => `${moment(one.at[n])}: ${told(one, n)}`)).join();
      return;
    }
    const picture = lines(plot, chosen, shown, base, span);
    pointer(plot, output, picture, { chosen, shown, base, span, ids });
    if (held) plot.focus();
  }

  /* Steps of an axis: of numbers 1, 2 or 5 times a power of ten; of time from minutes to decades. */
  function steps(low, high, most) {
    const rough = (high - low) / most, power = 10 ** Math.floor(Math.log10(rough));
    const step = [1, 2, 5, 10].find((one) => one * power >= rough) * power;
    const found = [];
    for (let n = Math.ceil(low / step); n * step <= high; n += 1) found.push(n * step);
    return found.length < 2 && most < 99 ? steps(low, high, most * 2) : [found, Math.max(0, -Math.floor(Math.log10(step)))];
  }
  function times(from, to, most) {
    const wanted = (to - from) / most, short = [1, 5, 15, 60, 180, 720, 1440, 2880, 10080].map((minutes) => minutes * 60000).find((one) => one >= wanted);
    const found = [];
    if (short) {
      for (let time = Math.ceil(from / short) * short; time <= to; time += short) found.push([time, time % DAY ? iso(time).slice(11, 16) : day(time).slice(5)]);
      return found;
    }
    const months = [1, 3, 6, 12, 24, 60, 120].find((one) => one * 30 * DAY >= wanted) || 240;
    const begin = new Date(from);
    for (let n = Math.floor((begin.getUTCFullYear() * 12 + begin.getUTCMonth()) / months) * months; ; n += months) {
      const at = Date.UTC(Math.floor(n / 12), n % 12);
      if (at > to) return found;
      if (at >= from) found.push([at, months >= 12 ? String(Math.floor(n / 12)) : day(at).slice(0, 7)]);
    }
  }

  function lines(plot, chosen, shown, base, [from, to]) {
    const width = Math.max(280, plot.clientWidth), height = width < 600 ? 220 : 300, left = 64, top = 8, bottom = 22;
    const svg = draw(plot, "svg", { viewBox: `0 0 ${width} ${height}`, "aria-hidden": "true" });
    const values = chosen.flatMap((one, k) => shown[k].map((n) => one.value[n] / base[k]));
    const picture = { svg, x: (time) => left + ((time - from) / (to - from || 1)) * (width - left - 12), time: (x) => from + ((x - left) / (width - left - 12)) * (to - from), left, top, height, bottom };
    if (!values.length) return picture;
    let low = values.reduce((a, b) => Math.min(a, b)), high = values.reduce((a, b) => Math.max(a, b));
    if (low === high) { low *= 0.999; high *= 1.001; }
    const y = (picture.y = (value) => height - bottom - 4 - ((value - low) / (high - low)) * (height - bottom - top - 8));
    const [ticks, digits] = steps(low, high, height / 55);
    for (const tick of ticks) {
      draw(svg, "path", { class: "grid", d: `M${left} ${y(tick)}H${width}` });
      draw(svg, "text", { x: left - 6, y: y(tick) + 4, "text-anchor": "end" }, grouped(tick.toFixed(digits)));
    }
    for (const [time, label] of times(from, to, width / 90)) draw(svg, "text", { x: picture.x(time), y: height - 5, "text-anchor": "middle" }, label);
    chosen.forEach((one, k) => {
      const d = shown[k].map((n, m) => `${m && one.at[n] - one.at[n - 1] <= one.gap ? "L" : "M"}${picture.x(one.at[n]).toFixed(1)} ${y(one.value[n] / base[k]).toFixed(1)}`);
      draw(svg, "path", { class: `line n${k}`, d: d.join("") });
      if (shown[k].length === 1) draw(svg, "circle", { cx: picture.x(one.at[shown[k][0]]), cy: y(one.value[shown[k][0]] / base[k]), r: 3 });
    });
    return picture;
  }

  /* The pointer and the keys read single rates; dragging, Ctrl and the wheel, plus and minus zoom. */
  function pointer(plot, output, picture, { chosen, shown, base, span, ids }) {
    const main = shown[0].length ? 0 : shown.findIndex((numbers) => numbers.length);
    if (main < 0) return;
    const numbers = shown[main], one = chosen[main];
    const cursor = draw(picture.svg, "path", { class: "cursor off" }), drag = draw(picture.svg, "rect", { class: "drag", y: picture.top, height: picture.height - picture.bottom - picture.top, width: 0 });
    let at = numbers.length - 1, begun = null;
    const nearest = (list, owner, time) => list.reduce((best, n) => (Math.abs(owner.at[n] - time) < Math.abs(owner.at[best] - time) ? n : best), list[0]);
    const say = () => {
      const time = one.at[numbers[at]], x = picture.x(time);
      cursor.setAttribute("d", `M${x} ${picture.top}V${picture.height - picture.bottom}`);
      cursor.setAttribute("class", "cursor");
      output.textContent = `${moment(time)}: ` + chosen.flatMap((other, k) => (shown[k].length ? [nearest(shown[k], other, time)].map((n) => `${chosen.length > 1 ? `${other.pair} ${(other.value[n] / base[k]).toFixed(2)}, ` : ""}${told(other, n)}`) : [])).join("; ");
    };
    const place = (event) => picture.time(((event.clientX - picture.svg.getBoundingClientRect().left) * picture.svg.viewBox.baseVal.width) / picture.svg.clientWidth);
    const zoom = (from, to) => {
      const first = Math.min(...chosen.map((each) => each.at[0])), last = Math.max(...chosen.map((each) => each.at.at(-1)));
      if (to - from < 600000) return;
      go(ids, from <= first && to >= last ? "all" : `${iso(Math.max(from, first)).slice(0, 16)}..${iso(Math.min(to, last) + 59999).slice(0, 16)}`);
    };
    const around = (time, factor) => zoom(time - (time - span[0]) * factor, time + (span[1] - time) * factor);
    plot.onpointermove = (event) => {
      at = numbers.indexOf(nearest(numbers, one, place(event)));
      say();
      if (begun === null) return;
      const [from, to] = [picture.x(begun), picture.x(place(event))].sort((a, b) => a - b);
      drag.setAttribute("x", from); drag.setAttribute("width", to - from);
    };
    plot.onpointerdown = (event) => { if (event.pointerType === "mouse" && !event.button) begun = place(event); };
    plot.onpointerup = (event) => {
      const [from, to] = [begun, place(event)].sort((a, b) => a - b);
      const far = begun !== null && Math.abs(picture.x(to) - picture.x(from)) > 8;
      begun = null; drag.setAttribute("width", 0);
      if (far) zoom(from, to);
    };
    plot.onpointerleave = () => { begun = null; drag.setAttribute("width", 0); };
    plot.ondblclick = () => go(ids, "all");
    plot.addEventListener("wheel", (event) => {
      if (!event.ctrlKey) return;
      event.preventDefault();
      around(place(event), event.deltaY < 0 ? 0.7 : 1.4);
    }, { passive: false });
    plot.onkeydown = (event) => {
      const moves = { ArrowLeft: at - 1, ArrowRight: at + 1, PageUp: at - 30, PageDown: at + 30, Home: 0, End: numbers.length - 1 };
      if (event.key === "+" || event.key === "-") around(one.at[numbers[at]], event.key === "+" ? 0.7 : 1.4);
      if (!(event.key in moves)) return;
      event.preventDefault();
      at = Math.min(numbers.length - 1, Math.max(0, moves[event.key]));
      say();
    };
  }

  function save(name, form, rows) {
    const quoted = (value) => (/[",\n]/.test(value) ? `"${value.replace(/"/g, '""')}"` : value);
    const table = [Object.keys(rows[0] || {}), ...rows.map(Object.values)].map((row) => row.map((value) => quoted(String(value))).join(",")).join("\r\n");
    const url = URL.createObjectURL(new Blob([form === "csv" ? `${table}\r\n` : JSON.stringify(rows, null, 1)]));
    make("a", { href: url, download: `${name}.${form}` }).click();
    setTimeout(() => URL.revokeObjectURL(url), 60000);
  }
  const cell = (row, name) => (row.querySelector(name) || {}).textContent || "";
  const newest = () => [...document.querySelectorAll("#table tr[data-rate]")].map((row) => ({ pair: row.querySelector("th").firstElementChild.textContent, rate: row.dataset.rate, ...Object.fromEntries([...row.querySelectorAll(".change")].map((one) => [`${one.dataset.days} %`, one.textContent.replace("−", "-").replace(/[±–]/, "")])), received: row.querySelector(".age").dataset.at, of: cell(row, ".age small").replace(/^of /, ""), job: cell(row, ".job") }));
  function shut() {
    const link = document.getElementById(opened).querySelector("a");
    go([], "", true);
    link.focus();
  }

  /* Sorting: by a heading upwards, downwards, and as it was. */
  function sortable(table) {
    const body = table.tBodies[0], before = [...body.rows];
    const number = (text) => (/\d/.test(text) ? Number(text.replace("−", "-").replace("±", "").replace("+", "")) : -Infinity);
    const values = { pair: (row) => row.id.split("/")[1], job: (row) => cell(row, ".job"), rate: (row) => Number(row.dataset.rate || 0), age: (row) => -Date.parse((row.querySelector("[data-at]") || { dataset: {} }).dataset.at || 0),
      at: (row) => { const bar = row.querySelector(".bar"); return bar ? Number(bar.getAttribute("d").slice(1).split(" ")[0]) : -1; } };
    [1, 7, 30, 365].forEach((days, n) => { values[`c${days}`] = (row) => number((row.querySelectorAll(".change")[n] || {}).textContent || ""); });
    for (const head of table.querySelectorAll("[data-by]")) {
      const button = make("button", { type: "button" }, ...head.childNodes);
      head.append(button);
      button.onclick = () => {
        const order = { none: "ascending", ascending: "descending", descending: "none" }[head.getAttribute("aria-sort") || "none"];
        table.querySelectorAll("[aria-sort]").forEach((one) => one.removeAttribute("aria-sort"));
        if (order !== "none") head.setAttribute("aria-sort", order);
        const of = values[head.dataset.by], sign = order === "descending" ? -1 : 1;
        const rows = order === "none" ? before : [...before].sort((a, b) => sign * (of(a) < of(b) ? -1 : of(a) > of(b) ? 1 : 0));
        body.append(...rows);
        if (panel) document.getElementById(opened).after(panel);
      };
    }
    body.onclick = (event) => {
      const row = event.target.closest("tr[data-rate]");
      if (!row || !all.has(row.id) || String(getSelection())) return;
      event.preventDefault();
      if (opened === row.id) go([], "", true); else go([row.id], "1y", true);
    };
  }

  /* Ages, told anew each minute: the page may stay open for days. */
  const UNITS = [[86400, "d"], [3600, "h"], [60, "min"], [1, "s"]];
  const length = (seconds) => {
    const whole = Math.abs(Math.trunc(seconds)), [size, unit] = UNITS.find(([least]) => whole >= 2 * least) || UNITS[3];
    return `${Math.floor(whole / size)} ${unit}`;
  };
  function tick() {
    for (const time of document.querySelectorAll("time[datetime]")) {
      const seconds = (Date.parse(time.dateTime) - Date.now()) / 1000, said = time.nextElementSibling;
      said.hidden = false;
      said.textContent = Math.abs(seconds) < 1 ? ", now" : seconds > 0 ? `, in ${length(seconds)}` : `, ${length(seconds)} ago`;
    }
    document.querySelectorAll("[data-at]").forEach((age) => { age.querySelector(".old").textContent = length((Date.now() - Date.parse(age.dataset.at)) / 1000); });
    const banner = document.getElementById("outdated");
    if (banner) banner.hidden = Date.now() < Date.parse(banner.dataset.from) + 600000; // a slot takes its time
  }
  tick();
  setInterval(tick, 60000);

  document.querySelectorAll("table.rates").forEach(sortable);
  const tools = document.getElementById("tools");
  if (tools && all.size) {
    tools.hidden = false;
    tools.querySelectorAll("button").forEach((button) => { button.onclick = () => save("rates", button.dataset.save, newest()); });
  }
  addEventListener("keydown", (event) => { if (event.key === "Escape" && opened) shut(); });
  addEventListener("beforeprint", () => document.querySelectorAll("details:not(.slots):not([open])").forEach((box) => { box.open = true; box.classList.add("on-paper"); }));
  addEventListener("afterprint", () => document.querySelectorAll("details.on-paper").forEach((box) => { box.open = false; box.classList.remove("on-paper"); }));
  addEventListener("hashchange", show);
  addEventListener("popstate", show);
  let width = innerWidth;
  addEventListener("resize", () => { if (innerWidth !== width) { width = innerWidth; show(); } });
  show();
  if (panel) document.getElementById(opened).scrollIntoView({ block: "center" });
  document.documentElement.dataset.ready = "true";
})();
