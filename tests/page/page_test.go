package page

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func open(t *testing.T) *Browser {
	t.Helper()
	b, err := Open()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	})
	return b
}

func write(t *testing.T, html string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "jail.html")
	if err := os.WriteFile(file, []byte(html), 0o644); err != nil {
		t.Fatal(err)
	}
	return file
}

// The page's box gives the answer of `ocjail why`, for every path of every jail.
func TestThePageAnswersAsWhyDoes(t *testing.T) {
	b := open(t)
	n, ways, unknown, kinds := 0, 0, 0, map[string]int{}
	for _, jail := range elsewhere(t) {
		load(t, b, write(t, jail.HTML), "")
		asks, err := json.Marshal(jail.Asks)
		if err != nil {
			t.Fatal(err)
		}
		var got []struct {
			Real string
			Ways []string
		}
		err = b.Evaluate(string(asks)+`.map((q) => {
			const w = reacher.why(q.Path, q.Exists);
			return { Real: w.real, Ways: w.ways.map((w) => w.access + ' ' + w.how + ' ' + (w.how === 'link' ? w.path : '') + ' as ' + w.inside + ' by ' + w.grant.cause.option).sort() };
		})`, &got)
		if err != nil {
			t.Fatal(err)
		}
		for i, q := range jail.Asks {
			if got[i].Real != q.Real && throughLink(got[i].Real) { // which the page does not have, and it says so
				unknown++
				continue
			}
			n++
			ways += len(q.Ways)
			for _, w := range q.Ways {
				kinds[strings.Fields(w)[1]]++
			}
			// A set: one way may be found twice, which Go drops.
			if diff := cmp.Diff(slices.Compact(q.Ways), slices.Compact(got[i].Ways)); diff != "" || q.Real != got[i].Real {
				t.Errorf("%s: %s (exists: %v) leads to %s, in the page to %s; ways: %s", jail.Name, q.Path, q.Exists, q.Real, got[i].Real, diff)
			}
		}
	}
	t.Logf("%d questions, %d ways: %v; %d through links that the page does not have", n, ways, kinds, unknown)
	if n < 300 {
		t.Errorf("only %d questions", n)
	}
	for _, how := range []string{"mount", "create", "rename", "alias", "below", "link"} {
		if kinds[how] == 0 {
			t.Errorf("no question has the answer %q, so it was not compared", how)
		}
	}
}

// throughLink tells whether a component of p is a symbolic link.
func throughLink(p string) bool {
	for ; p != "/"; p = filepath.Dir(p) {
		if st, err := os.Lstat(p); err == nil && st.Mode()&os.ModeSymlink != 0 {
			return true
		}
	}
	return false
}

// load opens a page, which must come up without an error, a dialog or a request.
func load(t *testing.T, b *Browser, file, fragment string) {
	t.Helper()
	if err := b.Load(file, fragment); err != nil {
		t.Fatal(err)
	}
	quiet(t, b, file)
}

// quiet checks what the page has done so far.
func quiet(t *testing.T, b *Browser, file string) {
	t.Helper()
	for _, event := range []string{"Runtime.exceptionThrown", "Log.entryAdded", "Page.javascriptDialogOpening", "Runtime.consoleAPICalled"} {
		for _, e := range b.Events[event] {
			t.Errorf("%s: %s", event, e)
		}
	}
	for _, e := range b.Events["Network.requestWillBeSent"] {
		var r struct{ Request struct{ URL string } }
		if err := json.Unmarshal(e, &r); err != nil || r.Request.URL != "file://"+file {
			t.Errorf("the page asked for %s (%v)", r.Request.URL, err)
		}
	}
}
