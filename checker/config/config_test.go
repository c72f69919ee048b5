package config

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/refnil/opencode-jail-devenv/checker/config/hclfile"
	"github.com/refnil/opencode-jail-devenv/checker/finding"
)

const full = `rule "fs/rw-outside-home" { severity = "warning" }
watch "~/.acme/deploy-key" {
  class  = "secret"
  reason = "deploys to production"
}
watch "/srv/acme" { class = "socket" }
protect = [".envrc", ".git/hooks"]
review = [".vscode/**"]
policy "acme" {
  source = "./rules"
}
policy "home" {
  source = "~/rules/x.rego"
}
waive "fs/rw-outside-home" {
  subject = "/mnt/scratch/*"
  reason  = "a cache"
  owner   = "dev"
  expires = "2027-03-01"
}
gate {
  mode    = "observe"
  timeout = "500ms"
  project = ["observe"]
}
log { required = true }
longest_waiver = "90d"
`

func write(t *testing.T, src string, mode os.FileMode) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "ocjail.hcl")
	if err := os.WriteFile(file, []byte(src), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(file, mode); err != nil {
		t.Fatal(err)
	}
	return file
}

// owners takes the folders that tests make for the user's alone, whatever the umask.
func owners() Owners {
	alone := func(path string, _ uint32) (bool, error) {
		info, err := os.Stat(path)
		return err == nil && info.IsDir(), err
	}
	return Owners{UID: os.Getuid(), Root: func(uid uint32) (bool, error) { return uid == 0, nil }, Alone: alone}
}

func load(file string) (*File, error) {
	files, err := owners().Load(Place{Layer: User, Path: file})
	if err != nil {
		return nil, err
	}
	return files[0], nil
}

func TestLoad(t *testing.T) {
	file := write(t, full, 0o644)
	got, err := load(file)
	if err != nil {
		t.Fatal(err)
	}
	at := func(line, column int) hclfile.Pos { return hclfile.Pos{File: file, Line: line, Column: column} }
	want := &File{
		Name: file, Path: file, Layer: User,
		Rules: []Rule{{ID: "fs/rw-outside-home", Severity: finding.Warning, Layer: User, Pos: at(1, 1)}},
		Watches: []Watch{
			{"{home}/.acme/deploy-key", "secret", "deploys to production", at(2, 1)},
			{"/srv/acme", "socket", "watched by ocjail.hcl:6", at(6, 1)},
		},
		Protect: &Said[[]string]{[]string{".envrc", ".git/hooks"}, at(7, 11)},
		Review:  []Said[string]{{".vscode/**", at(8, 10)}},
		Policies: []Policy{
			{Name: "acme", Source: "rules", Path: filepath.Join(filepath.Dir(file), "rules"), Layer: User, Pos: at(9, 1)},
			{Name: "home", Source: "~/rules/x.rego", Path: "{home}/rules/x.rego", Layer: User, Pos: at(12, 1)},
		},
		Waivers: []Waiver{{
			Rule: "fs/rw-outside-home", Subject: "/mnt/scratch/*", Reason: "a cache", Owner: "dev", Layer: User, Pos: at(15, 1),
			Expires: time.Date(2027, 3, 2, 0, 0, 0, 0, time.UTC),
		}},
		Gate:          GateFile{&Said[Mode]{Observe, at(22, 13)}, &Said[time.Duration]{500 * time.Millisecond, at(23, 13)}, nil, nil, nil, &Said[[]string]{[]string{"observe"}, at(24, 13)}},
		LogRequired:   &Said[bool]{true, at(26, 18)},
		LongestWaiver: &Said[time.Duration]{90 * day, at(27, 18)},
	}
	if diff := cmp.Diff(want, got, cmpopts.IgnoreUnexported(File{})); diff != "" {
		t.Error(diff)
	}
}

