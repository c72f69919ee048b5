package profile

import (
	"errors"
	"strings"
	"testing"
)

// argv builds a jail and returns it without origins, as one line.
func argv(t *testing.T, h Host, src string, add []string, command ...string) string {
	t.Helper()
	words, err := parse(t, project+src).Argv(h, add, command)
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(withoutOrigins(words), " ")
}

func withoutOrigins(words []string) []string {
	var out []string
	for i := 0; i < len(words); i++ {
		if words[i] == "--" {
			return append(out, words[i:]...)
		}
		if words[i] == "--ocjail-origin" {
			i++
			continue
		}
		out = append(out, words[i])
	}
	return out
}

var pathOnly = map[string]string{"PATH": usualPath}

func TestArgvHolds(t *testing.T) {
	merged := append(tree{"/home/u/data/deep/", "/home/u/.gitconfig"}, debian...)
	tests := map[string]struct {
		src  string
		add  []string
		want string
	}{
		"parents before children": {"mount \"~/data/deep\" { access = \"rw\" }\nmount \"~/data\" { access = \"ro\" }", nil,
			"--ro-bind /home/u/data /home/u/data --bind /home/u/proj /home/u/proj --bind /home/u/data/deep /home/u/data/deep"},
		"scratch in the project": {`tmpfs "{project}/node_modules" { size = "1K" }`, nil,
			"--bind /home/u/proj /home/u/proj --size 1024 --tmpfs /home/u/proj/node_modules"},
		"another place":       {"mount \"~/data\" {\n access = \"ro\"\n at = \"/data\"\n}", nil, "--ro-bind /home/u/data /data"},
		"absent but optional": {"mount \"/none\" {\n access = \"ro\"\n optional = true\n}", nil, "--dev /dev --bind /home/u/proj"},
		"same mount twice":    {"mount \"{project}\" { access = \"rw\" }", nil, "--dev /dev --bind /home/u/proj /home/u/proj --ro-bind /usr/local/lib/node_modules"},
		"no network":          {"", nil, "--hostname jail --unshare-net --proc"},
		"hostname":            {`hostname = "box"`, nil, "--hostname box"},
		"cache":               {`caches = ["~/.npm"]`, nil, "--bind /home/u/.cache/ocjail/caches/proj-9c09f8055a26c277/%2Fhome%2Fu%2F.npm /home/u/.npm"},
		"git identity":        {"git = true", nil, "--setenv GIT_AUTHOR_EMAIL u@example.org --setenv GIT_AUTHOR_NAME U Ser --setenv GIT_COMMITTER_EMAIL"},
		"profile over system": {"system = true\nmount \"/home/u/.gitconfig\" {\n access = \"ro\"\n at = \"/etc/gitconfig\"\n}", nil, "--ro-bind /home/u/.gitconfig /etc/gitconfig"},
		"additions last":      {`mount "~/data/deep" { access = "rw" }`, []string{"tmpfs ~/data"}, "--bind /home/u/data/deep /home/u/data/deep --ro-bind /usr/local/lib/node_modules /usr/local/lib/node_modules --ro-bind /usr/bin/env /usr/bin/env --ro-bind /usr/bin/node /usr/bin/node --tmpfs /home/u/data --setenv"},
		"addition over own":   {"", []string{"readonly {project}"}, "--ro-bind /home/u/proj /home/u/proj"},
		"setenv over env":     {"env = [\"PATH\"]\nsetenv = { PATH = \"/x\" }", nil, "--setenv PATH /x"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			got := argv(t, host(t, merged, pathOnly), tc.src, tc.add, "opencode")
			if !strings.Contains(got, tc.want) {
				t.Errorf("got  %s\nwant …%s…", got, tc.want)
			}
		})
	}
	if got := argv(t, host(t, merged, pathOnly), "system = true\nmount \"/etc/passwd\" {\n access = \"ro\"\n at = \"/etc/group\"\n}", nil, "opencode"); strings.Contains(got, "/etc/group /etc/group") {
		t.Errorf("the replaced mount is still there: %s", got)
	}
}

// What git lacks is said, and what it has is passed.
func TestNoGitIdentity(t *testing.T) {
	for name, tc := range map[string]struct{ name, email, want, warned string }{
		"none":  {"", "", "", "jail.hcl:2: your git configuration lacks an identity, so git commit will want one in the jail: git config --global user.name …, git config --global user.email …"},
		"half":  {"U Ser", "", "GIT_AUTHOR_NAME U Ser", "git config --global user.email …"},
		"whole": {"U Ser", "u@example.org", "GIT_COMMITTER_EMAIL u@example.org", ""},
	} {
		h := host(t, debian, pathOnly)
		h.GitIdentity = func() (string, string, error) { return tc.name, tc.email, nil }
		warned := ""
		h.Warn = func(message string) { warned += message }
		if got := argv(t, h, "git = true", nil, "opencode"); !strings.Contains(got, tc.want) || strings.Contains(got, "GIT_") != (tc.want != "") || !strings.HasSuffix(warned, tc.warned) || (warned == "") != (tc.warned == "") {
			t.Errorf("%s: warned %q: %s", name, warned, got)
		}
	}
}

