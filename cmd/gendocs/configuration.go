package main

import (
	"fmt"
	"strings"

	"github.com/refnil/opencode-jail-devenv/checker/config"
)

const configurationPage = "docs/configuration.md"

const configurationHead = `# ocjail.hcl

Which files there are, and what each is trusted with: [README](../README.md#configuration). Strings, true and false, lists and
blocks are all there is: no variables and no functions, and numbers in params alone. Unknown names are errors with line and column.

`

// configuration is the reference of the configuration language.
func configuration() []byte {
	var b strings.Builder
	b.WriteString(configurationHead)
	for _, f := range config.Reference() {
		if f.Kind != "block" {
			fmt.Fprintf(&b, "## %s\n\n`%s`, %s. %s\n\n", f.Name, f.Name, f.Kind, f.Doc)
			continue
		}
		head := f.Name
		if f.Label != "" {
			head += fmt.Sprintf(" \"%s\"", strings.ToUpper(f.Label))
		}
		often := "at most once"
		if f.Many {
			often = "any number of times"
		}
		fmt.Fprintf(&b, "## %s\n\n`%s { … }`, %s. %s\n\n| argument | takes | |\n|---|---|---|\n", f.Name, head, often, f.Doc)
		for _, a := range f.Fields {
			takes := a.Kind
			if a.Required {
				takes += ", required"
			}
			fmt.Fprintf(&b, "| `%s` | %s | %s |\n", a.Name, takes, a.Doc)
		}
		b.WriteString("\n")
	}
	return []byte(strings.TrimRight(b.String(), "\n") + "\n")
}
