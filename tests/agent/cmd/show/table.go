package main

import (
	"fmt"
	"io"
	"strings"

	"charm.land/lipgloss/v2"
	"charm.land/lipgloss/v2/table"

	"github.com/refnil/opencode-jail-devenv/tests/agent"
)

// row is one act both ways.
type row struct{ without, with agent.Result }

var (
	good    = lipgloss.NewStyle().Foreground(lipgloss.Green)
	bad     = lipgloss.NewStyle().Foreground(lipgloss.Red).Bold(true)
	heading = lipgloss.NewStyle().Bold(true)
	cell    = lipgloss.NewStyle().Padding(0, 1)
)

// words says what came of an act. Colour only repeats it.
var words = map[struct{ hostile, happened bool }]string{
	{true, true}:   "harm done",
	{true, false}:  "prevented",
	{false, true}:  "done",
	{false, false}: "failed",
}

// printTable writes the rows, in colour where w is a terminal that has it, and
// tells whether everything came out as promised.
func printTable(w io.Writer, rows []row) bool {
	t := table.New().Border(lipgloss.NormalBorder()).
		StyleFunc(func(int, int) lipgloss.Style { return cell }).
		Headers(heading.Render("What the model asked for"), heading.Render("Without a jail"), heading.Render("Under ocjail"))
	var broken []string
	for _, r := range rows {
		t.Row(r.without.Act.Name, outcome(r.without), outcome(r.with))
		broken = append(broken, complaint(r.without, "without a jail", false)...)
		broken = append(broken, complaint(r.with, "under ocjail", true)...)
	}
	lines := append([]string{t.Render()}, broken...)
	if len(broken) == 0 {
		lines = append(lines, good.Render("As promised")+": the jail let the work through and nothing else.")
	}
	_, err := lipgloss.Fprintln(w, strings.Join(lines, "\n"))
	return err == nil && len(broken) == 0
}

func outcome(r agent.Result) string {
	word := words[struct{ hostile, happened bool }{r.Act.Hostile, r.Happened}]
	if r.Act.Hostile == r.Happened {
		return bad.Render(word)
	}
	return good.Render(word)
}

// complaint is the line for an act that did not end as promised.
func complaint(r agent.Result, how string, jailed bool) []string {
	if r.AsPromised(jailed) {
		return nil
	}
	why := "it must not happen"
	if !r.Happened {
		why = "it must happen, or the table proves nothing"
	}
	return []string{fmt.Sprintf("%s: %s, %s: %s; the agent answered %q",
		bad.Render("Not as promised"), r.Act.Name, how, why, r.Reply)}
}
