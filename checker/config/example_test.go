package config_test

import (
	"os"
	"regexp"
	"testing"

	"github.com/refnil/opencode-jail-devenv/checker/config"
)

// The packages bring an example of an organisation's configuration. It is one, and
// leaves nothing out.
func TestTheExampleIsComplete(t *testing.T) {
	const file = "../../packages/ocjail.hcl"
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	f, err := config.Parse(config.Organisation, file, text)
	if err != nil {
		t.Fatal(err)
	}
	if len(f.Policies) != 1 || !f.Policies[0].Remote.Background || len(f.Waivers) != 1 || len(f.Rules) != 1 || len(f.Watches) != 1 {
		t.Errorf("%+v", f)
	}
	var names func(fields []config.Field)
	names = func(fields []config.Field) {
		for _, field := range fields {
			if !regexp.MustCompile(`(?m)^(# |.*)?\b` + field.Name + `( |$)`).Match(text) {
				t.Errorf("%s says nothing of %s", file, field.Name)
			}
			names(field.Fields)
		}
	}
	names(config.Reference())
}
