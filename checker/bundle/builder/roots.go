package builder

import (
	"fmt"
	"slices"
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"
)

// roots are the paths below data that the files fill, none below another. OPA
// refuses a bundle that fills others than it says.
func (f *folder) roots() ([]string, error) {
	var all []string
	for _, file := range f.files {
		switch {
		case file.IsList():
			all = append(all, strings.Join(file.Keys(), "/"))
		case strings.HasSuffix(file.Path, ".rego"):
			m, err := ast.ParseModuleWithOpts(file.Name(), string(file.Text), ast.ParserOptions{RegoVersion: ast.RegoV1})
			if err != nil {
				return nil, err
			}
			p, err := m.Package.Path.Ptr()
			if err != nil {
				return nil, fmt.Errorf("%s: %w", file.Name(), err)
			}
			all = append(all, p)
		}
	}
	slices.Sort(all)
	var roots []string
	for _, r := range all {
		if !slices.ContainsFunc(roots, func(over string) bool { return r == over || strings.HasPrefix(r, over+"/") }) {
			roots = append(roots, r)
		}
	}
	return roots, nil
}
