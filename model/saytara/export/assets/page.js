"use strict";
// Shows which words fill the roles of the event in focus: marks them and draws arrows. The page says all of it without this too.
(() => {
  const cards = [...document.querySelectorAll(".card[data-trigger]")];

  const show = (card, on) => {
    const trigger = document.getElementById(card.dataset.trigger);
    const reading = card.closest(".report").querySelector(".reading");
    card.classList.toggle("on", on);
    trigger.classList.toggle("on", on);
    const links = card.dataset.links ? card.dataset.links.split(";").map((link) => link.split(":")) : [];
    for (const [id] of links) document.getElementById(id).classList.toggle("on", on);
    const arrows = reading.querySelector(".arrows");
    arrows.querySelectorAll(".drawn").forEach((drawn) => drawn.remove());
    if (on) for (const [id, role] of links) draw(arrows, trigger, document.getElementById(id), role);
  };

  const copy = (arrows, name) => {
    const element = arrows.querySelector(`:scope > ${name}[hidden]`).cloneNode(false);
    element.removeAttribute("hidden");
    element.classList.add("drawn");
    arrows.append(element);
    return element;
  };

  // A curve from the trigger to the word, which it reaches on the side that faces the trigger; the role stands on the other.
  const draw = (arrows, from, to, role) => {
    const origin = arrows.getBoundingClientRect();
    const a = from.getClientRects()[0], b = to.getClientRects()[0];
    if (!a || !b) return;
    const middle = (a.top + a.bottom) / 2;
    const isBelow = b.top > middle, isAbove = b.bottom < middle;
    const x1 = (a.left + a.right) / 2 - origin.left, x2 = (b.left + b.right) / 2 - origin.left;
    const y1 = (isBelow ? a.bottom : a.top) - origin.top, y2 = (isAbove ? b.bottom + 2 : b.top - 2) - origin.top;
    const bend = Math.max(16, Math.abs(y2 - y1) / 2, isBelow || isAbove ? 0 : Math.abs(x2 - x1) / 10);
    const leave = isBelow ? bend : -bend, arrive = isAbove ? bend : -bend;
    const path = copy(arrows, "path");
    path.setAttribute("d", `M${x1} ${y1}C${x1} ${y1 + leave} ${x2} ${y2 + arrive} ${x2} ${y2}`);
    path.setAttribute("marker-end", "url(#head)");
    const word = copy(arrows, "text");
    word.textContent = role;
    word.setAttribute("x", Math.min(Math.max(x2, 30), origin.width - 30));
    word.setAttribute("y", isAbove ? b.top - origin.top - 4 : b.bottom - origin.top + 13);
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
