package profile

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/refnil/opencode-jail-devenv/checker/config/hclfile"
)

// body is the language of a profile: what may stand in one, and where it stood.
type body struct {
	// Command runs when the command line names none.
	Command   []string  `hcl:"command,optional"`
	CommandAt hcl.Range `hcl:"command,attr_range"`
	// System binds the paths of systemPaths.
	System   bool      `hcl:"system,optional"`
	SystemAt hcl.Range `hcl:"system,attr_range"`
	// Network shares the host's network namespace.
	Network   bool      `hcl:"network,optional"`
	NetworkAt hcl.Range `hcl:"network,attr_range"`
	// Timezone passes /etc/localtime, /etc/timezone and TZ.
	Timezone   bool      `hcl:"timezone,optional"`
	TimezoneAt hcl.Range `hcl:"timezone,attr_range"`
	// NewSession is bwrap's --new-session.
	NewSession   bool      `hcl:"new_session,optional"`
	NewSessionAt hcl.Range `hcl:"new_session,attr_range"`
	// Hostname inside; "jail" when absent.
	Hostname   *string   `hcl:"hostname,optional"`
	HostnameAt hcl.Range `hcl:"hostname,attr_range"`
	// Env names variables that pass when set. EnvFiles does too, and binds the
	// PEM file of certificates that the value names.
	Env        []string  `hcl:"env,optional"`
	EnvAt      hcl.Range `hcl:"env,attr_range"`
	EnvFiles   []string  `hcl:"env_files,optional"`
	EnvFilesAt hcl.Range `hcl:"env_files,attr_range"`
	// SetEnv sets variables, whatever the host has.
	SetEnv   map[string]string `hcl:"setenv,optional"`
	SetEnvAt hcl.Range         `hcl:"setenv,attr_range"`
	// Git passes user.name and user.email of the host's git configuration.
	Git   bool      `hcl:"git,optional"`
	GitAt hcl.Range `hcl:"git,attr_range"`
	// GitWorktree binds a worktree's common directory; true when absent.
	GitWorktree   *bool     `hcl:"git_worktree,optional"`
	GitWorktreeAt hcl.Range `hcl:"git_worktree,attr_range"`
	// Caches are paths with a lasting directory of the jail's own, one for each
	// project, which the host's programs never use.
	Caches   []string  `hcl:"caches,optional"`
	CachesAt hcl.Range `hcl:"caches,attr_range"`

	Mounts  []mountBlock `hcl:"mount,block"`
	Tmpfs   []tmpfsBlock `hcl:"tmpfs,block"`
	Project projectBlock `hcl:"project,block"`
}

// mountBlock binds a path of the host, at the same path unless At says else.
type mountBlock struct {
	Path     string    `hcl:"path,label"`
	PathAt   hcl.Range `hcl:"path,label_range"`
	Access   string    `hcl:"access"`
	AccessAt hcl.Range `hcl:"access,attr_value_range"`
	At       *string   `hcl:"at,optional"`
	AtAt     hcl.Range `hcl:"at,attr_value_range"`
	// Optional leaves the mount out when the host has no such path; Create
	// makes it a directory then.
	Optional bool      `hcl:"optional,optional"`
	Create   bool      `hcl:"create,optional"`
	CreateAt hcl.Range `hcl:"create,attr_range"`
	Block    hcl.Range `hcl:",def_range"`
}

// dest is where the mount lies inside.
func (m mountBlock) dest() string {
	if m.At != nil {
		return *m.At
	}
	return m.Path
}

type tmpfsBlock struct {
	Path   string    `hcl:"path,label"`
	PathAt hcl.Range `hcl:"path,label_range"`
	Size   *string   `hcl:"size,optional"` // "512M"; half of the memory when absent (tmpfs(5))
	SizeAt hcl.Range `hcl:"size,attr_value_range"`
	Block  hcl.Range `hcl:",def_range"`
}

type projectBlock struct {
	Access   string    `hcl:"access"`
	AccessAt hcl.Range `hcl:"access,attr_value_range"`
	Block    hcl.Range `hcl:",def_range"`
}

// bindOption is the bwrap option of each access that a profile may give.
var bindOption = map[string]string{"ro": "--ro-bind", "rw": "--bind"}

// sizeUnits are the letters after a size, as in mount(8)'s size=, in bytes.
var sizeUnits = map[byte]uint64{'K': 1 << 10, 'M': 1 << 20, 'G': 1 << 30, 'T': 1 << 40}

// parseSize reads "512M": digits and one unit, or digits alone for bytes.
func parseSize(s string) (uint64, error) {
	digits, unit := s, uint64(1)
	if s != "" && sizeUnits[s[len(s)-1]] != 0 {
		digits, unit = s[:len(s)-1], sizeUnits[s[len(s)-1]]
	}
	n, err := strconv.ParseUint(digits, 10, 64)
	if err != nil || n == 0 || n > math.MaxInt64/unit {
		return 0, fmt.Errorf("write a size as digits and K, M, G or T, as in \"2G\"")
	}
	return n * unit, nil
}

// checker collects every error of a profile, so that one run shows them all.
type checker struct{ errs hclfile.Diagnostics }

// validName tells whether s can name an environment variable (POSIX.1-2017, 8.1).
func validName(s string) bool {
	for i, r := range s {
		letter := r == '_' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z'
		if !letter && (i == 0 || r < '0' || r > '9') {
			return false
		}
	}
	return s != ""
}

// hasNUL tells whether s can not be a word of an argv.
func hasNUL(s string) bool { return strings.ContainsRune(s, 0) }
