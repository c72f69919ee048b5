package profile

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"

	"github.com/refnil/opencode-jail-devenv/checker/config/hclfile"
)

// ErrCommandNotFound says that the command, or the interpreter of its script,
// is not on the host.
var ErrCommandNotFound = errors.New("command not found")

// maxInterpreters is the kernel's limit of scripts that run scripts, execve(2).
const maxInterpreters = 4

// program makes the command's file visible, and that of its interpreter, and
// replaces the command's name by the path inside.
func (b *build) program() error {
	name := b.command[0]
	found, real, err := b.find(name)
	if err != nil {
		return err
	}
	asked := b.writtenInProject(found)
	if err := b.mayShow(asked, found, real); err != nil {
		return err
	}
	b.command[0] = b.show(found, real)
	b.paths = append(b.paths, path.Dir(b.command[0]))
	for range maxInterpreters {
		interpreters, err := b.interpreters(real)
		if err != nil || len(interpreters) == 0 {
			return err
		}
		for _, interpreter := range interpreters {
			if found, real, err = b.find(interpreter); err != nil {
				return err
			}
			if err := b.mayShow(asked, found, real); err != nil {
				return err
			}
			if !b.visible(found) && !b.added.mounts.shows(found) { // by the name that the script calls it
				b.add(mount{origin: b.commandOrigin, option: "--ro-bind", source: real, dest: found})
			}
			b.paths = append(b.paths, path.Dir(found))
		}
	}
	return fmt.Errorf("%s is a script that is run by scripts: name the program itself", hclfile.Escape(name))
}

// writtenInProject returns what of p lies in the project: the file or a link on
// the way to it; "" for nothing.
func (b *build) writtenInProject(p string) string {
	real, links, _ := b.host.resolve(p)
	for _, at := range append(links, real) {
		if below(at, b.host.Project) {
			return at
		}
	}
	return ""
}

// mayShow refuses to bind a file because asked, a link or script in the project,
// names it: the agent writes these, and could name any file of the home.
func (b *build) mayShow(asked, found, real string) error {
	if asked == "" || b.visible(found) || b.mounts.shows(real) || b.added.mounts.shows(found) {
		return nil
	}
	return fmt.Errorf("%s, which lies in the project, needs %[2]s, which the jail does not show: if you trust it, add --add 'readonly %[2]s'",
		hclfile.Escape(asked), hclfile.Escape(found))
}

// find looks name up as execvp(3) would: found is where it is, real the file.
func (b *build) find(name string) (found, real string, err error) {
	candidates := []string{name}
	if !strings.Contains(name, "/") {
		candidates = nil
		value, _ := b.host.Lookup("PATH")
		for _, dir := range strings.Split(value, ":") {
			if path.IsAbs(dir) { // what a relative entry finds depends on where one stands
				candidates = append(candidates, path.Join(dir, name))
			}
		}
	} else if !path.IsAbs(name) {
		candidates[0] = path.Join(b.host.WorkDir, name)
	}
	for _, c := range candidates {
		c = path.Clean(c)
		if real, ok := b.executable(c); ok {
			return c, real, nil
		}
	}
	return "", "", fmt.Errorf("%w: %s%s", ErrCommandNotFound, hclfile.Escape(name), cmp.Or(installHints[name], b.notProgram(name)))
}

// notProgram says what is there instead of a program, where a path was given.
func (b *build) notProgram(name string) string {
	if !strings.Contains(name, "/") {
		return ""
	}
	if !path.IsAbs(name) {
		name = path.Join(b.host.WorkDir, name)
	}
	real, _, err := b.host.resolve(name)
	if err != nil {
		return ""
	}
	switch info, err := b.host.FS.Lstat(fsName(real)); {
	case err != nil:
		return ""
	case info.Mode().IsRegular():
		return " is there, and nobody may execute it: chmod +x, if it is a program"
	default:
		return " is there, and no file"
	}
}

// installHints say how to get a program that profiles need.
var installHints = map[string]string{
	"opencode": " is not on PATH: install it with npm install -g opencode-ai",
	"node":     " is not on PATH, and the command is a script for it: install Node.js",
}

// executable resolves p to a regular file that somebody may execute. What can't
// be looked at is passed over, as execvp(3) does.
func (b *build) executable(p string) (real string, ok bool) {
	real, _, err := b.host.resolve(p)
	if err != nil {
		return "", false
	}
	info, err := b.host.FS.Lstat(fsName(real))
	return real, err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0
}

// show makes the file real visible, where the mounts so far don't, and returns
// its path inside: found where that leads to it, else real.
func (b *build) show(found, real string) string {
	if b.visible(found) {
		return found
	}
	if !b.mounts.shows(real) {
		tree := b.tree(real)
		b.add(mount{origin: b.commandOrigin, option: "--ro-bind", source: tree, dest: tree})
	}
	if b.visible(found) { // as node_modules/.bin/x is in its tree
		return found
	}
	return real
}

// tree is what real needs to run: npm's whole node_modules, for packages load
// each other from there, else the file alone, for what lies beside a program
// (as in ~/bin or ~/Downloads) is nobody's business inside.
func (b *build) tree(real string) string {
	const folder = "/node_modules"
	i := strings.Index(real, folder+"/")
	if i < 0 {
		return real
	}
	tree := real[:i+len(folder)]
	if below(b.host.Home, tree) || below(b.host.Project, tree) {
		return real
	}
	return tree
}

// interpreters names what a script's first line runs it with (execve(2)): a
// path, and the name given to it where that is env(1); none for no script.
func (b *build) interpreters(real string) ([]string, error) {
	const limit = 256 // BINPRM_BUF_SIZE
	head, err := b.host.read(real, limit)
	if errors.Is(err, fs.ErrPermission) {
		return nil, nil // may be executed and not read: then it is no script
	}
	if err != nil {
		return nil, err
	}
	line, ok := strings.CutPrefix(string(head), "#!")
	if !ok {
		return nil, nil
	}
	line, _, _ = strings.Cut(line, "\n")
	words := strings.Fields(line)
	if len(words) == 0 || path.Base(words[0]) != "env" {
		return words[:min(1, len(words))], nil // of none, execvp(3) runs /bin/sh
	}
	name, err := envProgram(words[1:])
	if err != nil {
		return nil, fmt.Errorf("%s: %w", hclfile.Escape(real), err)
	}
	return append(words[:1], name...), nil
}

// envProgram returns the program that env(1) starts with these arguments, if
// any. Options other than -S, which splits its argument, change what is found.
func envProgram(args []string) ([]string, error) {
	if len(args) > 0 {
		if rest, ok := strings.CutPrefix(args[0], "-S"); ok {
			args = args[1:]
			if rest != "" {
				args = append([]string{rest}, args...)
			}
		}
	}
	for i, a := range args {
		switch {
		case strings.HasPrefix(a, "-"):
			return nil, fmt.Errorf("its first line gives env the option %s, of which only -S is followed: name the program itself", hclfile.Escape(a))
		case !strings.Contains(a, "="):
			return args[i : i+1], nil
		}
	}
	return nil, nil
}
