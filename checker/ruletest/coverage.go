package ruletest

import (
	"fmt"
	"slices"
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/cover"
)

// Coverage tells which lines of the rules the tests ran. Lines count when they
// hold a condition or the head of a rule.
type Coverage struct {
	Percent float64 `json:"percent"`
	Lines   int     `json:"lines"`
	Files   []File  `json:"files"` // by name
}

// File is the coverage of one file that holds rules.
type File struct {
	Name    string  `json:"name"`
	Percent float64 `json:"percent"`
	Lines   int     `json:"lines"`
	Missed  []int   `json:"missed"` // lines that no test ran
}

func (s *Suite) coverage(tracer *cover.Cover) Coverage {
	modules := map[string]*ast.Module{}
	for name, own := range s.own {
		if own {
			modules[name] = s.modules[name]
		}
	}
	c := Coverage{Files: []File{}}
	missed := 0
	for name, f := range tracer.Report(modules).Files {
		if !s.own[name] {
			continue
		}
		file := File{Name: name, Lines: f.CoveredLines + f.NotCoveredLines, Missed: []int{}}
		for _, r := range f.NotCovered {
			for line := r.Start.Row; line <= r.End.Row; line++ {
				if !slices.Contains(file.Missed, line) {
					file.Missed = append(file.Missed, line)
				}
			}
		}
		file.Percent = percent(f.CoveredLines, file.Lines)
		c.Lines += file.Lines
		missed += f.NotCoveredLines
		c.Files = append(c.Files, file)
	}
	slices.SortFunc(c.Files, func(a, b File) int { return strings.Compare(a.Name, b.Name) })
	c.Percent = percent(c.Lines-missed, c.Lines)
	return c
}

// percent of nothing is all of it.
func percent(part, whole int) float64 {
	if whole == 0 {
		return 100
	}
	return 100 * float64(part) / float64(whole)
}

func (c Coverage) text(b *strings.Builder) {
	for _, f := range c.Files {
		if len(f.Missed) == 0 {
			continue
		}
		lines := make([]string, len(f.Missed))
		for i, l := range f.Missed {
			lines[i] = fmt.Sprint(l)
		}
		fmt.Fprintf(b, "not covered: %s:%s\n", f.Name, strings.Join(lines, ","))
	}
}
