// Shows the values of a plot under the pointer at once; without it the browser shows them after a while.
const tip = document.getElementById("tip");
for (const place of document.querySelectorAll(".hover rect")) {
  const title = place.querySelector("title");
  const text = title.textContent;
  title.remove();
  place.addEventListener("mousemove", (event) => {
    tip.textContent = text;
    tip.hidden = false;
    const wide = tip.offsetWidth + 28;
    const left = event.clientX + wide > document.documentElement.clientWidth ? event.pageX - wide + 14 : event.pageX + 14;
    tip.style.left = Math.max(0, left) + "px";
    tip.style.top = event.pageY + 14 + "px";
  });
  place.addEventListener("mouseleave", () => { tip.hidden = true; });
}
