// Three conveniences, without which the pages work as well: a switch between light and dark, pages that follow the
// store without losing the reader's place, and a pause.
"use strict";

(() => {
  const EVERY_MS = 10_000;
  const THEMES = ["system", "light", "dark"];
  const KEY = "databricks-jobs-exporter-theme";
  const root = document.documentElement;

  function remembered() {
    try {
      return THEMES.includes(localStorage.getItem(KEY)) ? localStorage.getItem(KEY) : "system";
    } catch {
      return "system"; // storage may be forbidden
    }
  }

  function wear(theme) {
    if (theme === "system") delete root.dataset.theme;
    else root.dataset.theme = theme;
  }

  function offerThemes() {
    const button = document.getElementById("theme");
    let theme = remembered();
    const say = () => (button.textContent = `Theme: ${theme}`);
    say();
    button.addEventListener("click", () => {
      theme = THEMES[(THEMES.indexOf(theme) + 1) % THEMES.length];
      wear(theme);
      say();
      try {
        localStorage.setItem(KEY, theme);
      } catch {
        // it holds for this page then
      }
    });
  }

  // ── following the store ───────────────────────────────────────────────────────────────────────────────────────

  const keyOf = (node) => (node.nodeType === Node.ELEMENT_NODE ? node.dataset?.key || node.id || "" : "");
  const alike = (one, other) => one.nodeName === other.nodeName && keyOf(one) === keyOf(other);

  // Makes `shown` equal to `fresh` and keeps every element that is in both: with it its focus, selection and scroll.
  function become(shown, fresh) {
    if (shown.nodeType !== Node.ELEMENT_NODE) {
      if (shown.nodeValue !== fresh.nodeValue) shown.nodeValue = fresh.nodeValue;
      return;
    }
    const kept = shown.nodeName === "DETAILS" ? "open" : ""; // the reader's
    for (const { name } of [...shown.attributes]) {
      if (name !== kept && !fresh.hasAttribute(name)) shown.removeAttribute(name);
    }
    for (const { name, value } of fresh.attributes) {
      if (name !== kept && shown.getAttribute(name) !== value) shown.setAttribute(name, value);
    }
    const keyed = new Map([...shown.childNodes].filter(keyOf).map((node) => [keyOf(node), node]));
    let place = shown.firstChild;
    for (const wanted of [...fresh.childNodes]) {
      const key = keyOf(wanted);
      let found = key ? keyed.get(key) : null;
      if (found && !alike(found, wanted)) found = null;
      if (!found && !key && place && alike(place, wanted)) found = place;
      if (found) {
        if (found === place) place = place.nextSibling;
        else shown.insertBefore(found, place);
        become(found, wanted);
      } else {
        shown.insertBefore(document.importNode(wanted, true), place);
      }
    }
    while (place) {
      const next = place.nextSibling;
      place.remove();
      place = next;
    }
  }

  // What the reader looks at stays where it is on the screen, whatever appears above it.
  function inPlace(act) {
    const focused = document.activeElement;
    const rows = [...document.querySelectorAll("[data-key], [data-live]")];
    const anchor = scrollY > 0 && rows.find((row) => row.getBoundingClientRect().top >= 0);
    const before = anchor && anchor.getBoundingClientRect().top;
    act();
    if (anchor && anchor.isConnected) scrollBy(0, anchor.getBoundingClientRect().top - before);
    if (focused !== document.activeElement && focused.isConnected) focused.focus({ preventScroll: true });
  }

  function take(page) {
    inPlace(() => {
      const fresh = new Map([...page.querySelectorAll("[data-live]")].map((region) => [region.id, region]));
      let last = null;
      for (const region of document.querySelectorAll("[data-live]")) {
        if (fresh.has(region.id)) become(region, fresh.get(region.id));
        else region.remove();
      }
      for (const [id, region] of fresh) {
        const shown = document.getElementById(id);
        if (shown) last = shown;
        else if (last) last.after((last = document.importNode(region, true)));
      }
    });
  }

  function follow() {
    const trouble = document.getElementById("trouble");
    const pause = document.getElementById("pause");
    let paused = false;
    let timer = 0;

    async function look() {
      clearTimeout(timer);
      if (paused || document.hidden) return;
      try {
        const answer = await fetch(location.href, { cache: "no-store", headers: { Accept: "text/html" } });
        if (!answer.ok) throw new Error(`HTTP ${answer.status}`);
        const page = new DOMParser().parseFromString(await answer.text(), "text/html");
        if (!paused) take(page);
        if (trouble.textContent) trouble.textContent = "";
      } catch (error) {
        const since = new Date().toTimeString().slice(0, 5);
        if (!trouble.textContent) trouble.textContent = `No answer since ${since} (${error.message}).`;
      }
      timer = setTimeout(look, EVERY_MS);
    }

    pause.addEventListener("click", () => {
      paused = !paused;
      pause.setAttribute("aria-pressed", `${paused}`);
      look();
    });
    document.addEventListener("visibilitychange", look);
    timer = setTimeout(look, EVERY_MS);
  }

  wear(remembered()); // before anything is drawn
  root.classList.add("scripted");
  document.addEventListener("DOMContentLoaded", () => {
    offerThemes();
    follow();
  });
})();
