package host

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"

	"github.com/refnil/opencode-jail-devenv/checker/sandbox"
)

// Facts are what the host says of itself. A fact that is nil or empty is known
// to be absent unless Unknown has a reason under its name.
type Facts struct {
	User     string // login name; empty for a user who is not in the password file
	UID      int    // real
	EUID     int    // effective
	SudoUID  string // $SUDO_UID: set when sudo started us
	Home     string // as the password file writes it
	HomeReal string // resolved

	ProjectRoot string // resolved
	Git         *Git   // nil when the project root is no work tree
	// Nested are the roots, resolved, of projects within the project that the jail may
	// be as much about: what is watched in the project is watched in them too.
	Nested []string

	// RuntimeDir is the user's own, mode 0700 (XDG Base Directory
	// Specification); RuntimeDirs are all that may hold sockets, trusted or not.
	RuntimeDir  string
	RuntimeDirs []string
	SSHAgent    string // $SSH_AUTH_SOCK as written, absolute (ssh-agent(1))

	// ConfigDir, StateDir and CacheDir are ocjail's own: as written, and
	// perhaps not there yet. The first two are in the home, whatever XDG_CONFIG_HOME and
	// XDG_STATE_HOME say.
	ConfigDir, StateDir, CacheDir string
	// ConfigHome is where other programs look for the user's configuration:
	// $XDG_CONFIG_HOME, or ~/.config.
	ConfigHome string

	LegacyTIOCSTI *bool // sysctl dev.tty.legacy_tiocsti; nil before Linux 6.2: as unsafe as true
	UserNS        *bool // this user may make user namespaces, as far as sysctls say
	Landlock      *int  // version of the kernel's interface, 0 without one; nil where there is no Linux
	// AppArmorUserNS is true where AppArmor takes the capabilities from user
	// namespaces of unconfined programs (Ubuntu 23.10 and later);
	// AppArmorBwrap tells whether a profile that lifts this for bwrap is
	// installed. Both are nil where there is no such restriction to read.
	AppArmorUserNS *bool
	AppArmorBwrap  *bool

	// Unknown says why a fact could not be had, by its name: "git", "runtime",
	// "ssh-agent", "legacy_tiocsti", "user_namespaces", "apparmor".
	Unknown map[string]error
}

// source is where facts come from; tests put their own in place.
type source struct {
	getenv    func(string) string
	uid, euid int
	passwd    string // a file in the format of passwd(5)
	run       string // parent of the users' runtime directories
	sysctl    string // root of the sysctls
	apparmor  string // directory of AppArmor's profiles
	landlock  func() *int
}

func hostSource() source {
	return source{
		getenv: os.Getenv, uid: os.Getuid(), euid: os.Geteuid(),
		passwd: "/etc/passwd", run: "/run/user", sysctl: "/proc/sys", apparmor: "/etc/apparmor.d", landlock: askLandlock,
	}
}

// Home returns the user's home directory as the password file writes it. It is
// an error for $HOME to disagree.
func Home(f *FS) (string, error) {
	_, home, _, err := hostSource().findHome(f)
	return home, err
}

// Gather collects the facts for a project. An error means that no jail can be
// judged here: no home, $HOME at odds with the password file, a relative or
// unsafe XDG directory, or a project root that is no directory.
func Gather(f *FS, projectRoot string) (Facts, error) {
	return hostSource().gather(f, projectRoot)
}

// Caller is who starts the jail, as far as facts depend on it.
type Caller struct {
	Getenv    func(string) string
	UID, EUID int
	Landlock  int // of the kernel
}

// Gather is what [Gather] is for this process.
func (c Caller) Gather(f *FS, projectRoot string) (Facts, error) {
	s := hostSource()
	s.getenv, s.uid, s.euid = c.Getenv, c.UID, c.EUID
	s.landlock = func() *int { return &c.Landlock }
	return s.gather(f, projectRoot)
}

func (s source) gather(f *FS, projectRoot string) (Facts, error) {
	project, err := f.directory(projectRoot)
	if err != nil {
		return Facts{}, fmt.Errorf("project root: %w: name an existing directory", err)
	}
	name, home, real, err := s.findHome(f)
	if err != nil {
		return Facts{}, err
	}
	facts := Facts{
		User: name, UID: s.uid, EUID: s.euid, SudoUID: s.getenv("SUDO_UID"),
		Home: filepath.Clean(home), HomeReal: real.Path, ProjectRoot: project.Path,
		Unknown: map[string]error{},
	}
	if err := s.findDirs(f, &facts); err != nil {
		return Facts{}, err
	}
	facts.Git, err = f.FindGit(project.Path)
	facts.unknown("git", err)
	facts.SSHAgent, err = s.findAgent()
	facts.unknown("ssh-agent", err)
	s.readSysctls(f, &facts)
	facts.Landlock = s.landlock()
	return facts, nil
}

// unknown notes a fact that could not be had; a nil error is no such fact.
func (facts *Facts) unknown(name string, err error) {
	if err != nil {
		facts.Unknown[name] = err
	}
}

func (s source) findAgent() (string, error) {
	path := s.getenv("SSH_AUTH_SOCK")
	if path != "" && !filepath.IsAbs(path) {
		return "", fmt.Errorf("SSH_AUTH_SOCK is %q: %w: make it absolute, or unset it", path, sandbox.ErrUnknown)
	}
	return path, nil
}

// findRuntime fills RuntimeDir and RuntimeDirs. A directory that is not safe
// to use may still be where the sockets are: it is watched, not trusted.
func (s source) findRuntime(f *FS, facts *Facts) {
	candidates := []string{s.getenv("XDG_RUNTIME_DIR"), filepath.Join(s.run, strconv.Itoa(s.uid))}
	for _, path := range candidates {
		if path == "" {
			continue
		}
		real, err := f.directory(path)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			facts.unknown("runtime", err)
			continue
		}
		own := int(real.Stat.UID) == s.uid && real.Stat.Mode&0o777 == 0o700
		if facts.RuntimeDir == "" && own {
			facts.RuntimeDir = real.Path
		}
		if len(facts.RuntimeDirs) == 0 || facts.RuntimeDirs[0] != real.Path {
			facts.RuntimeDirs = append(facts.RuntimeDirs, real.Path)
		}
	}
}
