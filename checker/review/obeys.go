package review

import (
	"fmt"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/refnil/opencode-jail-devenv/checker/host"
	"github.com/refnil/opencode-jail-devenv/checker/sandbox"
)

// harmless are settings that name no program, as patterns of keys in lower case;
// * stands for a subsection too. Whatever is not here may run something
// (git-config(1)).
var harmless = []string{
	"core.repositoryformatversion", "core.filemode", "core.bare", "core.logallrefupdates", "core.ignorecase", "core.precomposeunicode",
	"core.symlinks", "core.autocrlf", "core.eol", "core.safecrlf", "core.untrackedcache", "core.compression", "core.abbrev", "core.quotepath",
	"core.sharedrepository", "core.longpaths", "core.multipackindex", "core.commitgraph", "core.preloadindex", "core.splitindex",
	"core.sparsecheckout", "core.sparsecheckoutcone", "extensions.objectformat", "extensions.partialclone", "extensions.worktreeconfig",
	"extensions.refstorage", "remote.*.url", "remote.*.pushurl", "remote.*.fetch", "remote.*.push", "remote.*.tagopt", "remote.*.prune", "remote.*.mirror",
	"remote.*.promisor", "remote.*.partialclonefilter", "remote.pushdefault", "branch.*.remote", "branch.*.merge", "branch.*.rebase",
	"branch.*.pushremote", "branch.*.description", "branch.autosetupmerge", "branch.autosetuprebase", "branch.sort",
	"user.name", "user.email", "submodule.*.url", "submodule.*.active", "submodule.*.branch", "submodule.*.ignore", "submodule.active",
	"submodule.recurse", "init.defaultbranch", "pull.rebase", "pull.ff", "push.default", "push.autosetupremote", "fetch.prune", "fetch.prunetags",
	"fetch.parallel", "fetch.recursesubmodules", "color.*", "column.*", "advice.*", "gc.auto", "gc.autodetach", "gc.pruneexpire", "gc.reflogexpire",
	"gc.packrefs", "pack.threads", "feature.manyfiles", "feature.experimental", "index.version", "index.threads", "index.skiphash", "index.sparse",
	"status.*", "log.date", "log.decorate", "log.follow", "diff.renames", "diff.algorithm", "merge.conflictstyle", "merge.ff", "rerere.enabled",
	"rerere.autoupdate", "commit.gpgsign", "tag.gpgsign", "lfs.repositoryformatversion",
}

// booleans run nothing when they are one: core.fsmonitor = true is git's own
// daemon.
var booleans = map[string]bool{"core.fsmonitor": true}

// runs returns the settings in a git configuration that may run something, as
// "key = value", sorted. Values are cut.
func runs(config []byte) []string {
	values, err := host.ParseGitConfig(string(config))
	if err != nil {
		return []string{"what git cannot read, and stops at"}
	}
	var found []string
	for key, value := range values {
		isBoolean := slices.Contains([]string{"true", "false", "yes", "no", "on", "off", "0", "1", ""}, strings.ToLower(value))
		if booleans[key] && isBoolean || slices.ContainsFunc(harmless, func(p string) bool { return matchKey(p, key) }) {
			continue
		}
		if len(value) > 120 {
			value = value[:120] + "…"
		}
		found = append(found, key+" = "+value)
	}
	slices.Sort(found)
	return found
}

func matchKey(pattern, key string) bool {
	prefix, suffix, star := strings.Cut(pattern, "*")
	if !star {
		return pattern == key
	}
	return len(key) >= len(prefix)+len(suffix) && strings.HasPrefix(key, prefix) && strings.HasSuffix(key, suffix)
}

// obeys says what git would take from a git directory that counts as new: the
// settings that may run something, hooks, and where it is sent from there.
func (l *looker) obeys(dir string) ([]string, error) {
	dirs, err := l.gitDirs(dir)
	if err != nil {
		return nil, err
	}
	var found []string
	for _, d := range dirs {
		below := newLooker(l.areas)
		if err := below.controls(d); err != nil {
			return nil, err
		}
		for p, e := range below.found {
			_, c, _ := controlOf(p, []string{d})
			name, _ := strings.CutPrefix(p, dir+"/")
			found = append(found, l.says(e, c.name, d, name)...)
		}
	}
	if len(l.crowded) > 0 {
		found = append(found, "more than is looked through")
	}
	slices.Sort(found)
	return found, nil
}

// says returns what git takes from one control file.
func (l *looker) says(e Entry, control, dir, name string) []string {
	switch {
	case e.Absent() || control == head || control == "gitdir" || control == todo && !executes(e) || e.Type == sandbox.Dir && !e.Large:
		return nil
	case control == "hooks":
		return []string{name}
	case strings.HasPrefix(control, "config"):
		return l.configuration(e, dir, name)
	case control == "commondir":
		return l.common(e, dir, name)
	}
	return []string{name}
}

func (l *looker) configuration(e Entry, dir, name string) []string {
	if e.Type != sandbox.Regular || !e.readable() || e.Size > maxConfigLen {
		return []string{fmt.Sprintf("%s, %s", name, kindOf(e))}
	}
	var found []string
	for _, setting := range runs(e.Content) {
		// Of a submodule it leads back to the work tree.
		if tree, ok := strings.CutPrefix(setting, "core.worktree = "); ok && l.inArea(dir, tree) {
			continue
		}
		found = append(found, setting)
	}
	return found
}

// common is silent about the commondir that git writes for a worktree.
func (l *looker) common(e Entry, dir, name string) []string {
	target := strings.TrimRight(string(e.Content), "\r\n")
	if target == "../.." && filepath.Base(filepath.Dir(dir)) == "worktrees" || target == "./" {
		return nil
	}
	at := target
	if !filepath.IsAbs(at) {
		at = filepath.Join(dir, target)
	}
	found := []string{fmt.Sprintf("%s -> %s", name, target)}
	config, err := l.entry(filepath.Join(at, "config"))
	if err == nil && config.readable() && !config.Absent() {
		found = append(found, runs(config.Content)...)
	}
	return found
}

// inArea tells whether a path as written in dir stays in the project's area.
func (l *looker) inArea(dir, target string) bool {
	if !filepath.IsAbs(target) {
		target = path.Join(dir, target)
	}
	_, _, ok := l.areas.find(target)
	return ok
}

// kindOf names what an entry is for a person.
func kindOf(e Entry) string {
	switch {
	case e.Absent():
		return "nothing"
	case e.Type == detour:
		return "behind the link " + e.Target
	case e.Type == sandbox.Symlink:
		return "a link to " + e.Target
	case e.Type == sandbox.Regular && !e.readable():
		return fmt.Sprintf("a file of %d bytes, too large to keep", e.Size)
	case e.Type == sandbox.Regular:
		return "a file"
	}
	return "a " + string(e.Type)
}
