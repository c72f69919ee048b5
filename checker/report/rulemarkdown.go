package report

import (
	"fmt"
	"io"
	"strings"

	"github.com/refnil/opencode-jail-devenv/checker/engine"
)

// Markdown writes the list as a table, or the pages.
func (r *Rules) Markdown(w io.Writer) error {
	if !r.Pages {
		return RuleTable(w, r.Rules, "")
	}
	for i, rule := range r.Rules {
		if i > 0 {
			fmt.Fprintln(w)
		}
		if err := RulePage(w, rule); err != nil {
			return err
		}
	}
	return nil
}

// RuleTable writes one line a rule. Where pages is not empty, it is the folder of
// their pages, and each rule a link to its own.
func RuleTable(w io.Writer, rules []engine.Rule, pages string) error {
	var b strings.Builder
	b.WriteString("| rule | severity | reports |\n|---|---|---|\n")
	for _, r := range rules {
		id := "`" + r.ID + "`"
		if pages != "" {
			id = fmt.Sprintf("[%s](%s/%s.md)", id, pages, r.ID)
		}
		fmt.Fprintf(&b, "| %s | %s | %s |\n", id, r.Severity, markdownText(r.Title))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// RulePage writes the page of one rule, for docs/rules/CATEGORY.
func RulePage(w io.Writer, r engine.Rule) error {
	return rulePage(w, r, "../../configuration.md")
}

// rulePage takes the page on the configuration, to lead there.
func rulePage(w io.Writer, r engine.Rule, configuration string) error {
	examples, err := examplesOf(r)
	if err != nil {
		return err
	}
	var b strings.Builder
	fmt.Fprintf(&b, "# %s\n\n%s.\n\nSeverity: `%s`, at most.\n", r.ID, markdownText(r.Title), r.Severity)
	for _, x := range examples {
		fmt.Fprintf(&b, "\n## %s%s\n\n```\n%s\n```\n", strings.ToUpper(x.name[:1]), x.name[1:], strings.Join(x.lines(), "\n"))
	}
	fmt.Fprintf(&b, "\n## Why\n\n%s\n", markdownText(r.Description))
	if r.URL != "" {
		fmt.Fprintf(&b, "\nSource: <%s>\n", r.URL)
	}
	if r.Remedy != "" {
		fmt.Fprintf(&b, "\n## Remedy\n\nIn short: %s. The finding itself names the mount and the line to change.\n", markdownText(r.Remedy))
	}
	fmt.Fprintf(&b, "\n## Configuration\n\nIn [`ocjail.hcl`](%s):\n\n```hcl\nrule %q { severity = %q } # of error, warning and info, only an error refuses\n```\n",
		configuration, r.ID, otherSeverity(r.Severity))
	if r.Params != nil {
		b.WriteString("\n## Parameters\n\n| name | is | default | says |\n|---|---|---|---|\n")
		for _, row := range paramRows(r.Params) {
			fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", row.name, markdownText(row.what), markdownText(row.fallback), markdownText(row.description))
		}
		fmt.Fprintf(&b, "\n```hcl\nrule %q { params = { %s } }\n```\n", r.ID, paramExample(r.Params))
	}
	_, err = io.WriteString(w, b.String())
	return err
}

// markdownText keeps what METADATA says from being read as markup.
func markdownText(s string) string {
	return strings.NewReplacer("|", `\|`, "<", `\<`, "*", `\*`, "_", `\_`, "`", "\\`").Replace(s)
}
