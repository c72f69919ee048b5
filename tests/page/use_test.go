package page

import (
	"encoding/base64"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/refnil/opencode-jail-devenv/checker/finding"
)

// screenshots names a directory for pictures to be looked at; none are kept without.
const screenshots = "OCJAIL_TEST_SCREENSHOTS"

// usual is the page of a usual jail.
func usual(t *testing.T) (file, dir string) {
	t.Helper()
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if err := build(dir); err != nil {
		t.Fatal(err)
	}
	argv := append([]string{"--unshare-all", "--share-net", "--clearenv", "--setenv", "HOME", dir, "--setenv", "API_KEY", "hunter2-hunter2", "--tmpfs", "/tmp",
		"--ro-bind", "/etc/passwd", "/etc/passwd", "--ro-bind", "/etc/hosts", "/etc/hosts", "--symlink", "usr/bin", "/bin"}, jails(dir)["plain"]...)
	j, err := resolve("opencode", dir+"/project", argv)
	if err != nil {
		t.Fatal(err)
	}
	html, err := document(j, finding.Finding{Rule: "net/host-network", Severity: finding.Warning, Message: "the jail has the host's network", Subject: finding.Subject{Kind: "namespace", Name: "net"},
		Remedy: "give it a network of its own: --unshare-net"}, finding.Finding{Rule: "fs/rw-outside-home", Severity: finding.Error, Message: dir + "/project can be written in the jail",
		Subject: finding.Subject{Kind: "path", Path: dir + "/project"}, Origin: &finding.Origin{File: "jail.hcl", Line: 8, Combinator: "bind"}, Remedy: "bind it read-only"})
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(html, "hunter2") {
		t.Error("the page holds the value of a variable")
	}
	return write(t, html), dir
}

// Everything can be done with the keyboard alone.
func TestThePageIsUsableByKeyboard(t *testing.T) {
	file, dir := usual(t)
	b := open(t)
	load(t, b, file, "")
	text := func(expression string) string {
		t.Helper()
		var s string
		if err := b.Evaluate(expression, &s); err != nil {
			t.Fatal(err)
		}
		return s
	}
	press := func(keys ...string) {
		t.Helper()
		if err := b.Press(keys...); err != nil {
			t.Fatal(err)
		}
	}
	const focused = "document.activeElement.id || document.activeElement.innerText"
	press("/")
	if got := text(focused); got != "q" {
		t.Errorf("/ leads to %s", got)
	}
	press(strings.Split(dir+"/secret/key", "")...)
	for _, want := range []string{"The jail can read " + dir + "/secret/key.", "/keys/key", "--ro-bind", "leave out --ro-bind"} {
		if got := text("document.getElementById('answer').innerText"); !strings.Contains(got, want) {
			t.Errorf("%q is not in the answer: %s", want, got)
		}
	}
	if got := text("document.querySelector('#mounts .on').innerText"); !strings.Contains(got, "/keys") {
		t.Errorf("the mount in question is not marked, but %s", got)
	}
	press("Escape")
	if got := text("document.getElementById('q').value + document.getElementById('answer').innerText"); got != "" {
		t.Errorf("Escape leaves %q", got)
	}
	press("Tab", "ArrowDown", "ArrowRight")
	if got := text("document.activeElement.closest('.jail') ? 'jail' : document.activeElement.outerHTML"); got != "jail" {
		t.Errorf("from the second source ArrowRight leads to %s", got)
	}
	press("Enter")
	if got := text("document.getElementById('detail').innerText"); !strings.Contains(got, "of the host") || !strings.Contains(got, "option") {
		t.Errorf("Enter shows %q", got)
	}
	press("ArrowLeft")
	if got := text("document.activeElement.closest('.host') ? 'host' : document.activeElement.outerHTML"); got != "host" {
		t.Errorf("ArrowLeft leads to %s", got)
	}
	var unnamed int
	if err := b.Evaluate(`[...document.querySelectorAll('button, input, summary')].filter((e) => e.tabIndex < 0 || !(e.innerText || e.labels?.[0]?.innerText)).length`, &unnamed); err != nil || unnamed > 0 {
		t.Errorf("%d controls can not be reached or have no name (%v)", unnamed, err)
	}
	quiet(t, b, file)
}

