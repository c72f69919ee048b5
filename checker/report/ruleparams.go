package report

import (
	"fmt"
	"maps"
	"slices"

	"github.com/refnil/opencode-jail-devenv/checker/param"
)

// paramRow describes one parameter of a rule.
type paramRow struct{ name, what, fallback, description string }

func paramRows(s *param.Schema) []paramRow {
	if s == nil {
		return nil
	}
	var rows []paramRow
	for _, name := range slices.Sorted(maps.Keys(s.Properties)) {
		p := s.Properties[name]
		fallback := "none: it must be written"
		if p.Default != nil {
			fallback = param.Text(p.Default)
		}
		rows = append(rows, paramRow{name, p.What(), fallback, p.Description})
	}
	return rows
}

func paramLines(s *param.Schema) []string {
	var lines []string
	for _, r := range paramRows(s) {
		line := fmt.Sprintf("%s: %s (default %s)", r.name, r.what, r.fallback)
		if r.description != "" {
			line = fmt.Sprintf("%s: %s; %s (default %s)", r.name, r.description, r.what, r.fallback)
		}
		lines = append(lines, line)
	}
	return lines
}

// paramExample is the first parameter as ocjail.hcl has it, with a value that is
// accepted.
func paramExample(s *param.Schema) string {
	name := slices.Sorted(maps.Keys(s.Properties))[0]
	return fmt.Sprintf("%s = %s", name, param.Text(s.Properties[name].Example()))
}
