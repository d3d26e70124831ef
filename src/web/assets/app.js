// The one script: live events, tones, copying, keys, theme. Every page is whole without it.
// It builds no HTML: fragments come rendered and escaped from the server, and one policy of Trusted
// Types lets only them in.
"use strict";
(() => {
  const body = document.body;
  const $ = (selector, root = document) => root.querySelector(selector);
  const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];
  const csrf = $('meta[name="csrf"]').content;
  const policy = window.trustedTypes?.createPolicy("plated", { createHTML: (html) => html });
  const ORDER = { high: 0, normal: 1, low: 2 };
  const LOST_AFTER = 12_000; // ms without any event; the server sends one every 5 s
  const SETTLE = 800; // ms after a card has changed in which no answer counts: finger and keys meant what was there before
  const TRY_AGAIN = 8_000; // ms between two tries when the connection is lost

  const fragment = (html) => {
    const template = document.createElement("template");
    template.innerHTML = policy ? policy.createHTML(html) : html;
    return template.content;
  };

  // ---- time: the server's clock counts, ages go on
  let offset = Number(body.dataset.now || Date.now()) - Date.now();
  const ageOf = (ms) => {
    const s = Math.max(0, Math.round(ms / 1000));
    if (s < 60) return `${s} s ago`;
    if (s < 3600) return `${Math.floor(s / 60)} min ago`;
    return `${Math.floor(s / 3600)} h ${Math.floor((s % 3600) / 60)} min ago`;
  };
  const tick = () => {
    for (const time of $$("time[data-age]")) {
      const at = Date.parse(time.dateTime);
      if (!Number.isNaN(at)) time.textContent = ageOf(Date.now() + offset - at);
    }
    sayConnection();
  };

  // ---- what was done, in a word
  let toastTimer;
  const toast = (text) => {
    const place = $("[data-toast]");
    place.textContent = text;
    clearTimeout(toastTimer);
    toastTimer = setTimeout(() => (place.textContent = ""), 4000);
  };

  // ---- connection
  const connection = $("[data-connection]");
  let source = null;
  let heard = Date.now();
  let state = "";
  let tried = 0;
  const sayConnection = () => {
    if (!connection || !body.dataset.events) return;
    const silent = Date.now() - heard;
    const lost = silent > LOST_AFTER;
    const text = lost ? `No connection for ${Math.round(silent / 1000)} s` : "Live";
    const place = $("[data-connection-text]", connection);
    if (place.textContent !== text) place.textContent = text;
    // A browser gives up after some answers, and does not notice a line that is cut without a word.
    if (lost && Date.now() - tried > TRY_AGAIN) connect();
    if (lost === (state === "lost")) return;
    state = lost ? "lost" : "live";
    connection.classList.toggle("lost", lost);
    connection.classList.toggle("live", !lost);
    // A screen reader hears of it once, not each second.
    connection.setAttribute("aria-live", lost ? "off" : "polite");
    if (lost) toast("The connection to the vehicle's computer is lost. Trying again.");
  };
  const put = (html) => {
    for (const element of [...fragment(html).children]) {
      const old = document.getElementById(element.id);
      if (old) { old.replaceWith(element); continue; }
      const list = element.dataset.into && document.getElementById(element.dataset.into);
      if (!list) continue;
      // By the time that stands there: passes that went on together are told in the order in which they ended.
      const at = Date.parse(element.dataset.at);
      const later = [...list.children].find((other) => !(Date.parse(other.dataset.at) > at));
      list.insertBefore(element, later ?? null);
      while (list.children.length > Number(list.dataset.max || 60)) list.lastElementChild.remove();
    }
  };
  const connect = () => {
    source?.close();
    tried = Date.now();
    source = new EventSource(body.dataset.events);
    const on = (name, act) => source.addEventListener(name, (event) => {
      heard = Date.now();
      if (event.lastEventId) body.dataset.events = resumed(event.lastEventId);
      act(event.data);
    });
    on("alive", (now) => { if (Number(now) > 0) offset = Number(now) - Date.now(); sayConnection(); });
    on("put", put);
    on("remove", (id) => document.getElementById(id)?.remove());
    on("alert", alertCame);
    on("answered", (id) => drop(id));
    // The server has events no more that this page missed: load it whole. Not under an open form.
    on("reload", () => { if (!typing()) location.reload(); });
    on("leave", () => location.assign("/"));
    source.onopen = () => { heard = Date.now(); sayConnection(); };
  };
  // A connection that this script opens anew sends no Last-Event-ID, so the address says it.
  const resumed = (id) => {
    const url = new URL(body.dataset.events, location.href);
    url.searchParams.set("after", id);
    return url.pathname + url.search;
  };
  const typing = () => $$("main input, main textarea").some((f) => f.type !== "hidden" && f.value !== f.defaultValue);

  // ---- tones: high falls and rises fast, normal is two tones, low one
  const TONES = {
    high: [[880, 0, 0.16], [1318, 0.18, 0.16], [880, 0.36, 0.16], [1318, 0.54, 0.3]],
    normal: [[740, 0, 0.2], [988, 0.24, 0.28]],
    low: [[587, 0, 0.22]],
  };
  const wantsTones = Number(body.dataset.tonesAgain || 0);
  const soundButton = $("[data-sound]");
  let audio = null;
  const audible = () => audio?.state === "running";
  const saySound = () => {
    if (!soundButton || !wantsTones) return;
    soundButton.hidden = audible();
  };
  const wakeSound = () => {
    if (!wantsTones || !window.AudioContext) return;
    if (!audio) { audio = new AudioContext(); audio.onstatechange = saySound; }
    if (audio.state !== "running") audio.resume().then(saySound, saySound);
  };
  const sound = (priority) => {
    if (!audible()) { saySound(); return; }
    const volume = audio.createGain();
    volume.gain.value = priority === "high" ? 0.9 : 0.5;
    volume.connect(audio.destination);
    for (const [pitch, start, length] of TONES[priority] || TONES.normal) {
      const tone = audio.createOscillator();
      const shape = audio.createGain();
      const at = audio.currentTime + start;
      tone.type = "triangle";
      tone.frequency.value = pitch;
      shape.gain.setValueAtTime(0, at);
      shape.gain.linearRampToValueAtTime(1, at + 0.012);
      shape.gain.setValueAtTime(1, at + length - 0.03);
      shape.gain.linearRampToValueAtTime(0, at + length);
      tone.connect(shape).connect(volume);
      tone.start(at);
      tone.stop(at + length);
    }
  };
  // Whether an alert could be heard goes on record: once, and again when that changes.
  const told = {};
  const tellTone = (card) => {
    const muted = "muted" in body.dataset && "mutable" in card.dataset;
    const tone = muted ? "muted" : audible() ? "played" : "blocked";
    const id = card.dataset.alert;
    if (!wantsTones || told[id] === tone || ("seen" in card.dataset && !told[id])) return;
    told[id] = tone;
    fetch(`/alerts/${id}/tone`, { method: "POST", headers: { "X-CSRF-Token": csrf }, body: new URLSearchParams({ tone }) })
      .catch(() => { delete told[id]; });
  };
  const sounds = (card) => !("seen" in card.dataset) && !("muted" in body.dataset && "mutable" in card.dataset);
  const unseen = () => $$("[data-alert]").filter(sounds).map((card) => card.dataset.priority);
  const soundAgain = () => {
    const most = unseen().sort((a, b) => ORDER[a] - ORDER[b])[0];
    if (most) sound(most);
    for (const card of $$("[data-alert]")) tellTone(card);
  };

  // ---- alerts: one is shown, the others wait above it
  const alerts = $("[data-alerts]");
  const dialog = alerts?.tagName === "DIALOG" ? alerts : null;
  const cards = () => (alerts ? $$("[data-alert]", alerts) : []);
  const chipOf = (id) => $$("[data-chip]", alerts).find((chip) => chip.dataset.chip === id);
  const cardOf = (id) => cards().find((card) => card.dataset.alert === id);
  let changed = 0;
  const shown = () => cards().find((card) => !card.hidden);
  const show = (id) => {
    if (!cardOf(id)) return false;
    const other = shown()?.dataset.alert !== id || (dialog && !dialog.open);
    for (const card of cards()) card.hidden = card.dataset.alert !== id;
    for (const chip of $$("[data-chip]", alerts)) {
      const link = $("a", chip);
      if (chip.dataset.chip === id) { link.setAttribute("aria-current", "true"); link.classList.remove("new"); } else link.removeAttribute("aria-current");
    }
    if (other) changed = Date.now();
    if (dialog && !dialog.open) dialog.showModal();
    // A screen reader begins at the alert, not at the queue.
    if (dialog && other) $("h2", cardOf(id))?.focus({ preventScroll: true });
    ready(alerts);
    return true;
  };
  const mostUrgent = () => cards().sort((a, b) => ORDER[a.dataset.priority] - ORDER[b.dataset.priority])[0];
  const sortChips = () => {
    const list = $("[data-chips]", alerts);
    const rank = (chip) => ["high", "normal", "low"].findIndex((p) => $("a", chip).classList.contains(p));
    [...list.children].sort((a, b) => rank(a) - rank(b)).forEach((chip) => list.append(chip));
  };
  const drop = (id) => {
    if (!alerts) return;
    const wasShown = shown()?.dataset.alert === id;
    chipOf(id)?.remove();
    const card = cardOf(id);
    if (!dialog && wasShown) { location.assign($("[data-chip] a", alerts)?.href || "/"); return; }
    card?.remove();
    if (!wasShown) return;
    const next = mostUrgent();
    if (next) show(next.dataset.alert); else dialog?.close();
  };
  // A new alert never changes the card under a finger: it waits in the queue, and sounds.
  function alertCame(html) {
    if (!alerts) return;
    const parts = fragment(html);
    const chip = $("[data-chip]", parts);
    const card = $("[data-alert]", parts);
    if (!chip || !card) return;
    const id = card.dataset.alert;
    const known = cardOf(id);
    if (card.dataset.step === "answered") { drop(id); return; }
    if (chipOf(id)) chipOf(id).replaceWith(chip); else { $("[data-chips]", alerts).append(chip); $("a", chip).classList.add("new"); }
    if (known) { card.hidden = known.hidden; known.replaceWith(card); if (!card.hidden) changed = Date.now(); } else { card.hidden = true; $("[data-cards]", alerts).append(card); }
    sortChips();
    if (dialog) { if (!shown() || !dialog.open) show(mostUrgent().dataset.alert); else show(shown().dataset.alert); }
    if (sounds(card) && !known) sound(card.dataset.priority);
    if (!known) tellTone(card);
    $("[data-chips]", alerts).setAttribute("aria-live", "polite");
    ready(alerts);
  }
  const send = async (form, button) => {
    const fields = new URLSearchParams(new FormData(form));
    if (button?.name) fields.set(button.name, button.value);
    const card = form.closest("[data-alert]");
    const error = $("[data-answer-error]", card);
    for (const b of $$("button", form)) b.disabled = true;
    try {
      const answer = await fetch(form.action, { method: "POST", body: fields, headers: { "X-Plated-Part": "1", "X-CSRF-Token": csrf }, signal: AbortSignal.timeout(10_000) });
      const text = await answer.text();
      if (answer.redirected || !answer.ok || !text.includes("data-alert")) throw new Error(`${answer.status}`);
      alertCame(text);
    } catch (e) {
      for (const b of $$("button", form)) b.disabled = false;
      if (!error) { toast("Not saved. Try again."); return; }
      error.textContent = "Not saved: the vehicle's computer did not take the answer. Press it again.";
      error.hidden = false;
    }
  };

  // ---- copying
  const copy = async (text) => {
    try {
      await navigator.clipboard.writeText(text);
      toast(`Copied ${text}`);
    } catch { toast("The browser did not let it be copied. Mark the text and copy it by hand."); }
  };
  for (const b of $$("button[data-print]")) b.hidden = false;
  const ready = (root) => { if (navigator.clipboard) for (const b of $$("button[data-copy]", root)) b.hidden = false; };

  // ---- the screen stays awake while events come
  const stayAwake = async () => {
    if (!body.dataset.events || document.visibilityState !== "visible") return;
    try { await navigator.wakeLock?.request("screen"); } catch { /* the battery saver may refuse */ }
  };

  // ---- hands and keys
  document.addEventListener("click", (event) => {
    wakeSound();
    const target = event.target.closest("button, a");
    if (!target) return;
    if (target.dataset.copy) copy(target.dataset.copy);
    else if ("print" in target.dataset) window.print();
    else if ("leave" in target.dataset) dialog.close();
    else if (target.dataset.sound !== undefined) setTimeout(() => sound("low"), 150);
    else if (target.closest("[data-chip]") && show(target.closest("[data-chip]").dataset.chip)) event.preventDefault();
  });
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.matches("[data-answer]") && dialog) {
      event.preventDefault();
      if (event.submitter?.value === "seen" || Date.now() - changed >= SETTLE) send(form, event.submitter);
    }
    if (form.matches("[data-theme-form]")) {
      // At once; the cookie for the next page goes beside it.
      event.preventDefault();
      const next = event.submitter.value;
      document.documentElement.dataset.theme = next;
      const after = { auto: "night", night: "day", day: "auto" }[next];
      event.submitter.value = after;
      event.submitter.title = `Theme: ${next}`;
      $(".sr-only", event.submitter).textContent = `Theme: ${next}; next: ${after}`;
      $("use", event.submitter).setAttribute("href", `#i-${{ auto: "auto", night: "moon", day: "sun" }[next]}`);
      fetch(form.action, { method: "POST", headers: { "X-CSRF-Token": csrf }, body: new URLSearchParams({ theme: next }) }).catch(() => {});
    }
  });
  document.addEventListener("keydown", (event) => {
    wakeSound();
    if (!("shortcuts" in body.dataset) || event.ctrlKey || event.altKey || event.metaKey || event.repeat) return;
    if (event.target.closest("input, textarea, select, [contenteditable]")) return;
    const card = shown();
    if (card && (!dialog || dialog.open)) {
      const button = $$("[data-key]", card).find((b) => b.dataset.key === event.key.toLowerCase() && !b.hidden && !b.disabled);
      if (!button) return;
      event.preventDefault();
      // Who is typing when an alert opens does not answer it.
      if (Date.now() - changed < SETTLE) changed = Date.now(); else button.click();
      return;
    }
    const field = event.key === "/" && $("main input:not([type=hidden])");
    if (field) { event.preventDefault(); field.focus(); }
  });
  document.addEventListener("visibilitychange", stayAwake);
  dialog?.addEventListener("cancel", () => {}); // Escape closes it; the alerts go on waiting

  // ---- a camera that is aimed: its newest picture and figures, while somebody looks
  const aim = $("[data-aim]");
  const aimAgain = async () => {
    if (document.visibilityState !== "visible") return;
    try {
      const answer = await fetch(aim.dataset.aim, { signal: AbortSignal.timeout(5_000) });
      if (!answer.ok || answer.redirected) return;
      put(await answer.text());
      $("[data-aim-picture]", aim).src = $("[data-shot]").dataset.shot;
    } catch { /* what is shown says when that was */ }
  };
  if (aim) setInterval(aimAgain, 2_000);

  $("[data-focus]")?.focus();
  ready(document);
  if (dialog && cards().length) show(mostUrgent().dataset.alert);
  if (wantsTones) { wakeSound(); saySound(); setInterval(soundAgain, wantsTones * 1000); }
  if (body.dataset.events) { connect(); stayAwake(); }
  setInterval(tick, 1000);
  tick();
})();