// contrasts finds text whose contrast with what is behind it is below 4.5
// (WCAG 2.2, 1.4.3), and controls that reach out of the window.
const contrasts = `(() => {
	const rgb = (c) => c.match(/[\d.]+/g).map(Number);
	const light = (c) => { const [r, g, b] = rgb(c).map((v) => { v /= 255; return v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4; }); return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
	const behind = (e) => { for (; e; e = e.parentElement) { const c = getComputedStyle(e).backgroundColor; if ((rgb(c)[3] ?? 1) > 0) return c; } return 'rgb(255,255,255)'; };
	const bad = [];
	for (const e of document.querySelectorAll('body *')) {
		if (![...e.childNodes].some((n) => n.nodeType === 3 && n.textContent.trim()) || !e.offsetParent) continue;
		const [a, b] = [light(getComputedStyle(e).color), light(behind(e))].sort((x, y) => y - x);
		if ((a + 0.05) / (b + 0.05) < 4.5) bad.push(e.className + ' ' + e.innerText.slice(0, 30));
	}
	if (document.documentElement.scrollWidth > innerWidth) {
		const wide = [...document.querySelectorAll('body *')].filter((e) => e.getBoundingClientRect().right > innerWidth).pop();
		bad.push('wider than the window: ' + wide?.outerHTML.slice(0, 200));
	}
	return bad;
})()`

// The page is readable in light and dark, and fits windows of every width.
func TestThePageFitsAndIsReadable(t *testing.T) {
	file, dir := usual(t)
	b := open(t)
	for _, scheme := range []string{"light", "dark"} {
		for _, width := range []int{320, 420, 800, 1400} {
			if err := b.Call("Emulation.setDeviceMetricsOverride", map[string]any{"width": width, "height": 1000, "deviceScaleFactor": 1, "mobile": false}, nil); err != nil {
				t.Fatal(err)
			}
			features := []map[string]string{{"name": "prefers-color-scheme", "value": scheme}}
			if err := b.Call("Emulation.setEmulatedMedia", map[string]any{"features": features}, nil); err != nil {
				t.Fatal(err)
			}
			load(t, b, file, "#"+dir+"/project/.git/hooks")
			if err := b.Evaluate(`document.querySelectorAll('details').forEach((x) => { x.open = true }), document.querySelector('#mounts button').click()`, nil); err != nil {
				t.Fatal(err)
			}
			var bad []string
			if err := b.Evaluate(contrasts, &bad); err != nil || len(bad) > 0 {
				t.Errorf("%s, %d wide: %q (%v)", scheme, width, bad, err)
			}
			var seen struct {
				Lines, Marked int
				Ground        string
			}
			if err := b.Evaluate(`({ Lines: document.querySelectorAll('#lines path').length, Marked: document.querySelectorAll('#lines path.on').length, Ground: getComputedStyle(document.body).backgroundColor })`, &seen); err != nil {
				t.Fatal(err)
			}
			if narrow := width < 700; (seen.Lines == 0) != narrow || (seen.Marked == 1) == narrow {
				t.Errorf("%s, %d wide: %d lines between host and jail, %d of them marked", scheme, width, seen.Lines, seen.Marked)
			}
			if dark := !strings.HasPrefix(seen.Ground, "rgb(25"); dark != (scheme == "dark") {
				t.Errorf("%s: the ground is %s", scheme, seen.Ground)
			}
			keep(t, b, fmt.Sprintf("%s-%d.png", scheme, width))
		}
	}
}

// keep saves a picture of the whole page.
func keep(t *testing.T, b *Browser, name string) {
	t.Helper()
	var picture struct{ Data string }
	if err := b.Call("Page.captureScreenshot", map[string]any{"captureBeyondViewport": true}, &picture); err != nil {
		t.Fatal(err)
	}
	png, err := base64.StdEncoding.DecodeString(picture.Data)
	if err != nil || len(png) < 10_000 {
		t.Errorf("%s: a picture of %d bytes (%v)", name, len(png), err)
	}
	if dir := os.Getenv(screenshots); dir != "" {
		if err := os.WriteFile(filepath.Join(dir, name), png, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}