func TestErrors(t *testing.T) {
	for src, want := range map[string]string{
		"protekt = []":                                `f.hcl:1:1: an argument named "protekt" is not expected here. Did you mean "protect"?`,
		`rule "a/b" {}`:                               `f.hcl:1:1: this block says nothing`,
		`rule "a/b" { mode = "off" }`:                 `f.hcl:1:21: unknown mode: write enforce or observe`,
		`policy "a" { source = "oci://x/y:1" }`:       "f.hcl:1:1: a bundle that is fetched must be signed",
		`policy "a" { source = "oci://x/y" }`:         "f.hcl:1:23: it names no tag",
		`policy "a" { source = "http://x/y.tar.gz" }`: "f.hcl:1:23: http:// is for this machine alone",
		"policy \"a\" {\n  source = \"oci://x/y:1\"\n  keys = [\"k\"]\n  token_file = \"t\"\n}":                           "f.hcl:4:16: a registry's credentials are in the Docker configuration: run docker login x",
		"policy \"a\" {\n  source = \"https://x/y\"\n  keys = [\"k\"]\n  token_file = \"../t\"\n}":                        "f.hcl:4:16: name a file",
		"policy \"a\" {\n  source = \"https://x/y\"\n  keys = [\"k\"]\n  warn_after = \"9\"\n}":                           "f.hcl:4:16: write a number of days",
		"policy \"a\" {\n  source = \"https://x/y\"\n  keys = [\"k\"]\n  warn_after = \"9d\"\n  refuse_after = \"8d\"\n}": "f.hcl:4:16: warn_after is later than refuse_after",
		"policy \"a\" {\n  source = \"a.tar.gz\"\n  warn_after = \"9d\"\n}":                                               "f.hcl:3:16: only a bundle that is fetched",
		"policy \"a\" {\n  source = \"a.tar.gz\"\n  refuse_after = \"9d\"\n}":                                             "f.hcl:3:18: only a bundle that is fetched",
		"policy \"a\" {\n  source = \"a.tar.gz\"\n  token_file = \"t\"\n}":                                                "f.hcl:3:16: only a bundle that is fetched",
		`policy "a" { source = "../rules" }`:                                                                              "name a folder, a .rego, a .wasm or a .tar.gz file",
		`policy "a" { source = "{project}/r" }`:                                                                           "name a folder, a .rego, a .wasm or a .tar.gz file",
		`policy "a" { source = "" }`:                                                                                      "name a folder, a .rego, a .wasm or a .tar.gz file",
		`policy "a" {
  source = "r"
  keys   = ["k.pem"]
}`: "f.hcl:3:12: only a bundle is signed",
		`policy "a" {
  source = "b.tar.gz"
  keys   = []
}`: "f.hcl:3:12: keys is empty",
		`policy "a" {
  source = "b.tar.gz"
  keys   = ["../k.pem"]
}`: "f.hcl:3:12: keys[0]: name a file with a public key in PEM",
		`policy "a b" { source = "r" }`:                                                                   "a policy's name has letters",
		"policy \"a\" { source = \"r\" }\npolicy \"a\" { source = \"s\" }":                                `there is a policy "a" already`,
		`waive "a/b" { subject = "/x/y" }`:                                                                `the argument "reason" is required`,
		"waive \"a/b\" {\nsubject = \"/x/y\"\nreason = \" \"\nowner = \"o\"\nexpires = \"2027-01-01\"\n}": "write a reason and an owner",
		"waive \"a/b\" {\nsubject = \"/x/y\"\nreason = \"r\"\nowner = \"o\"\nexpires = \"2027-02-30\"\n}": `f.hcl:5:11: write the last day`,
		"waive \"a/b\" {\nsubject = \"/x/[\"\nreason = \"r\"\nowner = \"o\"\nexpires = \"2027-01-01\"\n}": `f.hcl:2:11: write the path or the name`,
		`review = ["/x"]`:                          "review[0]: write a path or a pattern",
		`review = ["**/**/**/**/**"]`:              "review[0]: write a path or a pattern",
		`review = ["a**"]`:                         "review[0]: write a path or a pattern",
		`longest_waiver = "90"`:                    `f.hcl:1:18: write a number of days`,
		`longest_waiver = "0d"`:                    "write a number of days",
		`gate { project = ["off"] }`:               `project[0]: the one thing`,
		`log {}`:                                   `the argument "required" is required`,
		`rule "a/b" { params = {} }`:               `f.hcl:1:23: write an object of the rule's parameters`,
		`rule "a/b" { params = [1] }`:              `f.hcl:1:23: write an object of the rule's parameters`,
		`rule "a/b" { params = { a = -1 } }`:       `f.hcl:1:29: expressions are not supported`,
		`rule "a/b" { params = { a = 1.5 } }`:      `f.hcl:1:29: write numbers and sizes in quotes`,
		`rule "a/b" { params = { a = 1, a = 2 } }`: `f.hcl:1:32: this key is written already, at f.hcl:1:25`,
		`rule "a/b" { params = { a = b } }`:        `f.hcl:1:29: `,
		`rule "a/b" { parms = { a = 1 } }`:         `Did you mean "params"?`,
		`rule "a/b" { severity = 3 }`:              `f.hcl:1:25: write numbers and sizes in quotes`,
		`protect = ["a", 3]`:                       `f.hcl:1:11: write numbers and sizes in quotes`,
		`rule "a/b" { severity = "fatal" }`:        "f.hcl:1:25: unknown severity: write error, warning or info",
		`rule "ab" { severity = "info" }`:          `a rule's id is category/name`,
		"rule \"a/b\" { severity = \"info\" }\nrule \"a/b\" { severity = \"info\" }": "f.hcl:2:1: this rule is already configured at f.hcl:1:1",
		`watch "~/x" { class = "secrets" }`:                                          `f.hcl:1:23: unknown class, did you mean "secret"?`,
		`watch "x" { class = "secret" }`:                                             "f.hcl:1:7: a watched path begins with ~/",
		`watch "~/../x" { class = "secret" }`:                                        "a watched path begins with ~/",
		`watch "~/" { class = "secret" }`:                                            "a watched path begins with ~/",
		`watch "/x\u0000" { class = "secret" }`:                                      "a watched path begins with ~/",
		`protect = ["../x"]`:                                                         "f.hcl:1:11: protect[0]: write a path relative",
		`protect = ["a", "/x"]`:                                                      "protect[1]: write a path relative",
		`protect = ["~/x"]`:                                                          "protect[0]: write a path relative",
		`protect = [""]`:                                                             "protect[0]: write a path relative",
		`protect = ["a/*"]`:                                                          "protect[0]: patterns are not supported",
		`protect = ["a", "a"]`:                                                       "protect[1]: this path is listed twice",
		`protect = null`:                                                             "f.hcl:1:11: null is not supported",
		`gate { mode = "enforced" }`:                                                 `f.hcl:1:15: unknown mode, did you mean "enforce"?`,
		`gate { timeout = "0s" }`:                                                    "f.hcl:1:18: write a duration above 0",
		`gate { timeout = "2" }`:                                                     "write a duration above 0",
		`gate { timeout = "2m" }`:                                                    "write a duration above 0",
		"gate {}\ngate {}":                                                           "only one gate block is allowed",
	} {
		_, err := Parse(User, "f.hcl", []byte(src))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s\ngot  %v\nwant %s", src, err, want)
		}
	}
}

