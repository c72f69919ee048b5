package corpus

import (
	"fmt"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/gohcl"
	"github.com/hashicorp/hcl/v2/hclsyntax"
)

// Machine is a made-up host.
type Machine struct {
	Why  string   `hcl:"why,optional"`
	Like []string `hcl:"like,optional"` // machines to begin with
	User string   `hcl:"user,optional"`
	UID  *int     `hcl:"uid,optional"`
	Home string   `hcl:"home,optional"`
	// Files by path, "~/" for the home. The text of one counts but for links.
	Files map[string]string `hcl:"files,optional"`
	Env   map[string]string `hcl:"env,optional"`
	// Mounts is /proc/self/mountinfo (proc_pid_mountinfo(5)).
	Mounts string `hcl:"mounts,optional"`
	Bwrap  string `hcl:"bwrap,optional"` // /usr/bin/bwrap when empty
}

// Jail is one on a machine, and what the rules should say of it.
type Jail struct {
	Why     string            `hcl:"why"`
	Machine string            `hcl:"machine"`
	Project string            `hcl:"project,optional"` // "~/app" when empty
	WorkDir string            `hcl:"workdir,optional"` // the project when empty
	Files   map[string]string `hcl:"files,optional"`
	Env     map[string]string `hcl:"env,optional"`
	// Setup is shell commands that make the project, with real git.
	Setup string `hcl:"setup,optional"`
	// Terminal is false for a jail that is started without one.
	Terminal *bool `hcl:"terminal,optional"`

	// One of these describes the jail. Profile is an embedded one's name or HCL;
	// Argv is bwrap's words as one types them, after Base if that is set; Saved is
	// a file with an argv that jail.nix made.
	Profile string   `hcl:"profile,optional"`
	Add     []string `hcl:"add,optional"`
	Command []string `hcl:"command,optional"`
	Argv    string   `hcl:"argv,optional"`
	Base    bool     `hcl:"base,optional"`
	Saved   string   `hcl:"saved,optional"`

	// Like names a jail of which this one has all findings too.
	Like   string   `hcl:"like,optional"`
	Expect []Expect `hcl:"expect,block"`
	// Infos are the rules that have something to say with --verbose.
	Infos []string `hcl:"infos,optional"`
	// Fails is in the error of a jail that can not be judged.
	Fails string `hcl:"fails,optional"`
}

// Expect is a finding that is right.
type Expect struct {
	Severity string `hcl:"severity,label"`
	Rule     string `hcl:"rule,label"`
	Subject  string `hcl:"subject"`
	Why      string `hcl:"why"`
}

func decode(file string, into any) error {
	src, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	parsed, diags := hclsyntax.ParseConfig(src, filepath.Base(file), hcl.InitialPos)
	if !diags.HasErrors() {
		diags = gohcl.DecodeBody(parsed.Body, nil, into)
	}
	if diags.HasErrors() {
		return diags
	}
	return nil
}

// readJail reads jails/NAME.hcl, with what jails that it is like expect.
func readJail(name string) (Jail, error) {
	var j Jail
	if err := decode("jails/"+name+".hcl", &j); err != nil || j.Like == "" {
		return j, err
	}
	like, err := readJail(j.Like)
	j.Expect = append(like.Expect, j.Expect...)
	j.Infos = append(like.Infos, j.Infos...)
	slices.Sort(j.Infos)
	j.Infos = slices.Compact(j.Infos)
	return j, err
}

// readMachine reads a machine and what it begins with.
func readMachine(name string) (Machine, error) {
	var own Machine
	if err := decode("machines/"+name+".hcl", &own); err != nil {
		return own, err
	}
	all := Machine{Files: map[string]string{}, Env: map[string]string{}}
	for _, like := range own.Like {
		m, err := readMachine(like)
		if err != nil {
			return own, err
		}
		all.add(m)
	}
	all.add(own)
	return all, nil
}

func (m *Machine) add(more Machine) {
	for name, text := range more.Files {
		bare := strings.TrimRight(name, marks)
		maps.DeleteFunc(m.Files, func(old, _ string) bool { return strings.TrimRight(old, marks) == bare })
		m.Files[name] = text
	}
	maps.Copy(m.Env, more.Env)
	for _, s := range []struct{ to, from *string }{{&m.User, &more.User}, {&m.Home, &more.Home}, {&m.Mounts, &more.Mounts}, {&m.Bwrap, &more.Bwrap}} {
		if *s.from != "" {
			*s.to = *s.from
		}
	}
	if more.UID != nil {
		m.UID = more.UID
	}
}

// expand fills the home in.
func (m *Machine) expand(p string) string {
	if p == "~" || strings.HasPrefix(p, "~/") {
		return m.Home + p[1:]
	}
	return p
}

// marks are what the last letter of a name says of its file; sockets and devices
// stand on the disk as empty files.
const marks = "/*=|@%#"

// build makes the files below root and returns the marks of those that are other
// than they look.
func (m *Machine) build(root string) (map[string]byte, error) {
	kinds := map[string]byte{}
	for _, name := range slices.Sorted(maps.Keys(m.Files)) {
		text, mark := m.Files[name], byte(0)
		p := m.expand(name)
		if i := len(p) - 1; strings.IndexByte(marks, p[i]) >= 0 {
			p, mark = p[:i], p[i]
		}
		if path.Clean(p) != p || !path.IsAbs(p) {
			return nil, fmt.Errorf("file %q: not a clean absolute path", name)
		}
		if err := makeFile(filepath.Join(root, p), mark, text); err != nil {
			return nil, err
		}
		if strings.IndexByte("=|%#", mark) >= 0 {
			kinds[p] = mark
		}
	}
	return kinds, nil
}

func makeFile(file string, mark byte, text string) error {
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return err
	}
	switch mark {
	case '/':
		return os.MkdirAll(file, 0o755)
	case '@':
		return os.Symlink(text, file)
	case '*':
		return os.WriteFile(file, []byte(text), 0o755)
	}
	return os.WriteFile(file, []byte(text), 0o644)
}
