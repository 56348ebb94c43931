//go:build unix

package e2e_test

import (
	"fmt"
	"strings"
	"testing"
)

// faint returns each text of the page that is shown with a contrast to its ground below 4.5 to 1, or 3 to 1 where it is
// large (WCAG 2.2, 1.4.3, with the definitions of contrast ratio and relative luminance).
const faint = `
const rgba = text => { const n = text.match(/[\d.]+/g).map(Number); return n.length > 3 ? n : [...n, 1]; };
const over = (top, under) => top.slice(0, 3).map((c, i) => c * top[3] + under[i] * (1 - top[3]));
const light = c => {
	const [r, g, b] = c.map(v => v / 255).map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
	return 0.2126 * r + 0.7152 * g + 0.0722 * b;
};
const ground = e => e ? over(rgba(getComputedStyle(e).backgroundColor), ground(e.parentElement)) :
	matchMedia("(prefers-color-scheme: dark)").matches ? [0, 0, 0] : [255, 255, 255];
const found = [], seen = new Set();
const look = (e, text) => {
	if (seen.has(e) || !e.checkVisibility({ opacityProperty: true, visibilityProperty: true }) || !e.getBoundingClientRect().width) return;
	seen.add(e);
	const style = getComputedStyle(e), back = ground(e), [a, b] = [light(over(rgba(style.color), back)), light(back)].sort((x, y) => y - x);
	const ratio = (a + 0.05) / (b + 0.05), size = parseFloat(style.fontSize);
	const large = size >= 24 || size >= 18.66 && Number(style.fontWeight) >= 700;
	if (ratio < (large ? 3 : 4.5)) found.push(ratio.toFixed(2) + " " + text.trim().slice(0, 40));
};
const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
while (walk.nextNode()) if (walk.currentNode.data.trim()) look(walk.currentNode.parentElement, walk.currentNode.data);
for (const e of document.querySelectorAll("input:not([type=hidden]), select")) look(e, "what is typed into " + e.name);
if (!seen.size) found.push("there is no text");
return found`

// cramped returns what does not fit: a page that is wider than its window (WCAG 2.2, 1.4.10), targets that are smaller than
// 24 by 24 pixels outside of running text (2.5.8).
const cramped = `
const found = [], root = document.documentElement;
if (root.scrollWidth > root.clientWidth) found.push("the page is " + root.scrollWidth + " wide in " + root.clientWidth);
for (const e of document.querySelectorAll("button:not(.unseen), input:not([type=hidden], [type=radio], [type=checkbox]), select")) {
	const box = e.getBoundingClientRect();
	if (box.width < 24 || box.height < 24) found.push(e.textContent + " is " + box.width + " by " + box.height);
}
return found`

// backwards returns texts in Latin letters whose last sign would be drawn before them, as is the rule of a page that is read
// from right to left.
const backwards = `
const found = [], walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
while (walk.nextNode()) {
	const text = walk.currentNode.data.trim();
	if (/^[A-Za-z].*[.:!?]$/.test(text) && getComputedStyle(walk.currentNode.parentElement).direction === "rtl") found.push(text);
}
return found`

// looks holds a page to what everybody needs to read and to use it.
func (v *visit) looks(name string) {
	v.t.Helper()
	for what, script := range map[string]string{"faint": faint, "cramped": cramped, "backwards": backwards} {
		var found []string
		v.Script(&found, script)
		if len(found) > 0 {
			v.t.Errorf("%s: %s: %s", name, what, strings.Join(found, "; "))
		}
	}
	for _, e := range v.All("input:not([type=hidden]), select, button:not(.unseen), a, iframe, [role=img]:not([aria-hidden] *)") {
		if e.Name() == "" {
			v.t.Errorf("%s: a %s has no name", name, e.Role())
		}
	}
	if n := len(v.All("h1")); n != 1 {
		v.t.Errorf("%s: there are %d headings of the page", name, n)
	}
}

// TestPagesAreReadable looks at each page on a screen, on a telephone, at 200 %, in the light and in the dark, with no
// script running.
func TestPagesAreReadable(t *testing.T) {
	t.Parallel()
	v := newVisit(t)
	v.ScriptsOff()
	v.open(emailPage)
	v.field("Email address").Type("lea@example.org")
	v.press("Send verification code")
	v.code("lea@example.org") // something is in the inbox
	screens := []struct {
		width, height int
		zoom          float64
		scheme        string
	}{{1280, 800, 1, "light"}, {360, 740, 1, "dark"}, {640, 400, 2, "light"}}
	for _, s := range screens {
		v.Screen(s.width, s.height, s.zoom)
		v.Prefer(s.scheme)
		for _, path := range []string{"/", "/inbox?live=off", "/inbox?to=%00", "/b2c", emailPage, phonePage, appPage, emailPage + "x"} {
			v.open(path)
			v.looks(fmt.Sprintf("%s, %d wide, %s", path, s.width, s.scheme))
		}
		v.open(emailPage)
		v.Focused().Type("000000")
		v.press("Verify code")
		v.looks("a wrong code")
	}
	v.open("/docs")
	v.looks("/docs")
}

// TestAPageInHebrew reads from right to left, in the language that the browser asks for.
func TestAPageInHebrew(t *testing.T) {
	t.Parallel()
	v := newVisit(t)
	v.Language("he-IL,he;q=0.9,en;q=0.5")
	v.open(emailPage)
	html := v.Find("html")
	if html.Attribute("dir") != "rtl" || !strings.HasPrefix(html.Attribute("lang"), "he") {
		t.Errorf("the page is %q and %q", html.Attribute("lang"), html.Attribute("dir"))
	}
	v.Find("input[type=email]").Type("lea@example.org")
	v.Leave(v.Find("button[value^='send:']").Click)
	v.Find("input.code").Type(v.code("lea@example.org"))
	// What is read first is at the right, and what is written in figures still begins at the left.
	var order struct {
		Verify, Anew, Send, Edge float64
		Digits                   string
	}
	v.Script(&order, `const at = s => document.querySelector(s).getBoundingClientRect().right;
		return {Verify: at("button[value^='verify:']"), Send: at("button[value^='send:']"), Anew: at("button[value=anew]"), Edge: at("form"),
			Digits: getComputedStyle(document.querySelector("input.code")).direction}`)
	if order.Verify <= order.Send || order.Anew != order.Edge || order.Digits != "ltr" {
		t.Errorf("from the left: %+v", order)
	}
	v.looks("Hebrew")
	v.Leave(v.Find("button[value^='verify:']").Click)
	v.Leave(v.Find("button[value=continue]:not(.unseen)").Click)
	v.says("lea@example.org")
	v.open(appPage) // what the policy has in English alone
	v.looks("the app's page in Hebrew")
	v.quiet()
}