func TestLoadRefusesFilesOfOthers(t *testing.T) {
	for _, mode := range []os.FileMode{0o664, 0o646, 0o666} {
		file := write(t, full, mode)
		if _, err := load(file); err == nil || !strings.Contains(err.Error(), "run chmod go-w") {
			t.Errorf("mode %o: %v", mode, err)
		}
	}
	stranger := owners()
	stranger.UID++
	stranger.Root = func(uint32) (bool, error) { return false, nil }
	file := write(t, full, 0o600)
	for layer, want := range map[Layer]string{User: "make it yours or root's with chown", Organisation: "an organisation's configuration must be root's"} {
		if _, err := stranger.Load(Place{Layer: layer, Path: file}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("another user's file as the %s's: %v", layer, err)
		}
	}
	if _, err := stranger.Load(Place{Layer: Project, Path: file}); err != nil {
		t.Errorf("a project's file may be anybody's: %v", err)
	}
}

// umask 002 makes a user's files so, where each user has a group.
func TestLoadOfTheUsersOwnGroup(t *testing.T) {
	file := write(t, full, 0o664)
	dir := filepath.Dir(file)
	if err := errors.Join(os.Chmod(dir, 0o775), os.Chown(dir, -1, 4711)); err != nil && os.Getuid() == 0 {
		t.Fatal(err)
	}
	yes, no := func(string, uint32) (bool, error) { return true, nil }, func(string, uint32) (bool, error) { return false, nil }
	for name, c := range map[string]struct {
		layer Layer
		alone func(string, uint32) (bool, error)
		mode  os.FileMode
		want  string
	}{
		"the user's alone":              {User, yes, 0o664, ""},
		"a group of others":             {User, no, 0o664, "is not yours alone): run chmod go-w"},
		"nobody to ask":                 {User, nil, 0o664, "(mode 0664): run chmod go-w"},
		"everybody":                     {User, yes, 0o666, "(mode 0666): run chmod go-w"},
		"unknown":                       {User, func(string, uint32) (bool, error) { return true, fs.ErrPermission }, 0o664, "is not known: permission denied: run chmod g-w"},
		"the folder alone is a group's": {User, no, 0o644, "others can put a file of theirs into"},
	} {
		if err := os.Chmod(file, c.mode); err != nil {
			t.Fatal(err)
		}
		o := owners()
		o.Alone = c.alone
		_, err := o.Load(Place{Layer: c.layer, Path: file})
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	o := owners()
	o.Alone, o.Root = yes, func(uint32) (bool, error) { return true, nil }
	if err := os.Chmod(file, 0o664); err != nil {
		t.Fatal(err)
	}
	if _, err := o.Load(Place{Layer: Organisation, Path: file}); err == nil || !strings.Contains(err.Error(), "can be written by others") {
		t.Errorf("an organisation's: %v", err)
	}
}

// Whoever can write the folder can put another file there, also behind a link.
func TestLoadRefusesFoldersOfOthers(t *testing.T) {
	file := write(t, "", 0o600)
	link := filepath.Join(t.TempDir(), "ocjail.hcl")
	if err := os.Symlink(file, link); err != nil {
		t.Fatal(err)
	}
	if f, err := load(link); err != nil || f.Path != link {
		t.Errorf("a link: %v %v", f, err)
	}
	if err := os.Chmod(filepath.Dir(file), 0o777); err != nil {
		t.Fatal(err)
	}
	for _, f := range []string{file, link} {
		if _, err := load(f); err == nil || !strings.Contains(err.Error(), "others can put a file of theirs") {
			t.Errorf("%s: %v", f, err)
		}
	}
	if _, err := owners().Load(Place{Layer: Project, Path: link}); err == nil || !strings.Contains(err.Error(), "symbolic link") {
		t.Errorf("a project's link: %v", err)
	}
}

// A policy that a link no longer leads to is not the same as none.
func TestLoadLost(t *testing.T) {
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for _, link := range []string{"ocjail.hcl", "folder"} {
		if err := os.Symlink(filepath.Join(dir, "gone"), filepath.Join(dir, link)); err != nil {
			t.Fatal(err)
		}
	}
	for _, l := range []Layer{Organisation, User} {
		for _, name := range []string{"ocjail.hcl", "folder/ocjail.hcl", "folder/below/ocjail.hcl"} {
			_, err := owners().Load(Place{Layer: l, Path: filepath.Join(dir, name), Optional: true})
			if err == nil || !strings.Contains(err.Error(), "is a link that can not be followed") {
				t.Errorf("%s %s: %v", l, name, err)
			}
		}
	}
}

func TestLoadAbsent(t *testing.T) {
	none := filepath.Join(t.TempDir(), "none", "ocjail.hcl")
	if _, err := load(none); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
	for _, l := range []Layer{Organisation, User, Project} {
		if files, err := owners().Load(Place{Layer: l, Path: none, Optional: true}); err != nil || len(files) > 0 {
			t.Errorf("optional, of the %s: %v %v", l, files, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(full))
	f.Add([]byte("protect = []\ngate {}\n"))
	f.Add([]byte("rule \"\" { severity = null }"))
	f.Fuzz(func(t *testing.T, src []byte) {
		c, err := Parse(User, "f.hcl", src)
		if (c == nil) == (err == nil) {
			t.Fatalf("config %v with error %v", c, err)
		}
		if err != nil && hclfile.Escape(strings.ReplaceAll(err.Error(), "\n", "")) != strings.ReplaceAll(err.Error(), "\n", "") {
			t.Fatalf("unescaped: %q", err)
		}
	})
}
