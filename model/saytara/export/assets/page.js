"use strict";
// Shows which words fill the roles of the event in focus: marks them and draws arrows. The page says all of it without this too.
(() => {
  const cards = [...document.querySelectorAll(".card[data-trigger]")];

  const show = (card, on) => {
    const trigger = document.getElementById(card.dataset.trigger);
    const reading = card.closest(".report").querySelector(".reading");
    card.classList.toggle("on", on);
    trigger.classList.toggle("on", on);
    const links = card.dataset.links ? card.dataset.links.split(" ").map((link) => link.split(":")) : [];
    for (const [id] of links) document.getElementById(id).classList.toggle("on", on);
    const arrows = reading.querySelector(".arrows");
    arrows.querySelectorAll(".drawn").forEach((drawn) => drawn.remove());
    if (on) for (const [id, role] of links) draw(arrows, trigger, document.getElementById(id), role);
  };

  const draw = (arrows, from, to, role) => {
    const origin = arrows.getBoundingClientRect();
    const a = from.getClientRects()[0], b = to.getClientRects()[0];
    if (!a || !b) return;
    const x1 = (a.left + a.right) / 2 - origin.left, x2 = (b.left + b.right) / 2 - origin.left;
    const sameLine = Math.abs(a.top - b.top) < 6;
    const down = b.top > a.top + 6;
    const y1 = (down ? a.bottom : a.top) - origin.top, y2 = (down || !sameLine && !down ? (down ? b.top : b.bottom) : b.top) - origin.top;
    const bend = sameLine ? -Math.min(26, 10 + Math.abs(x1 - x2) / 12) : (y2 - y1) / 2;
    const path = arrows.querySelector(":scope > path[hidden]").cloneNode(false);
    path.removeAttribute("hidden");
    path.classList.add("drawn");
    path.setAttribute("d", sameLine
      ? `M${x1} ${y1}C${x1} ${y1 + bend} ${x2} ${y2 + bend} ${x2} ${y2}`
      : `M${x1} ${y1}C${x1} ${y1 + bend} ${x2} ${y2 - bend} ${x2} ${y2}`);
    path.setAttribute("marker-end", "url(#head)");
    arrows.append(path);
    const word = arrows.querySelector(":scope > text[hidden]").cloneNode(false);
    word.removeAttribute("hidden");
    word.classList.add("drawn");
    word.textContent = role;
    const width = origin.width, x = Math.min(Math.max((x1 + x2) / 2, 24), width - 24);
    word.setAttribute("x", x);
    word.setAttribute("y", sameLine ? y1 + bend * 0.75 - 2 : (y1 + y2) / 2);
    arrows.append(word);
  };

  let shown = null;
  const focus = (card) => {
    if (shown === card) return;
    if (shown) show(shown, false);
    shown = card;
    if (card) show(card, true);
  };

  for (const card of cards) {
    const trigger = document.getElementById(card.dataset.trigger);
    for (const element of [card, trigger]) {
      element.addEventListener("mouseenter", () => focus(card));
      element.addEventListener("mouseleave", () => focus(null));
      element.addEventListener("focusin", () => focus(card));
      element.addEventListener("focusout", () => focus(null));
    }
  }
  document.addEventListener("keydown", (event) => { if (event.key === "Escape") focus(null); });
  window.addEventListener("resize", () => focus(null));
})();
