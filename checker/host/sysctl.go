package host

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/refnil/opencode-jail-devenv/checker/sandbox"
)

// readSysctls fills the facts that /proc/sys tells.
func (s source) readSysctls(f *FS, facts *Facts) {
	tiocsti, err := s.number(f, "dev/tty/legacy_tiocsti")
	facts.LegacyTIOCSTI = truth(tiocsti)
	facts.unknown("legacy_tiocsti", err)

	facts.UserNS, err = s.userNamespaces(f)
	facts.unknown("user_namespaces", err)

	restricts, err := s.number(f, "kernel/apparmor_restrict_unprivileged_userns")
	facts.AppArmorUserNS = truth(restricts)
	if err == nil && restricts != nil && *restricts != 0 {
		facts.AppArmorBwrap, err = s.profile(f)
	}
	facts.unknown("apparmor", err)
}

// userNamespaces combines user.max_user_namespaces (namespaces(7); 0 forbids)
// with the switch that Debian's and Arch's kernels add for ordinary users.
func (s source) userNamespaces(f *FS) (*bool, error) {
	most, err := s.number(f, "user/max_user_namespaces")
	if err == nil && most == nil {
		err = fmt.Errorf("sysctl user.max_user_namespaces: %w: there is none", sandbox.ErrUnknown)
	}
	if err != nil {
		return nil, err
	}
	unprivileged, err := s.number(f, "kernel/unprivileged_userns_clone")
	if err != nil {
		return nil, err
	}
	allowed := *most > 0 && (s.euid == 0 || unprivileged == nil || *unprivileged != 0)
	return &allowed, nil
}

// profiles are files that let bwrap make user namespaces: the first comes with
// AppArmor 4, the others are how people name their own.
var profiles = [...]string{"bwrap-userns-restrict", "bwrap", "usr.bin.bwrap"}

// profile looks for a profile on disk; which are loaded only root may read.
func (s source) profile(f *FS) (*bool, error) {
	found := false
	for _, name := range profiles {
		_, err := f.RealPath(filepath.Join(s.apparmor, name))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
		found = found || err == nil
	}
	return &found, nil
}

// number reads a sysctl; nil when the kernel has none of that name.
func (s source) number(f *FS, name string) (*int64, error) {
	path := filepath.Join(s.sysctl, name)
	data, err := readMade(f.disk, path, 4096)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	n, err := strconv.ParseInt(strings.TrimSpace(string(data)), 10, 64)
	if err != nil {
		return nil, fmt.Errorf("%s: %w: %w", path, sandbox.ErrUnknown, err)
	}
	return &n, nil
}

func truth(n *int64) *bool {
	if n == nil {
		return nil
	}
	b := *n != 0
	return &b
}
