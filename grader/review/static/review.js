// The keys, the queue of what is to be saved, and the current answer. Everything else is the server's.
"use strict";

(() => {
  const TYPING_PAUSE = 600;
  const cards = () => [...document.querySelectorAll(".card")];
  const question = document.getElementById("question");
  const message = document.getElementById("message");
  let current = 0;
  let unsaved = 0;
  let failed = false;
  let isStale = false;
  let queue = Promise.resolve();
  const timers = new Map();
  const actions = new Map();

  function say(text) {
    message.replaceChildren();
    if (text) {
      const line = document.createElement("p");
      line.textContent = text;
      message.append(line);
    }
  }

  // --- saving: one request after another, each with the versions that the one before left

  function actionOf(form, command) {
    // What is typed in one go is one action, which is undone as one.
    if (command !== "comment") actions.delete(form.id);
    if (!actions.has(form.id)) actions.set(form.id, newAction());
    const action = actions.get(form.id);
    if (command !== "comment") actions.delete(form.id);
    return action;
  }

  function newAction() {
    const bytes = crypto.getRandomValues(new Uint8Array(12));
    return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  }

  function save(form, command, more = {}) {
    clearTimeout(timers.get(form.id));
    const wasTyping = timers.delete(form.id);
    if (wasTyping) unsaved -= 1;
    const action = actionOf(form, command);
    unsaved += 1;
    mark(form, "saving…");
    queue = queue.then(() => send(form, command, action, more));
    return queue;
  }

  async function send(form, command, action, more) {
    const panel = form.querySelector(".panel");
    // Where a conflict is shown, only its own buttons go on.
    if (panel.querySelector(".conflict") && command !== "mine") {
      unsaved -= 1;
      mark(form, "not saved");
      return;
    }
    const values = { command: command === "mine" ? "comment" : command, action, ...more };
    try {
      await htmx.ajax("POST", form.getAttribute("action"), {
        source: form, target: panel, swap: "outerHTML", values,
      });
    } catch {
      failed = true;
    }
    unsaved -= 1;
    if (failed) {
      mark(form, "not saved");
    } else {
      mark(form, form.querySelector(".conflict") ? "not saved" : "saved");
    }
    const wasSaved = !failed;
    failed = false;
    if (command === "add" && wasSaved) {
      form.querySelector("[name=new_text]").value = "";
      form.querySelector("[name=new_points]").value = "";
      await refreshItems().catch(() => say("Load the page again to see the new item everywhere."));
    }
    if (isStale) reload();
  }

  // The other answers on the page get a new item, too; what else they show stays as it was seen.
  const refreshItems = () => refresh(["#rubric", ...cards().map((card) => `#form-${card.id} .items`)]);

  async function refresh(selectors) {
    const answer = await fetch(location.pathname + location.search);
    if (!answer.ok) throw new Error(answer.statusText);
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
    for (const selector of selectors) {
      const [there, here] = [fresh, document].map((page) => page.querySelector(selector));
      if (there && here) here.replaceWith(document.adoptNode(there));
    }
  }

  // Without leaving the page, so that no key is lost meanwhile.
  async function reload() {
    isStale = false;
    const before = cards()[current]?.id;
    await flush();
    try {
      await refresh(["#progress", "#rubric", ".answers"]);
    } catch {
      return say("Load the page again to see what stands now.");
    }
    const place = cards().findIndex((card) => card.id === before);
    return choose(place < 0 ? current : place);
  }

  function mark(form, text) {
    const place = form.querySelector(".saved");
    if (place) place.textContent = text;
  }

  function typed(form) {
    clearTimeout(timers.get(form.id));
    if (!timers.has(form.id)) unsaved += 1;
    timers.set(form.id, setTimeout(() => save(form, "comment"), TYPING_PAUSE));
    mark(form, "…");
  }

  async function flush() {
    for (const id of [...timers.keys()]) save(document.getElementById(id), "comment");
    await queue;
  }

  // --- the current answer

  function choose(place, scroll = true) {
    const all = cards();
    if (!all.length) return;
    current = Math.max(0, Math.min(all.length - 1, place));
    all.forEach((card, i) => card.classList.toggle("current", i === current));
    const card = all[current];
    history.replaceState(null, "", `#${card.id}`);
    if (scroll) {
      card.focus({ preventScroll: true });
      card.scrollIntoView({ block: "start" });
    }
  }

  async function go(address) {
    await flush();
    if (!unsaved) location.assign(address);
  }

  function step(by) {
    const page = Number(question.dataset.page);
    const only = new URLSearchParams(location.search).get("only");
    const rest = only ? `&only=${encodeURIComponent(only)}` : "";
    if (current + by < 0 && page > 1) return go(`?page=${page - 1}${rest}#last`);
    if (current + by >= cards().length && page < Number(question.dataset.pages)) {
      return go(`?page=${page + 1}${rest}`);
    }
    return choose(current + by);
  }

  async function nextOpen() {
    await flush();
    const all = cards();
    const place = all.findIndex(
      (card, i) => i > current && card.querySelector(".panel").dataset.open === "1",
    );
    if (place >= 0) return choose(place);
    return go(`?next=${all.length ? all[all.length - 1].id : ""}`);
  }

  async function undo() {
    await flush();
    try {
      await htmx.ajax("POST", `/question/${question.dataset.number}/undo`, {
        source: document.getElementById("undo"), target: "#message", swap: "innerHTML",
      });
    } catch {
      say("This was not undone.");
    }
    if (isStale) reload();
  }

  // --- what happens

  const form = () => cards()[current]?.querySelector("form.scoring");
  const focus = (selector) => form()?.querySelector(selector)?.focus();
  const keys = {
    j: () => step(1), k: () => step(-1), n: nextOpen, u: undo,
    c: () => focus("textarea"), p: () => focus("input[name=typed]"),
    a: () => focus("input[name=new_text]"),
    "?": () => document.getElementById("help").showModal(),
  };

  function onKey(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
    const field = event.target.closest("input, textarea, select");
    if (field) {
      if (event.key === "Escape") field.blur();
      if (event.key === "Enter" && field.name === "typed") field.blur();
      if (event.key === "Enter" && field.closest(".new")) {
        event.preventDefault();
        field.form.querySelector("[data-command=add]").click();
        field.blur();
      }
      return;
    }
    const button = form()?.querySelector(`[data-key="${CSS.escape(event.key)}"]`);
    const act = button ? () => button.click() : keys[event.key];
    if (act) {
      event.preventDefault();
      act();
    }
  }

  function onClick(event) {
    const button = event.target.closest("button");
    if (!button) return;
    const scoring = button.closest("form.scoring");
    if (button.id === "undo") undo();
    else if (button.id === "help-open") document.getElementById("help").showModal();
    else if (button.dataset.reload) reload();
    else if (scoring && button.dataset.command) {
      choose(cards().indexOf(button.closest(".card")), false);
      const more = button.dataset.command === "mine"
        ? { items: button.dataset.items, points: button.dataset.points } : {};
      save(scoring, button.dataset.command, more);
    }
  }

  if (question) {
    document.addEventListener("keydown", onKey);
    document.addEventListener("click", onClick);
    document.addEventListener("input", (event) => {
      if (event.target.name === "comment" && event.target.form?.classList.contains("scoring")) {
        typed(event.target.form);
      }
    });
    document.addEventListener("change", (event) => {
      if (event.target.dataset.change) save(event.target.form, event.target.dataset.change);
    });
    document.addEventListener("focusin", (event) => {
      const card = event.target.closest(".card");
      if (card && cards()[current] !== card) choose(cards().indexOf(card), false);
      if (event.target.name === "comment") actions.delete(event.target.form.id);
    });
    document.addEventListener("submit", (event) => {
      if (event.target.classList.contains("scoring")) event.preventDefault();
    });
    document.addEventListener("reload-page", () => { isStale = true; });
    document.addEventListener("htmx:sendError", () => {
      failed = true;
      say("Not saved: the server cannot be reached. Your comment still stands here.");
    });
    document.addEventListener("htmx:responseError", (event) => {
      failed = true;
      const status = event.detail.xhr.status;
      if (status !== 409 && status !== 422) say("Not saved: the server refused it. Load the page again.");
    });
    window.addEventListener("beforeunload", (event) => {
      if (unsaved) event.preventDefault();
    });
    const named = cards().findIndex((card) => `#${card.id}` === location.hash);
    const last = location.hash === "#last" ? cards().length - 1 : 0;
    choose(named >= 0 ? named : last, Boolean(location.hash));
    if (!location.hash || named < 0) cards()[current]?.focus({ preventScroll: true });
    if (new URLSearchParams(location.search).get("done")) say("No answer to this question waits any more.");
  }
})();
