"use strict";
/* Draws the report's charts from the data in the page. Times are minutes on the job's own clocks, shown as UTC. */
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const goings = Object.entries(data.letters); // [how slots went, its letter], the better first
  const charts = [];

  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
  const goingColour = (going) => colour(going === "on time" ? "ok" : going);
  const font = () => getComputedStyle(document.body).fontFamily; // a canvas knows no "inherit"
  const two = (number) => String(number).padStart(2, "0");
  const day = (time) => new Date(time).toISOString().slice(0, 10);
  const moment = (time) => `${day(time)} ${two(new Date(time).getUTCHours())}:${two(new Date(time).getUTCMinutes())}`;
  const escaped = (text) => text.replace(/[&<>"]/g, (char) => `&#${char.charCodeAt(0)};`);

  /* A chart in *box*: drawn once it comes near the screen, and again when the colours or the size change. */
  function place(box, option, renderer) {
    const chart = { box, option, renderer, drawn: null };
    charts.push(chart);
    near.observe(box);
    // ECharts takes every turn of the wheel from the page, also those that zoom nothing
    box.addEventListener("wheel", (event) => event.ctrlKey || event.stopPropagation(), { capture: true, passive: true });
    new ResizeObserver(() => chart.drawn && chart.drawn.resize()).observe(box);
    return chart;
  }

  function draw(chart) {
    if (!chart.drawn) chart.drawn = echarts.init(chart.box, null, { renderer: chart.renderer });
    const zoom = (chart.drawn.getOption() || {}).dataZoom;
    const option = chart.option();
    if (zoom && option.dataZoom) option.dataZoom.forEach((one, n) => Object.assign(one, { start: zoom[n].start, end: zoom[n].end }));
    chart.drawn.setOption({ animation: false, useUTC: true, textStyle: { fontFamily: font(), color: colour("text") }, ...option }, true);
    return chart.drawn;
  }

  const near = new IntersectionObserver(
    (entries) => entries.filter((entry) => entry.isIntersecting).forEach((entry) => {
      near.unobserve(entry.target);
      draw(charts.find((chart) => chart.box === entry.target));
    }),
    { rootMargin: "400px" },
  );

  const axis = (more) => ({
    axisLine: { lineStyle: { color: colour("line") } },
    axisTick: { lineStyle: { color: colour("line") } },
    axisLabel: { color: colour("quiet"), hideOverlap: true },
    splitLine: { lineStyle: { color: colour("line"), opacity: 0.6 } },
    ...more,
  });
  const tooltip = (more) => ({
    backgroundColor: colour("paper"), borderColor: colour("line"), textStyle: { color: colour("text") }, confine: true, ...more,
  });

  /* Rates */

  function unpacked(series) {
    let minute = 0;
    return series.times.map((step) => (minute += step) * 60000);
  }

  /* Points, with nothing drawn across a gap: over a month, and ten times what lies between two rates mostly. */
  function withGaps(times, rates) {
    const steps = times.slice(1).map((time, n) => time - times[n]).sort((one, other) => one - other);
    const longest = Math.max(31 * 86400000, 10 * steps[Math.floor(steps.length / 2)]);
    return times.flatMap((time, n) => {
      const point = [time, Number(rates[n])];
      return n && time - times[n - 1] > longest ? [[times[n - 1] + 1, null], point] : [point];
    });
  }

  function rateOption(times, rates) {
    return {
      grid: { left: 8, right: 16, top: 12, bottom: 52, containLabel: true },
      tooltip: tooltip({
        trigger: "axis",
        formatter: ([point]) => `${moment(point.value[0])}<br><b>${escaped(rates[times.indexOf(point.value[0])])}</b>`,
      }),
      xAxis: axis({ type: "time", splitLine: { show: false } }),
      yAxis: axis({ type: "value", scale: true }),
      dataZoom: [
        { type: "inside", zoomOnMouseWheel: "ctrl", moveOnMouseWheel: false, preventDefaultMouseMove: false },
        { type: "slider", height: 20, bottom: 8, borderColor: colour("line"), fillerColor: `${colour("accent")}22`,
          dataBackground: { lineStyle: { color: colour("quiet") }, areaStyle: { color: colour("line") } }, textStyle: { color: colour("quiet") }, labelFormatter: (time) => day(time) },
      ],
      series: [{
        type: "line", data: withGaps(times, rates), sampling: "lttb", symbolSize: 6,
        showSymbol: times.length < 40, lineStyle: { width: 1.6, color: colour("accent") }, itemStyle: { color: colour("accent") },
      }],
    };
  }

  function rateChart(figure, series) {
    const times = unpacked(series);
    const box = figure.querySelector(".plot");
    const said = figure.querySelector("output");
    const chart = place(box, () => rateOption(times, series.rates), "canvas");
    chart.times = times;
    let at = times.length - 1;
    const say = () => {
      said.textContent = `${moment(times[at])}: ${series.rates[at]}`;
      draw(chart).dispatchAction({ type: "showTip", seriesIndex: 0, dataIndex: at });
    };
    box.addEventListener("keydown", (event) => {
      const moves = { ArrowLeft: at - 1, ArrowRight: at + 1, PageUp: at - 30, PageDown: at + 30, Home: 0, End: times.length - 1 };
      if (!(event.key in moves)) return;
      event.preventDefault();
      at = Math.min(times.length - 1, Math.max(0, moves[event.key]));
      say();
    });
    figure.querySelector("details").addEventListener("toggle", (event) => numbers(event.target, times, series.rates), { once: true });
    return chart;
  }

  function numbers(details, times, rates) {
    const body = details.querySelector("tbody");
    for (let n = times.length - 1; n >= 0; n -= 1) {
      const row = body.insertRow();
      row.insertCell().textContent = moment(times[n]);
      row.insertCell().textContent = rates[n];
    }
  }

  function zoom(chart, days) {
    const last = chart.times[chart.times.length - 1];
    const first = days ? Math.max(chart.times[0], last - days * 86400000) : chart.times[0];
    if (first < last) draw(chart).dispatchAction({ type: "dataZoom", startValue: first, endValue: last });
  }

  function rates() {
    const template = document.getElementById("rate");
    const made = [];
    for (const job of data.jobs) {
      for (const series of job.series) {
        const figure = template.content.cloneNode(true).querySelector("figure");
        const times = unpacked(series);
        const span = `${day(times[0])} to ${day(times[times.length - 1])}`;
        const last = series.rates[series.rates.length - 1];
        const size = series.told;
        figure.querySelector("h3").textContent = `${series.pair} ${last}`;
        figure.querySelector(".about").textContent = `${job.name}, ${job.zone}`;
        figure.querySelector("output").textContent = `${size}, ${span}`;
        figure.querySelector(".plot").setAttribute("aria-label",
          `Chart of ${series.pair}: ${size} from ${span}, the last ${last}. Arrow keys read single rates.`);
        document.getElementById("rates").append(figure);
        if (times.length > 1) made.push(rateChart(figure, series));
        else figure.querySelector(".plot").remove(); // one rate has no axis
      }
    }
    const buttons = document.querySelectorAll("[data-days]");
    buttons.forEach((button) => button.addEventListener("click", () => {
      buttons.forEach((one) => one.setAttribute("aria-pressed", String(one === button)));
      made.forEach((chart) => zoom(chart, Number(button.dataset.days)));
    }));
  }

  /* How slots went */

  function daysOf({ first, runs }) {
    const days = {};
    let time = Date.parse(first);
    for (const [letters, number] of runs) {
      for (let n = 0; n < number; n += 1, time += 86400000) if (letters) days[day(time)] = letters;
    }
    return days;
  }

  function counts(letters) {
    const found = new Map([...letters.matchAll(/([a-z])(\d*)/g)].map(([, letter, number]) => [letter, Number(number || 1)]));
    return goings.filter(([, letter]) => found.has(letter)).map(([going, letter]) => [going, found.get(letter)]);
  }
  const told = (letters) => counts(letters).map(([going, number]) => `${number} ${going}`).join(", ");
  const worst = (letters) => goings.findIndex(([going]) => going === counts(letters).at(-1)[0]);

  function calendarOption(job, year) {
    const days = Object.entries(job.days).filter(([date]) => date.startsWith(year));
    return {
      tooltip: tooltip({ formatter: ({ value }) => `${value[0]}<br>${escaped(told(job.days[value[0]]))}` }),
      visualMap: {
        show: false, type: "piecewise", dimension: 1,
        pieces: goings.map(([going], n) => ({ value: n, color: goingColour(going) })),
      },
      calendar: {
        range: year, left: 40, right: 8, top: 28, bottom: 8, cellSize: ["auto", "auto"],
        itemStyle: { color: colour("paper"), borderColor: colour("line"), borderWidth: 1 },
        splitLine: { lineStyle: { color: colour("quiet"), width: 1 } },
        dayLabel: { firstDay: 1, color: colour("quiet") }, monthLabel: { color: colour("quiet") }, yearLabel: { show: false },
      },
      series: [{ type: "heatmap", coordinateSystem: "calendar", data: days.map(([date, letters]) => [date, worst(letters)]) }],
    };
  }

  function yearTold(job, year) {
    const sums = new Map();
    for (const [date, letters] of Object.entries(job.days)) {
      if (date.startsWith(year)) counts(letters).forEach(([going, number]) => sums.set(going, (sums.get(going) || 0) + number));
    }
    return [...sums].map(([going, number]) => `${number} ${going}`).join(", ");
  }

  function calendar() {
    const jobs = data.jobs.filter((job) => job.days.first).map((job) => ({ ...job, days: daysOf(job.days) }));
    const section = document.getElementById("calendar");
    if (!jobs.length) return section.remove();
    const [jobSelect, yearSelect] = section.querySelectorAll("select");
    const box = section.querySelector(".plot");
    const chosen = () => jobs[jobSelect.selectedIndex];
    const chart = place(box, () => calendarOption(chosen(), yearSelect.value), "svg");
    const show = () => {
      const text = `${chosen().name} in ${yearSelect.value}: ${yearTold(chosen(), yearSelect.value)}`;
      box.setAttribute("aria-label", `Calendar of ${text}`);
      section.querySelector("output").textContent = text;
      if (chart.drawn) draw(chart);
      box.parentElement.scrollLeft = box.parentElement.scrollWidth; // where it is wider than the screen: the newest
    };
    const years = () => {
      const found = [...new Set(Object.keys(chosen().days).map((date) => date.slice(0, 4)))].reverse();
      yearSelect.replaceChildren(...found.map((year) => new Option(year)));
      show();
    };
    jobSelect.replaceChildren(...jobs.map((job) => new Option(job.name)));
    jobSelect.addEventListener("change", years);
    yearSelect.addEventListener("change", show);
    section.querySelector(".legend").replaceChildren(...goings.map(([going]) => {
      const item = document.createElement("li");
      const sample = document.createElement("i");
      sample.style.background = `var(--${going === "on time" ? "ok" : going})`;
      item.append(sample, going);
      return item;
    }));
    years();
  }

  /* What comes */

  function timelineOption(jobs) {
    return {
      grid: { left: 8, right: 16, top: 8, bottom: 8, containLabel: true },
      tooltip: tooltip({ formatter: ({ value }) => `${escaped(jobs[value[1]].name)}<br>${moment(value[0])} (${escaped(jobs[value[1]].zone)})` }),
      xAxis: axis({ type: "time", position: "top" }),
      yAxis: axis({ type: "category", inverse: true, data: jobs.map((job) => job.name), splitLine: { show: true, lineStyle: { color: colour("line") } } }),
      series: [{
        type: "scatter", symbol: "rect", symbolSize: [4, 14], itemStyle: { color: colour("accent") },
        data: jobs.flatMap((job, n) => job.next.map((minute) => [minute * 60000, n])),
      }],
    };
  }

  function timeline() {
    const jobs = data.jobs.filter((job) => job.next.length);
    const section = document.getElementById("timeline");
    if (!jobs.length) return section.remove();
    const box = section.querySelector(".plot");
    box.style.height = `${jobs.length * 32 + 60}px`;
    box.setAttribute("aria-label", `Next 30 days: ${jobs.map((job) => `${job.name}: ${job.schedule} Next ${moment(job.next[0] * 60000)}.`).join(" ")}`);
    section.querySelector("output").textContent = jobs.filter((job) => job.more).map((job) => `${job.name}: only its first ${job.next.length} slots are shown.`).join(" ");
    place(box, () => timelineOption(jobs), "svg");
  }

  const redraw = () => charts.filter((chart) => chart.drawn).forEach(draw);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
  addEventListener("beforeprint", () => {
    document.documentElement.classList.add("printing"); // on paper, in the light colours
    charts.forEach((chart) => {
      draw(chart).resize();
      chart.drawn.getZr().flush(); // now, not with the next frame
    });
  });
  addEventListener("afterprint", () => {
    document.documentElement.classList.remove("printing");
    redraw();
  });

  /* How long ago or ahead, told anew each minute: the page may stay open for days. */

  const units = [[86400, "d"], [3600, "h"], [60, "min"], [1, "s"]];
  function relative(seconds) {
    const whole = Math.abs(Math.trunc(seconds));
    const [size, unit] = units.find(([least]) => whole >= 2 * least) || units[3];
    const length = `${Math.floor(whole / size)} ${unit}`;
    return whole < 1 ? "now" : seconds > 0 ? `in ${length}` : `${length} ago`;
  }

  function tick() {
    for (const time of document.querySelectorAll("time[datetime]")) {
      const told = time.nextElementSibling;
      told.hidden = false;
      told.textContent = `, ${relative((Date.parse(time.dateTime) - Date.now()) / 1000)}`;
    }
    const banner = document.getElementById("outdated");
    if (banner) banner.hidden = Date.now() < Date.parse(banner.dataset.from) + 600000; // a slot takes its time
  }
  tick();
  setInterval(tick, 60000);

  rates();
  calendar();
  timeline();
  document.documentElement.dataset.ready = "true";
})();
