package packages

import (
	"bytes"
	"compress/gzip"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const never = `# METADATA
# title: Nothing is started here
# custom:
#   severity: error
package ocjail.rules.acme.never

findings contains {"message": "acme starts no jails on this machine", "subject": {"kind": "command"}}
`

func TestPackages(t *testing.T) {
	dist := build(t, "022")
	deb, rpm := one(t, dist, ".deb"), one(t, dist, ".rpm")
	t.Run("reproducible", func(t *testing.T) {
		again := build(t, "077", "TZ=Pacific/Auckland", "LC_ALL=C", "HOSTNAME=other")
		for _, file := range []string{deb, rpm} {
			a, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			b, err := os.ReadFile(filepath.Join(again, filepath.Base(file)))
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(a, b) {
				t.Errorf("%s: made twice, it has other bytes", filepath.Base(file))
			}
		}
	})
	t.Run("deb", func(t *testing.T) {
		m := newMachine(t)
		dpkg := []string{"dpkg", "--log=/dev/null", "--root=" + m.root}
		m.manage(append(dpkg, "--install", deb)...).is(t, 1, "ocjail depends on bubblewrap (>= 0.8)")
		m.manage(append(dpkg, "--force-depends", "--install", deb)...).is(t, 0, "Setting up ocjail ("+packaged+"-1)")
		m.installed("usr/share/zsh/vendor-completions/_ocjail", "usr/share/doc/ocjail/copyright")
		m.used()
		m.manage(append(dpkg, "--purge", "ocjail")...).is(t, 0, "Removing ocjail")
		m.removed()
	})
	t.Run("rpm", func(t *testing.T) {
		m := newMachine(t)
		m.manage("rpm", "--root", m.root, "-i", rpm).is(t, 1, "bubblewrap >= 0.8 is needed by ocjail-"+packaged+"-1")
		m.manage("rpm", "--root", m.root, "--nodeps", "-i", rpm).is(t, 0, "")
		m.installed("usr/share/zsh/site-functions/_ocjail", "usr/share/licenses/ocjail/LICENSE")
		m.used()
		m.manage("rpm", "--root", m.root, "-e", "ocjail").is(t, 0, "")
		m.removed()
	})
}

// installed checks what the package brings, beside the files that only one kind has.
func (m *machine) installed(more ...string) {
	m.t.Helper()
	for _, name := range append(more, "usr/bin/ocjail-rules", "usr/bin/ocjail-wasm", "usr/share/doc/ocjail/examples/ocjail.hcl", "usr/share/doc/ocjail/rollout.md", "usr/share/doc/ocjail/configuration.md", "usr/share/man/man1/ocjail-bundle-pull.1.gz",
		"usr/lib/systemd/system/ocjail-bundles.service", "usr/lib/systemd/system/ocjail-bundles.timer", "usr/lib/systemd/user/ocjail-bundles.service", "usr/lib/systemd/user/ocjail-bundles.timer", "usr/share/man/man1/ocjail.1.gz",
		"usr/share/bash-completion/completions/ocjail", "usr/share/fish/vendor_completions.d/ocjail.fish") {
		if info, err := os.Lstat(m.path(name)); err != nil || !info.Mode().IsRegular() || info.Size() == 0 {
			m.t.Errorf("%s: %v, want a file that is not empty", name, err)
		}
	}
	entries, err := os.ReadDir(m.path("etc/ocjail"))
	m.must(err)
	info, err := os.Stat(m.path("etc/ocjail"))
	m.must(err)
	if len(entries) > 0 || info.Mode() != os.ModeDir|0o755 {
		m.t.Errorf("/etc/ocjail: %v %v, want an empty folder that only its owner writes", info.Mode(), entries)
	}
	page := m.page("ocjail-lint")
	for _, want := range []string{
		packaged, "\n.TH OCJAIL-LINT \"1\"", "\nocjail-lint \\- Check jails without starting them\n", // as man and whatis look for it
		"\n.SH EXAMPLES\n.IP\n.nf\nocjail lint\nocjail lint \\-\\-add 'rw\\-bind /srv /srv'\n", "\n.fi\n.SS \"Flags:\"\n",
	} {
		if !strings.Contains(page, want) {
			m.t.Errorf("the page of ocjail lint has no %q:\n%s", want, page)
		}
	}
	m.do("bash", "-c", "source /usr/share/bash-completion/completions/ocjail && complete -p ocjail").is(m.t, 0, "__start_ocjail")
	m.do("ocjail", "version").is(m.t, 0, version)
}

func (m *machine) page(name string) string {
	m.t.Helper()
	file, err := os.Open(m.path("usr/share/man/man1/" + name + ".1.gz"))
	m.must(err)
	defer file.Close()
	r, err := gzip.NewReader(file)
	m.must(err)
	text, err := io.ReadAll(r)
	m.must(err)
	return string(text)
}

// used starts a jail, and then, once the organisation denies it, none.
func (m *machine) used() {
	m.t.Helper()
	jail := []string{"ocjail", "run", "--profile", "./jail.hcl", "--", "bash", "-c"}
	m.do("ocjail", "lint", "jail.hcl").is(m.t, 0, "allowed by")
	m.do(append(jail, "echo >first; echo inside")...).is(m.t, 0, "inside")
	m.write("etc/ocjail/rules/never.rego", never)
	m.write("etc/ocjail/ocjail.hcl", "policy \"acme\" {\n  source = \"rules\"\n}\n")
	m.do("ocjail", "lint", "jail.hcl").is(m.t, 1, "error acme/never: acme starts no jails on this machine")
	m.do(append(jail, "echo >second")...).is(m.t, 126, "refused: 1 error; nothing was started")
	if !m.has("work/first") || m.has("work/second") {
		m.t.Errorf("first started: %t, second started: %t; want true and false", m.has("work/first"), m.has("work/second"))
	}

	// Half a package judges nothing.
	m.must(os.Rename(m.path("usr/bin/ocjail-rules"), m.path("usr/bin/elsewhere")))
	m.do(append(jail, "echo >third")...).is(m.t, 125, "install it beside ocjail, from the same build")
	m.must(os.Rename(m.path("usr/bin/elsewhere"), m.path("usr/bin/ocjail-rules")))
	if m.has("work/third") {
		m.t.Error("a jail started though ocjail-rules was gone")
	}
}

// removed checks that the programs went, and that the organisation's files stayed.
func (m *machine) removed() {
	m.t.Helper()
	for name, want := range map[string]bool{"usr/bin/ocjail": false, "usr/bin/ocjail-rules": false, "usr/bin/ocjail-wasm": false, "etc/ocjail/ocjail.hcl": true} {
		if m.has(name) != want {
			m.t.Errorf("%s after removal: %t, want %t", name, m.has(name), want)
		}
	}
}
