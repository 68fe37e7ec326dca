(function () {
  "use strict";
  var wave = document.getElementById("wave");
  var slider = document.getElementById("wave-time");
  if (wave && slider) {
    var control = slider.closest(".control");
    var said = document.getElementById("wave-said");
    var cells = wave.querySelectorAll("[data-t]");
    var last = Number(slider.max);
    var depth = Number(slider.dataset.depth);
    var show = function () {
      var now = Number(slider.value);
      cells.forEach(function (c) {
        var t = Number(c.dataset.t);
        c.classList.toggle("later", t > now);
        c.classList.toggle("now", t === now && now < last);
      });
      said.textContent = now < depth
        ? "t = " + now + ": the front is at layer " + now + "; weights[" + (depth - 1 - now) + "] learns now"
        : "t = " + now + ": the front has passed, every weight has learned";
    };
    control.hidden = false;
    slider.addEventListener("input", show);
    show();
  }
  document.querySelectorAll("button.copy").forEach(function (b) {
    if (!navigator.clipboard) { return; }
    b.hidden = false;
    b.addEventListener("click", function () {
      var text = document.getElementById(b.dataset.of).textContent;
      navigator.clipboard.writeText(text).then(function () {
        var old = b.textContent;
        b.textContent = "Copied";
        setTimeout(function () { b.textContent = old; }, 1400);
      });
    });
  });
})();
