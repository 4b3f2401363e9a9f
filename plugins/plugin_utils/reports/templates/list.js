// A list that draws only the rows in view, whatever its length. It scrolls with the page, so that phones and printers
// meet an ordinary document. An ARIA grid (a treegrid when grouped): it has the focus, aria-activedescendant names the row.

const ROWS_AROUND = 8;

class VirtualList {
  // columns: [{title, sort?}], fill(index) -> [cells], open(index), describe(index, row) marks the row element.
  constructor(place, { name, label, columns, fill, open, describe, onSort }) {
    Object.assign(this, { name, columns, fill, open, describe, onSort });
    this.count = 0;
    this.active = -1;
    this.drawn = new Map();
    this.header = el("div", { role: "row", class: "row head", "aria-rowindex": 1 }, columns.map((one) => this.heading(one)));
    this.body = el("div", { role: "rowgroup", class: "rows" });
    this.grid = el("div", { role: "grid", class: "grid " + name, tabindex: 0, "aria-label": label },
      el("div", { role: "rowgroup", class: "head-group" }, this.header), this.body);
    this.empty = el("p", { class: "empty", hidden: true }, "Nothing matches these filters.");
    place.append(this.grid, this.empty);
    this.grid.addEventListener("keydown", (event) => this.key(event));
    this.body.addEventListener("click", (event) => {
      const row = event.target.closest(".row");
      if (row) this.choose(Number(row.dataset.index));
    });
    this.grid.addEventListener("focus", () => { if (this.active < 0 && this.count) this.move(0, false); });
    const draw = () => { if (!this.waiting) this.waiting = requestAnimationFrame(() => { this.waiting = 0; this.draw(); }); };
    addEventListener("scroll", draw, { passive: true });
    addEventListener("resize", () => { this.height = 0; this.clear(); draw(); });
  }

  heading(one) {
    const cell = el("div", { role: "columnheader", class: "cell " + one.name });
    if (!one.sort) cell.append(one.title);
    else cell.append(el("button", { type: "button", tabindex: -1, click: () => this.onSort(one.sort) }, one.title));
    one.cell = cell;
    return cell;
  }

  markSort(key) {
    for (const one of this.columns) {
      if (one.sort) one.cell.setAttribute("aria-sort", one.sort === key ? "descending" : "none");
    }
  }

  rowHeight() {
    if (!this.height) this.height = parseFloat(getComputedStyle(this.grid).getPropertyValue("--row")) || 40;
    return this.height;
  }

  clear() {
    for (const row of this.drawn.values()) row.remove();
    this.drawn.clear();
  }

  // Show `count` rows anew. The active row is forgotten unless `keep` is its new number.
  show(count, keep = -1) {
    this.count = count;
    this.active = keep;
    this.clear();
    this.grid.setAttribute("aria-rowcount", String(count + 1));
    this.body.hidden = this.header.hidden = count === 0;
    this.empty.hidden = count !== 0;
    this.body.style.height = count * this.rowHeight() + "px";
    this.draw();
  }

  draw() {
    if (!this.grid.offsetParent) return;
    const height = this.rowHeight();
    this.body.style.height = this.count * height + "px";
    const top = this.body.getBoundingClientRect().top;
    const first = Math.max(0, Math.floor(-top / height) - ROWS_AROUND);
    // A list below the fold has its first rows all the same: assistive technology finds a grid with content.
    const last = Math.min(this.count, Math.max(first ? 0 : 2 * ROWS_AROUND, Math.ceil((innerHeight - top) / height) + ROWS_AROUND));
    for (const [index, row] of this.drawn) {
      if (index < first || index >= last) {
        row.remove();
        this.drawn.delete(index);
      }
    }
    const fresh = document.createDocumentFragment();
    for (let index = first; index < last; index++) {
      if (!this.drawn.has(index)) fresh.append(this.make(index, height));
    }
    this.body.append(fresh);
    this.mark();
  }

  make(index, height) {
    const row = el("div", { role: "row", class: "row", id: this.name + "-" + index, "aria-rowindex": index + 2 },
      this.fill(index).map((cell, place) => el("div", { role: "gridcell", class: "cell " + this.columns[place].name }, cell)));
    row.dataset.index = index;
    row.style.transform = "translateY(" + index * height + "px)";
    if (this.describe) this.describe(index, row);
    this.drawn.set(index, row);
    return row;
  }

  mark() {
    for (const [index, row] of this.drawn) row.classList.toggle("active", index === this.active);
    if (this.drawn.has(this.active)) this.grid.setAttribute("aria-activedescendant", this.name + "-" + this.active);
    else this.grid.removeAttribute("aria-activedescendant");
  }

  // Make a row the active one and bring it into view below the bar that sticks to the top.
  move(index, scroll = true) {
    if (!this.count) return;
    this.active = Math.max(0, Math.min(this.count - 1, index));
    if (scroll) {
      const height = this.rowHeight(), covered = stickyHeight() + this.header.offsetHeight;
      const top = this.body.getBoundingClientRect().top + this.active * height;
      if (top < covered) scrollBy(0, top - covered);
      else if (top + height > innerHeight) scrollBy(0, top + height - innerHeight + 8);
    }
    this.draw();
  }

  choose(index) {
    this.move(index, false);
    this.open(index);
  }

  key(event) {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    const page = Math.max(1, Math.floor((innerHeight - stickyHeight()) / this.rowHeight()) - 2);
    const steps = { ArrowDown: 1, ArrowUp: -1, PageDown: page, PageUp: -page, Home: -this.count, End: this.count };
    if (event.key in steps) this.move(Math.max(0, this.active) + (this.active < 0 ? 0 : steps[event.key]));
    else if ((event.key === "Enter" || event.key === " ") && this.active >= 0 && event.target === this.grid) this.open(this.active);
    else return;
    event.preventDefault();
    if (this.onMove && event.key in steps) this.onMove(this.active);
  }
}

function stickyHeight() {
  const bar = document.getElementById("bar");
  return getComputedStyle(bar).position === "sticky" ? bar.offsetHeight : 0;
}
