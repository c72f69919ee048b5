package host

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	"github.com/refnil/opencode-jail-devenv/checker/octets"
)

// SavedVersion is the version of the format that [Saved] reads and writes.
const SavedVersion = 1

// Saved is what was looked at of a host, to judge a jail on another as if it were
// there: the facts, and of each path what lstat(2) said. No file's content is in
// it, but for the kernel's tables of mounts and listening sockets, and what the
// user's configuration of git says of core.hooksPath.
type Saved struct {
	Version int                  `json:"version"`
	Facts   SavedFacts           `json:"facts"`
	Bwrap   *SavedBwrap          `json:"bwrap"` // null for none
	Paths   map[string]SavedPath `json:"paths"`
	Follows map[string]SavedPath `json:"follows"` // links followed by the kernel
	Tables  map[string]string    `json:"tables"`  // content, by path
}

// SavedPath is one path; Type is "absent" for one that was not there.
type SavedPath struct {
	Type   string `json:"type"`
	Target string `json:"target,omitempty"`
	Dev    uint64 `json:"dev,omitempty"`
	Ino    uint64 `json:"ino,omitempty"`
	UID    uint32 `json:"uid,omitempty"`
	Mode   uint32 `json:"mode,omitempty"`
	Nlink  uint64 `json:"nlink,omitempty"`
}

// SavedBwrap is the bubblewrap of that host.
type SavedBwrap struct {
	Path   string `json:"path"`
	Setuid bool   `json:"setuid"`
}

// SavedFacts are the facts of a host that do not depend on a project.
type SavedFacts struct {
	User           string            `json:"user"`
	UID            int               `json:"uid"`
	EUID           int               `json:"euid"`
	Home           string            `json:"home"`
	HomeReal       string            `json:"home_real"`
	RuntimeDir     string            `json:"runtime_dir"`
	RuntimeDirs    []string          `json:"runtime_dirs"`
	SSHAgent       string            `json:"ssh_agent"`
	ConfigDir      string            `json:"config_dir"`
	ConfigHome     string            `json:"config_home"`
	StateDir       string            `json:"state_dir"`
	CacheDir       string            `json:"cache_dir"`
	LegacyTIOCSTI  *bool             `json:"legacy_tiocsti"`
	UserNS         *bool             `json:"user_namespaces"`
	Landlock       *int              `json:"landlock"`
	AppArmorUserNS *bool             `json:"apparmor_user_namespaces"`
	AppArmorBwrap  *bool             `json:"apparmor_bwrap"`
	Unknown        map[string]string `json:"unknown"`
}

const absentType = "absent"

// savedTables are what is saved with its content.
var savedTables = []string{mountinfo, "/proc/self/net/tcp", "/proc/self/net/tcp6"}

// savedLimit bounds the file of a saved host.
const savedLimit = 64 << 20

// LoadSaved reads the JSON of a saved host. Errors name the file.
func LoadSaved(file string) (*Saved, error) {
	s, err := loadSaved(file)
	if err != nil {
		return nil, fmt.Errorf("saved host %s: %w", file, err)
	}
	return s, nil
}

func loadSaved(file string) (*Saved, error) {
	f, err := os.OpenFile(file, os.O_RDONLY|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, errors.Unwrap(err)
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, savedLimit+1))
	if err == nil && len(data) > savedLimit {
		err = fmt.Errorf("is larger than %d MiB", savedLimit>>20)
	}
	if err != nil {
		return nil, err
	}
	var s Saved
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(&s); err != nil {
		return nil, err
	}
	s = octets.Map(s, octets.Unescape)
	if s.Version != SavedVersion {
		return nil, fmt.Errorf("has version %d, and this ocjail reads %d: save it anew", s.Version, SavedVersion)
	}
	if !filepath.IsAbs(s.Facts.Home) || !filepath.IsAbs(s.Facts.HomeReal) || len(s.Paths) == 0 || s.Tables[mountinfo] == "" {
		return nil, errors.New("lacks the home, the paths or the mounts: save it anew with ocjail lint --save-host")
	}
	return &s, nil
}
