package engine

import (
	"cmp"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
	"sync"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/util"

	"github.com/refnil/opencode-jail-devenv/policy"
)

// Source is a tree of rules in Rego v1: *.rego anywhere (*_test.rego is left
// out, as OPA's convention has it) and lists in data/. The file
// data/a/b.json becomes data.a.b; data/ocjail/NAME.json extends the pack's list
// data.ocjail.NAME.
type Source struct {
	Name string // for errors
	FS   fs.FS
	// Root is the file or folder of FS that holds the rules; "" is all of it.
	Root string
	// Untrusted sources bring rules, which only add findings. They may not extend
	// the pack's lists, of which some tolerate.
	Untrusted bool
	pack      bool
}

// Bounds of all sources together.
const (
	maxFiles = 2000
	maxBytes = 16 << 20
)

// Pack is the embedded rule pack. Only it may define data.ocjail, apart from
// rules in packages ocjail.rules.CATEGORY.NAME of their own.
func Pack() Source { return Source{Name: "embedded pack", FS: policy.Files, pack: true} }

// file is one file of a source.
type file struct {
	source Source
	path   string // in the source
	text   []byte
}

func (f file) name() string { return f.source.Name + ": " + f.path }

// module is a parsed file.
type module struct {
	file
	*ast.Module
}

// read returns the rule files and the data files of the sources.
func read(sources []Source) (rules, data []file, err error) {
	left := maxBytes
	for _, s := range sources {
		err := fs.WalkDir(s.FS, cmp.Or(s.Root, "."), func(p string, d fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			rel := strings.TrimPrefix(p, s.Root+"/")
			isRule, isData := kind(rel)
			if d.IsDir() || !isRule && !isData {
				return nil
			}
			text, err := fs.ReadFile(s.FS, p)
			if err != nil {
				return err
			}
			if left -= len(text); left < 0 || len(rules)+len(data) == maxFiles {
				return fmt.Errorf("more than %d files or %d MiB: name the folder that holds the rules, and nothing else", maxFiles, maxBytes>>20)
			}
			if isData && s.Untrusted && extendsPack(rel) {
				return fmt.Errorf("%s: only trusted sources may extend ocjail's own lists: put the list elsewhere in data/", p)
			}
			if f := (file{s, rel, text}); isRule {
				rules = append(rules, f)
			} else {
				data = append(data, f)
			}
			return nil
		})
		if err != nil {
			return nil, nil, fmt.Errorf("read rules of %s: %w", s.Name, err)
		}
	}
	return rules, data, nil
}

func kind(p string) (rule, data bool) {
	rule = path.Ext(p) == ".rego" && !strings.HasSuffix(p, "_test.rego")
	data = path.Ext(p) == ".json" && strings.HasPrefix(p, "data/")
	return rule, data
}

// extendsPack tells whether a data file adds to data.ocjail.
func extendsPack(p string) bool {
	first, _, _ := strings.Cut(strings.TrimPrefix(p, "data/"), "/")
	return strings.TrimSuffix(first, ".json") == reservedName
}

// parse parses the files, each in a goroutine: it is half of the start-up.
func parse(files []file) ([]module, error) {
	modules := make([]module, len(files))
	errs := make([]error, len(files))
	var wg sync.WaitGroup
	for i, f := range files {
		wg.Go(func() {
			options := ast.ParserOptions{ProcessAnnotation: true, RegoVersion: ast.RegoV1}
			m, err := ast.ParseModuleWithOpts(f.name(), util.ByteSliceToString(f.text), options)
			if err == nil && m == nil {
				err = fmt.Errorf("%s: empty file: remove it or write a package", f.name())
			}
			modules[i], errs[i] = module{f, m}, err
		})
	}
	wg.Wait()
	if i := slices.IndexFunc(errs, func(err error) bool { return err != nil }); i >= 0 {
		return nil, fmt.Errorf("parse rules: %w", errs[i])
	}
	return modules, nil
}
