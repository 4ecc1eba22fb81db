// One embedding in a dialog, with behaviour and trials below it.

class Large {
  constructor(hub) {
    this.hub = hub;
    this.scene = null;
    this.dialog = document.getElementById("large");
    this.home = document.getElementById("linked").parentNode;
    this.dialog.addEventListener("close", () => this.closed());
    document.getElementById("large-save").addEventListener("click", () => this.save());
  }

  open(panel) {
    const old = document.getElementById("large-canvas");
    const canvas = old.cloneNode(false); // without the listeners of the last one
    old.replaceWith(canvas);
    this.scene = new Scene(canvas, panel, this.hub.data.unitsPerRadius);
    listenTo(this.scene, this.hub);
    const zoom = (event) => {
      event.preventDefault();
      this.hub.zoom(Math.exp(-event.deltaY / 500));
    };
    canvas.addEventListener("wheel", zoom, { passive: false });
    document.getElementById("large-title").textContent = `${named(panel)}, ${this.hub.state.recording}`;
    document.getElementById("large-linked").append(this.hub.linked.box);
    this.dialog.showModal();
    canvas.focus();
    this.hub.recolor();
  }

  closed() {
    this.scene = null;
    this.home.insertBefore(this.hub.linked.box, document.getElementById("gallery"));
    this.hub.point(null);
    this.hub.reset();
  }

  legend() {
    if (this.scene) drawLegend(document.getElementById("large-legend"), this.scene.legend);
  }

  save() {
    const { canvas, panel } = this.scene;
    const out = document.createElement("canvas");
    [out.width, out.height] = [canvas.width, canvas.height];
    const pen = out.getContext("2d");
    pen.fillStyle = getComputedStyle(document.body).backgroundColor;
    pen.fillRect(0, 0, out.width, out.height);
    pen.drawImage(canvas, 0, 0);
    const link = document.createElement("a");
    link.download = `${panel.variant}-seed${panel.seed}.png`.replace(/[^\w.-]+/g, "_");
    link.href = out.toDataURL("image/png");
    link.click();
  }
}
