package page

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/refnil/opencode-jail-devenv/checker/finding"
)

// Names that an agent may give to what it makes.
var hostile = []string{
	`<img src=x onerror=window.pwned=1>`, `<script>window.pwned=1<`, `"' onmouseover=window.pwned=1 x="`, `{{script}}`, `{{data}}`,
	"line\nbreak", "\u202egnp.exe", "\u2028sep", `__proto__`, `&lt;b&gt;`, `\u003cimg>`, "${window.pwned=1}", "javascript:window.pwned=1", "a\xffb",
}

// A hostile name does nothing on the page but to be shown.
func TestHostileNamesDoNothing(t *testing.T) {
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	project := filepath.Join(dir, "p</script><img src=x onerror=window.pwned=1>")
	argv := []string{"--bind", project, project, "--setenv", "<b onclick", hostile[0], "--setenv", "HOME", hostile[1]}
	for _, name := range hostile {
		at := filepath.Join(project, name)
		if err := os.MkdirAll(at, 0o755); err != nil {
			t.Fatal(err)
		}
		argv = append(argv, "--ro-bind", at, at)
		if !strings.Contains(name, "/") {
			argv = append(argv, "--ocjail-origin", name, "--ro-bind", at, "/x/"+name)
		}
	}
	j, err := resolve("jail</script><script>window.pwned=1</script>", project, argv)
	if err != nil {
		t.Fatal(err)
	}
	var found []finding.Finding
	for _, name := range hostile {
		found = append(found, finding.Finding{Rule: "x/y", Severity: finding.Error, Message: name, Remedy: name, Because: name, Subject: finding.Subject{Kind: "path", Path: name}})
	}
	html, err := document(j, found...)
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(html, "</script>"); n != 2 {
		t.Errorf("%d script elements end in the page, want 2", n)
	}
	b := open(t)
	file := write(t, html)
	load(t, b, file, "#"+`%3Cimg src=x onerror=window.pwned=1%3E`)
	var state struct {
		Pwned    bool
		Elements int
		Text     string
		Answer   string
	}
	look := `({ Pwned: 'pwned' in window || 'polluted' in {}, Elements: document.querySelectorAll('img,iframe,object,embed,link,a,body script:not([type])').length,
		Text: document.body.innerText, Answer: document.getElementById('answer').innerText })`
	// Every button opens its details.
	if err := b.Evaluate(`document.querySelectorAll('button').forEach((x) => x.click()), document.querySelectorAll('details').forEach((x) => { x.open = true })`, nil); err != nil {
		t.Fatal(err)
	}
	if err := b.Evaluate(look, &state); err != nil {
		t.Fatal(err)
	}
	quiet(t, b, file)
	if state.Pwned || state.Elements != 1 { // the page's own script
		t.Errorf("a name was taken for markup: %+v", state)
	}
	for _, want := range []string{hostile[0], hostile[1], `{{script}}`, `line\u{a}break`, `\u{202e}gnp.exe`, "__proto__", "&lt;b&gt;", "Jail jail</script><script>window.pwned=1</script>"} {
		if !strings.Contains(state.Text, want) {
			t.Errorf("%q is not shown", want)
		}
	}
	if !strings.Contains(state.Answer, "<img src=x onerror=window.pwned=1>") {
		t.Errorf("the question in the address was not answered: %s", state.Answer)
	}
}

// The page's policy stops what the escaping would let through.
func TestThePolicyStopsWhatIsNotThePages(t *testing.T) {
	j, err := resolve("x", t.TempDir(), []string{"--ro-bind", "/usr", "/usr"})
	if err != nil {
		t.Fatal(err)
	}
	html, err := document(j)
	if err != nil {
		t.Fatal(err)
	}
	b := open(t)
	for what, tamper := range map[string]string{
		"element": `<script>window.pwned=1</script>`, "attribute": `<img src=data:, onerror=window.pwned=1>`, "file": `<script src="other.js"></script>`,
		"frame": `<iframe srcdoc="<script>parent.pwned=1</script>"></iframe>`,
	} {
		file := write(t, strings.Replace(html, "<noscript>", tamper+"<noscript>", 1))
		if err := os.WriteFile(filepath.Join(filepath.Dir(file), "other.js"), []byte("window.pwned=1"), 0o644); err != nil {
			t.Fatal(err)
		}
		if err := b.Load(file, ""); err != nil {
			t.Fatal(err)
		}
		var pwned bool
		if err := b.Evaluate(`new Promise((done) => setTimeout(() => done('pwned' in window), 50))`, &pwned); err != nil || pwned {
			t.Errorf("%s: ran: %v (%v)", what, pwned, err)
		}
		// The same without the policy proves that it was the policy.
		open := strings.Replace(strings.Replace(html, "Content-Security-Policy", "X-Nothing", 1), "<noscript>", tamper+"<noscript>", 1)
		if err := b.Load(write(t, open), ""); err != nil {
			t.Fatal(err)
		}
		if what == "file" {
			continue // it lies elsewhere
		}
		if err := b.Evaluate(`new Promise((done) => setTimeout(() => done('pwned' in window), 200))`, &pwned); err != nil || !pwned {
			t.Errorf("%s: without the policy it did not run either: %v", what, err)
		}
	}
}

// Names that are no UTF-8 stay as many as they are, and can be asked for as they are shown.
func TestNamesThatAreNoText(t *testing.T) {
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	access := map[string]string{"caf\xe8": "--ro-bind", "caf\xe9": "--bind", "caf\ufffd": "--tmpfs", `caf\xe7`: "--ro-bind"}
	var argv []string
	for name, option := range access {
		at := filepath.Join(dir, name)
		if err := os.Mkdir(at, 0o755); err != nil {
			t.Fatal(err)
		}
		if argv = append(argv, option, at); option != "--tmpfs" {
			argv = append(argv, at)
		}
	}
	j, err := resolve("x", dir, argv)
	if err != nil {
		t.Fatal(err)
	}
	html, err := document(j)
	if err != nil {
		t.Fatal(err)
	}
	b := open(t)
	file := write(t, html)
	load(t, b, file, "")
	text := func(expression string) (s string) {
		t.Helper()
		if err := b.Evaluate(expression, &s); err != nil {
			t.Fatal(err)
		}
		return s
	}
	sources := text(`[...document.querySelectorAll('#sources button, #mounts button')].map((x) => x.innerText).join('\n')`)
	for _, name := range []string{`caf\xe8`, `caf\xe9`, "caf\ufffd", `caf\xe7`} {
		if !strings.Contains(sources, name) {
			t.Errorf("%s is not shown in\n%s", name, sources)
		}
	}
	for name, want := range map[string]string{`caf\xe8`: "can read ", `caf\xe9`: "can read and write ", `caf\xe7`: "can read ", `caf\xea`: "can not reach "} {
		said := text(fmt.Sprintf(`(() => { const q = document.getElementById('q'); q.value = %q; q.dispatchEvent(new Event('input')); return document.getElementById('answer').innerText; })()`, dir+"/"+name+"/x"))
		if !strings.HasPrefix(said, "The jail "+want) || !strings.Contains(said, name) {
			t.Errorf("asked for %s it says %q, want %q", name, said, want)
		}
	}
	quiet(t, b, file)
}
