package bundles

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/refnil/opencode-jail-devenv/checker/bundle"
	"github.com/refnil/opencode-jail-devenv/checker/bundle/bundletest"
	"github.com/refnil/opencode-jail-devenv/checker/bundle/store"
)

// bad is what a publisher, or whoever stands between, answers a pull with.
type bad struct {
	archive []byte           // what is sent
	answer  http.HandlerFunc // in its place
	words   []string         // more for ocjail bundle pull
	full    bool             // the disk
	want    []string         // of the message, beside what all have
}

// Whatever a pull meets, it says of which source, by which digest and key, and what to
// do, and the last good bundle stays in use. A clock that is far in the past is shown by
// a bundle, or a time, that is as far ahead.
func TestBadPulls(t *testing.T) {
	var now bad
	l := newLaptop(t, serve(t, func(w http.ResponseWriter, r *http.Request) {
		if now.answer != nil {
			now.answer(w, r)
			return
		}
		_, _ = w.Write(now.archive) // who asks may be gone
	}))
	good := published(t, l.key, "7")
	now.archive = good
	l.do("bundle", "pull").says(t, 0, "revision 7, "+store.DigestOf(good))
	key := l.key.Public().ID[:16]
	other := bundletest.NewKey(t, "other")
	for name, b := range badPulls(t, l, other) {
		t.Run(name, func(t *testing.T) {
			now = b
			want := append(slices.Clone(b.want), l.source+": ", "revision 7 ("+store.DigestOf(good)+"), of ", "signed by "+key+", stays in use")
			if b.answer == nil && !b.full {
				want = append(want, "the bundle "+store.DigestOf(b.archive)+" is refused: ", "(keys: "+key+")")
			}
			if b.full {
				o, err := ran(l.onFullDisk("bundle", "pull"))
				check(t, err)
				o.says(t, 126, want...)
				o.says(t, 126, "by revision 7 no jail")
			} else {
				l.do(append([]string{"bundle", "pull"}, b.words...)...).says(t, 2, want...)
			}
			l.do(jail(true, "true")...).says(t, 126, "by revision 7 no jail")
			l.do(jail(false, "echo", "inside")...).says(t, 0, "inside")
			if got := l.kept(); got.Digest != store.DigestOf(good) {
				t.Errorf("revision %s is kept", got.Manifest.Revision)
			}
		})
	}
}

func badPulls(t *testing.T, l *laptop, other bundletest.Key) map[string]bad {
	t.Helper()
	tampered := published(t, l.key, "8")
	tampered[len(tampered)/2] ^= 1
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("it went to another host") }))
	t.Cleanup(elsewhere.Close)
	return map[string]bad{
		"tampered":    {archive: tampered, want: []string{"get it anew"}},
		"wrong key":   {archive: published(t, other, "8"), want: []string{fmt.Sprintf("it was signed by the key %q", other.Public().ID[:16]), "add the publisher's new key"}},
		"expired":     {archive: bundletest.Signed(t, l.key, "8", func(c *bundle.Content) { c.Manifest.Expires = bundletest.Made.AddDate(0, 0, 1) }), want: []string{"it expired on 2026-01-02", "get a newer one from its publisher"}},
		"rolled back": {archive: published(t, l.key, "6"), want: []string{"its revision is 6, and 7 was seen here before: get that or a newer one", "ocjail bundle pull --allow-rollback 6 " + l.source}},
		"past clock":  {archive: bundletest.Signed(t, l.key, "8", func(c *bundle.Content) { c.Manifest.Created = time.Now().AddDate(40, 0, 0) }), want: []string{"it was made on ", "and here it is ", "set the clock"}},
		"down": {answer: func(w http.ResponseWriter, _ *http.Request) {
			conn, _, err := http.NewResponseController(w).Hijack()
			if err == nil {
				err = conn.Close()
			}
			if err != nil {
				t.Error(err)
			}
		}, want: []string{"EOF: see that the network, the proxy and the host are up"}},
		"slow": {answer: func(w http.ResponseWriter, r *http.Request) {
			_, _ = w.Write([]byte("\x1f"))
			_ = http.NewResponseController(w).Flush()
			<-r.Context().Done() // for ever, if it were not for the limit
		}, words: []string{"--timeout", "300ms"}, want: []string{"it took longer than 300ms", "or allow more with --timeout"}},
		"401":       {answer: func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusUnauthorized) }, want: []string{"it answers 401 Unauthorized: it does not let you: name a file with a bearer token"}},
		"redirect":  {answer: func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, elsewhere.URL, http.StatusFound) }, want: []string{"redirects to another host, " + elsewhere.URL + ", which is not followed: name that in the source"}},
		"full disk": {archive: resigned(t, l, 8), full: true, want: []string{"keep the bundle: ", "no space left on device: see that there is room in "}},
	}
}

// onFullDisk is ocjail, and then a launch, where the state is on a disk that is full.
func (l *laptop) onFullDisk(words ...string) *exec.Cmd {
	state := filepath.Join(l.home, ".local", "state")
	before := l.t.TempDir()
	check(l.t, os.CopyFS(before, os.DirFS(state)))
	script := `cp -r "$1/." "$2" && shift 2 && { dd if=/dev/zero of="$1/fill" bs=1024 2>/dev/null; "$0" bundle pull; exec "$0" "${@:2}"; }`
	args := []string{"--dev-bind", "/", "/", "--chdir", l.project, "--size", "524288", "--tmpfs", state, "--",
		"bash", "-c", script, ocjail, before, state, state}
	c := exec.Command("bwrap", append(args, jail(true, "true")...)...)
	c.Env = l.command(words...).Env
	return c
}

