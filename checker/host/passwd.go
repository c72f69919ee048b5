package host

import (
	"errors"
	"fmt"
	"io/fs"
	"strconv"
	"strings"

	"github.com/refnil/opencode-jail-devenv/checker/sandbox"
)

const passwdLimit = 16 << 20

// account is the user's entry in the password file (passwd(5)).
type account struct {
	name, home string
}

// findAccount returns the first entry with uid, as getpwuid(3) would; nil when
// there is none.
func findAccount(passwd string, uid int) *account {
	want := strconv.Itoa(uid)
	for passwd != "" {
		var line string
		line, passwd, _ = strings.Cut(passwd, "\n")
		fields := strings.Split(line, ":")
		if len(fields) == 7 && fields[2] == want && !strings.HasPrefix(line, "#") {
			return &account{name: fields[0], home: fields[5]}
		}
	}
	return nil
}

// findHome returns the user's name, the home directory as written, and where
// that leads. The password file decides: $HOME can be set by a project's .env,
// and would move the trusted configuration and every watched path with it.
// A user whom only LDAP or systemd-homed knows is taken at the word of $HOME
// if that directory belongs to them.
func (s source) findHome(f *FS) (name, home string, real Real, err error) {
	set := s.getenv("HOME")
	passwd, err := f.read(s.passwd, passwdLimit)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", "", Real{}, err
	}
	entry := findAccount(string(passwd), s.uid)
	if HomeVariable != "" {
		if entry, err = s.madeUp(entry); err != nil {
			return "", "", Real{}, err
		}
	}
	if entry == nil {
		real, err := s.ownHome(f, set)
		return "", set, real, err
	}
	real, err = f.directory(entry.home)
	if err != nil {
		return "", "", Real{}, fmt.Errorf("home directory of %s in %s: %w: make it, or correct the entry", entry.name, s.passwd, err)
	}
	if set == "" {
		return entry.name, entry.home, real, nil
	}
	other, err := f.directory(set)
	if err != nil || other.Stat.ID() != real.Stat.ID() {
		return "", "", Real{}, fmt.Errorf("HOME is %q, but %s says that %s lives in %s: start again with HOME=%s",
			set, s.passwd, entry.name, entry.home, entry.home)
	}
	return entry.name, entry.home, real, nil
}

// HomeVariable names an environment variable whose directory stands for the home that
// the password file names. There is none but in programs that are built for tests
// (-ldflags -X), which without it start nothing: no test may touch the files of whoever
// runs it.
var HomeVariable string

func (s source) madeUp(entry *account) (*account, error) {
	home := s.getenv(HomeVariable)
	if home == "" {
		return nil, fmt.Errorf("this ocjail was built for tests, which have to set %s to a home of their own", HomeVariable)
	}
	if entry == nil {
		return nil, nil // HOME is believed
	}
	return &account{name: entry.name, home: home}, nil
}

func (s source) ownHome(f *FS, home string) (Real, error) {
	const mend = "set HOME to a directory of your own"
	if home == "" {
		return Real{}, fmt.Errorf("user %d is not in %s and HOME is not set: %s", s.uid, s.passwd, mend)
	}
	real, err := f.directory(home)
	if err != nil {
		return Real{}, fmt.Errorf("HOME: %w: %s", err, mend)
	}
	if int(real.Stat.UID) != s.uid {
		return Real{}, fmt.Errorf("HOME is %s, which belongs to user %d, and user %d is not in %s: %s",
			home, real.Stat.UID, s.uid, s.passwd, mend)
	}
	return real, nil
}

// directory resolves path and demands a directory.
func (f *FS) directory(path string) (Real, error) {
	real, err := f.RealPath(path)
	if err == nil && real.Stat.Type != sandbox.Dir {
		err = fmt.Errorf("%s is a %s, not a directory", path, real.Stat.Type)
	}
	return real, err
}
