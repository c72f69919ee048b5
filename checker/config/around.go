package config

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/refnil/opencode-jail-devenv/checker/config/hclfile"
)

// Around has a file of the project with that root, or a bundle's configuration
// which it names, speak of the same paths when it counts for a project within. Both
// roots are absolute, without symbolic links.
func (f *File) Around(root, project string) error {
	rest, in := strings.CutPrefix(project, root+"/")
	if !in {
		return fmt.Errorf("%s is not in %s", hclfile.Escape(project), hclfile.Escape(root))
	}
	if strings.ContainsAny(root, "{}*") {
		return fmt.Errorf("%s counts here too, and its folder's name has one of {, } and *, which mean something in watched paths: rename the folder", hclfile.Escape(f.Name))
	}
	for i, w := range f.Watches {
		if below, ok := strings.CutPrefix(w.Path, "{project}/"); ok {
			f.Watches[i].Path = root + "/" + below
		}
	}
	if f.Protect != nil {
		for i, p := range f.Protect.Value {
			f.Protect.Value[i] = root + "/" + p
		}
	}
	for i := range f.Policies {
		f.Policies[i].Root = root
	}
	for i, w := range f.Waivers {
		if below, ok := strings.CutPrefix(w.Subject, "{project}/"); ok {
			f.Waivers[i].Subject = escapePattern(root) + "/" + below
		}
	}
	var within []Said[string]
	for _, p := range f.Review {
		globs := below(strings.Split(p.Value, "/"), strings.Split(rest, "/"))
		slices.Sort(globs)
		for _, glob := range slices.Compact(globs) {
			within = append(within, Said[string]{glob, p.Pos})
		}
	}
	f.Review = within
	return nil
}

// below are the patterns that say of paths in a folder what pattern says of them from
// further up. A pattern that matches the folder, or one above it, names all in it.
func below(pattern, folder []string) []string {
	switch {
	case len(pattern) == 0:
		return []string{"**"}
	case len(folder) == 0:
		return []string{strings.Join(pattern, "/")}
	case pattern[0] == "**":
		return append(below(pattern, folder[1:]), below(pattern[1:], folder)...)
	}
	if ok, err := path.Match(pattern[0], folder[0]); err != nil || !ok {
		return nil
	}
	return below(pattern[1:], folder[1:])
}