func TestArgvErrors(t *testing.T) {
	tests := map[string]struct {
		src, want string
		add       []string
		mend      func(*Host)
	}{
		"absent":        {src: `mount "/none" { access = "ro" }`, want: "jail.hcl:2: /none does not exist: create it, or write optional = true"},
		"twice":         {src: "mount \"/usr\" { access = \"ro\" }\ntmpfs \"/usr\" {}", want: "jail.hcl:2: /usr is already mounted by line 3"},
		"by two names":  {src: "mount \"~/proj\" { access = \"ro\" }", want: "jail.hcl:1: /home/u/proj is already mounted by line 2"},
		"outside":       {want: "the working directory /home/u lies outside the project /home/u/proj: cd there", mend: func(h *Host) { h.WorkDir = "/home/u" }},
		"home":          {want: "/home/u is or contains your home directory", mend: func(h *Host) { h.Project = "/home/u" }},
		"above home":    {want: "/home is or contains your home directory", mend: func(h *Host) { h.Project = "/home" }},
		"root":          {want: "/ is or contains your home directory", mend: func(h *Host) { h.Project = "/" }},
		"tmp":           {want: "/tmp is no project", mend: func(h *Host) { h.Project = "/tmp" }},
		"home is root":  {want: "run ocjail as a user with a home of its own", mend: func(h *Host) { h.Home = "/" }},
		"unclean":       {want: `the project "/home/u/proj/" is no absolute, clean path`, mend: func(h *Host) { h.Project += "/" }},
		"bad identity":  {src: "git = true", want: "git identity: boom", mend: func(h *Host) { h.GitIdentity = func() (string, string, error) { return "", "", errors.New("boom") } }},
		"private key":   {src: `env_files = ["X"]`, want: "jail.hcl:2: X: /home/u/.ssh/id_ed25519 is no PEM file of certificates only", mend: with("X", "/home/u/.ssh/id_ed25519")},
		"relative file": {src: `env_files = ["X"]`, want: "X: its value is no absolute path", mend: with("X", "ca.pem")},
		"addition":      {add: []string{"network", "raedonly /usr"}, want: `--add[1]: unknown permission "raedonly", did you mean "readonly"?`},
		"empty":         {add: []string{" "}, want: "--add[0]: it is empty"},
		"words":         {add: []string{"rw-bind /usr"}, want: `write "rw-bind PATH PATH", with 2 after the name, and not 1`},
		"path":          {add: []string{"tmpfs tmp"}, want: `--add[0]: "tmp": a path begins with /`},
		"gone":          {add: []string{"readonly /gone"}, want: "--add[0]: /gone does not exist"},
		"unset":         {add: []string{"fwd-env NOPE"}, want: "the variable NOPE is not set"},
		"bad name":      {add: []string{"set-env A=B c"}, want: "a variable's name is letters"},
		"expansion":     {add: []string{"readonly $HOME/x"}, want: `--add[0]: '$' outside quotes`},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			h := host(t, debian, pathOnly)
			if tc.mend != nil {
				tc.mend(&h)
			}
			_, err := parse(t, project+tc.src).Argv(h, tc.add, []string{"sh"})
			if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("got  %v\nwant %s", err, tc.want)
			}
		})
	}
}

func with(name, value string) func(*Host) {
	return func(h *Host) {
		before := h.Lookup
		h.Lookup = func(n string) (string, bool) {
			if n == name {
				return value, true
			}
			return before(n)
		}
	}
}

func TestNoCommand(t *testing.T) {
	_, err := parse(t, project).Argv(host(t, debian, pathOnly), nil, nil)
	if err == nil || !strings.Contains(err.Error(), "profile jail.hcl has no command: name one after --") {
		t.Error(err)
	}
}

// Keys lie in /etc/ssl/private on Debian and /etc/pki/tls/private on Fedora.
func TestSystemNeverBindsKeys(t *testing.T) {
	for _, s := range systemPaths {
		for _, key := range []string{"/etc/ssl/private", "/etc/pki/tls/private", "/etc/shadow", "/nix/var/nix/daemon-socket", "/root", "/etc/ssh"} {
			if below(key, s.path) {
				t.Errorf("%s shows %s", s.path, key)
			}
		}
	}
}

func TestPhasesHaveReasons(t *testing.T) {
	for _, p := range phases {
		if p.name == "" || p.reason == "" {
			t.Errorf("%+v", p.name)
		}
	}
}
