package host

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/refnil/opencode-jail-devenv/checker/sandbox"
)

const (
	nixConf = "/etc/nix/nix.conf"
	// maxIncludes bounds how deep configurations of Nix include each other.
	maxIncludes = 8
	confLimit   = 1 << 20
)

// NixTrusts tells whether the Nix daemon does for the user whatever is asked, as
// root (nix.conf(5), trusted-users).
func (f *FS) NixTrusts(facts Facts) (bool, error) {
	return nixTrust{fs: f, conf: nixConf, groups: "/etc/group", own: ownGroups}.trusts(facts)
}

// nixTrust is where to look; tests put files of their own in place.
type nixTrust struct {
	fs           *FS
	conf, groups string
	own          func() ([]int, error) // the groups of this process
}

func ownGroups() ([]int, error) {
	gids, err := os.Getgroups()
	return append(gids, os.Getgid()), err
}

func (n nixTrust) trusts(facts Facts) (bool, error) {
	if facts.UID == 0 {
		return true, nil
	}
	users := []string{"root"} // the default
	if err := n.read(n.conf, true, maxIncludes, &users); err != nil {
		return false, err
	}
	if slices.Contains(users, "*") || facts.User != "" && slices.Contains(users, facts.User) {
		return true, nil
	}
	for _, u := range users {
		group, ok := strings.CutPrefix(u, "@")
		if !ok {
			continue
		}
		in, err := n.member(group, facts)
		if in || err != nil {
			return in, err
		}
	}
	return false, nil
}

// read collects trusted-users from a configuration file and what it includes. An
// absent file is none, unless a plain include names it.
func (n nixTrust) read(file string, mayLack bool, depth int, users *[]string) error {
	if depth == 0 {
		return fmt.Errorf("%s: %w: it is included more than %d deep", file, sandbox.ErrUnknown, maxIncludes)
	}
	text, err := n.fs.read(file, confLimit)
	if errors.Is(err, fs.ErrNotExist) && mayLack {
		return nil
	}
	if err != nil {
		return err
	}
	for line := range strings.Lines(string(text)) {
		line, _, _ = strings.Cut(line, "#")
		if err := n.line(strings.Fields(line), file, depth, users); err != nil {
			return err
		}
	}
	return nil
}

// line obeys one line of file, split into words.
func (n nixTrust) line(words []string, file string, depth int, users *[]string) error {
	if len(words) < 2 {
		return nil
	}
	switch sets := words[1] == "="; {
	case words[0] == "include" || words[0] == "!include":
		at := words[1]
		if !filepath.IsAbs(at) {
			at = filepath.Join(filepath.Dir(file), at)
		}
		return n.read(at, words[0] == "!include", depth-1, users)
	case sets && words[0] == "trusted-users":
		*users = words[2:]
	case sets && words[0] == "extra-trusted-users":
		*users = append(*users, words[2:]...)
	}
	return nil
}

// member tells whether the user is in a group of the group file (group(5)), by
// name or because it is a group of this process.
func (n nixTrust) member(group string, facts Facts) (bool, error) {
	own, err := n.own()
	if err != nil {
		return false, err
	}
	text, err := n.fs.read(n.groups, passwdLimit)
	if errors.Is(err, fs.ErrNotExist) {
		err = fmt.Errorf("%s: %w: it is not there", n.groups, sandbox.ErrUnknown)
	}
	if err != nil {
		return false, err
	}
	for line := range strings.Lines(string(text)) {
		fields := strings.Split(strings.TrimSpace(line), ":")
		if len(fields) != 4 || fields[0] != group {
			continue
		}
		gid, err := strconv.Atoi(fields[2])
		if err == nil && slices.Contains(own, gid) {
			return true, nil
		}
		return facts.User != "" && slices.Contains(strings.Split(fields[3], ","), facts.User), nil
	}
	// A group that only LDAP knows: nothing says who is in it.
	return false, fmt.Errorf("group %s: %w: it is not in %s", group, sandbox.ErrUnknown, n.groups)
}