// A launch goes by nothing that is not good, says the same, and the next pull mends it.
func TestBadLaunches(t *testing.T) {
	for name, c := range map[string]struct {
		spoil func(t *testing.T, l *laptop, e store.Entry)
		want  []string
	}{
		"corrupt": {func(t *testing.T, l *laptop, e store.Entry) {
			file := l.store().ArchiveFile(e.Digest)
			text, err := os.ReadFile(file)
			text[len(text)/2] ^= 1
			check(t, err, os.WriteFile(file, text, 0o600))
		}, []string{"is not the bundle that was kept there, and is discarded: run ocjail bundle pull"}},
		"gone": {func(t *testing.T, l *laptop, e store.Entry) { check(t, os.Remove(l.store().ArchiveFile(e.Digest))) }, []string{"the bundle that was fetched is gone", "run ocjail bundle pull"}},
		"old": {func(t *testing.T, l *laptop, e store.Entry) {
			check(t, l.store().Renew(e, time.Now().Add(-31*24*time.Hour)))
		}, []string{"was fetched 31 days ago, and 30 are allowed: run ocjail bundle pull"}},
		"past clock": {func(t *testing.T, l *laptop, e store.Entry) {
			check(t, l.store().Renew(e, time.Now().AddDate(40, 0, 0)))
		}, []string{"was fetched on ", "and here it is ", "set the clock, or if it is right, run ocjail bundle pull"}},
		"expired": {func(t *testing.T, l *laptop, e store.Entry) {
			archive := bundletest.Signed(t, l.key, "7.1", func(c *bundle.Content) { c.Manifest.Expires = bundletest.Made.AddDate(0, 0, 1) })
			e.Revision = revision(t, "7.1")
			check(t, l.store().Keep(archive, e, bundle.Revision{}))
		}, []string{"it expired on 2026-01-02", "get a newer one from its publisher"}},
		"rolled back": {func(t *testing.T, l *laptop, e store.Entry) {
			archive := published(t, l.key, "6")
			e.Revision = revision(t, "6")
			check(t, l.store().Keep(archive, e, e.Revision))
			file := l.store().EntryFile(e.Source)
			text, err := os.ReadFile(file)
			check(t, err, os.WriteFile(file, []byte(strings.Replace(string(text), `"seen":"6"`, `"seen":"7"`, 1)), 0o600))
		}, []string{"its revision is 6, and 7 was seen here before", "--allow-rollback 6 "}},
		"wrong key": {func(t *testing.T, l *laptop, _ store.Entry) {
			l.write("acme.pem", string(bundletest.NewKey(t, "other").PublicPEM))
		}, []string{"it was signed by the key ", "add the publisher's new key"}},
	} {
		t.Run(name, func(t *testing.T) {
			var archive []byte
			l := newLaptop(t, serve(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(archive) }))
			archive = published(t, l.key, "7")
			l.do("bundle", "pull").says(t, 0, "revision 7, ")
			e, err := l.store().Find(l.source)
			check(t, err)
			c.spoil(t, l, e)
			if now, err := l.store().Find(l.source); err == nil {
				e = now
			}
			want := append(slices.Clone(c.want), l.source)
			if name != "gone" { // nothing is known then but what to do
				want = append(want, e.Digest, bundletest.NewKey(t, "acme").Public().ID[:16])
			}
			l.do(jail(false, "touch", "trace")...).says(t, 125, want...)
			l.write("acme.pem", string(l.key.PublicPEM))
			archive = published(t, l.key, "8")
			l.do("bundle", "pull").says(t, 0, "revision 8, ", "fetched")
			l.do(jail(true, "true")...).says(t, 126, "by revision 8 no jail")
			l.do(jail(false, "echo", "inside")...).says(t, 0, "inside")
		})
	}
}

func revision(t testing.TB, s string) bundle.Revision {
	t.Helper()
	r, err := bundle.ParseRevision(s)
	check(t, err)
	return r
}

// The same of a bundle that is a file of the machine.
func TestBadFiles(t *testing.T) {
	l := newLaptop(t, "")
	other := bundletest.NewKey(t, "other")
	file := filepath.Join(l.home, "acme.tar.gz")
	l.source = file
	l.configure("")
	good := published(t, l.key, "7")
	tampered := published(t, l.key, "8")
	tampered[len(tampered)/2] ^= 1
	for name, c := range map[string]struct {
		archive []byte
		want    []string
	}{
		"tampered":    {tampered, []string{"get it anew"}},
		"wrong key":   {published(t, other, "8"), []string{fmt.Sprintf("it was signed by the key %q", other.Public().ID[:16]), "add the publisher's new key"}},
		"expired":     {bundletest.Signed(t, l.key, "8", func(c *bundle.Content) { c.Manifest.Expires = bundletest.Made.AddDate(0, 0, 1) }), []string{"it expired on 2026-01-02", "get a newer one from its publisher"}},
		"rolled back": {published(t, l.key, "6"), []string{"its revision is 6, and 7 was seen here before", "ocjail bundle pull --allow-rollback 6 " + file}},
		"past clock":  {bundletest.Signed(t, l.key, "8", func(c *bundle.Content) { c.Manifest.Created = time.Now().AddDate(40, 0, 0) }), []string{"it was made on ", "set the clock"}},
	} {
		t.Run(name, func(t *testing.T) {
			l.write("acme.tar.gz", string(good))
			l.do(jail(true, "true")...).says(t, 126, "by revision 7 no jail")
			l.write("acme.tar.gz", string(c.archive))
			want := append(slices.Clone(c.want), fmt.Sprintf("the bundle %s (%s): ", file, store.DigestOf(c.archive)), "(keys: "+l.key.Public().ID[:16]+")")
			l.do(jail(false, "touch", "trace")...).says(t, 125, want...)
		})
	}
}
