package wasm

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const (
	mostRego = `# METADATA
# title: Many mounts
# schemas:
#   - input: schema.input
# custom:
#   severity: warning
#   params:
#     type: object
#     properties:
#       most: {type: integer, minimum: 0, default: 1000, description: mounts that are fine}
package ocjail.rules.acme.no_network

findings contains {"message": sprintf("%d mounts, more than %d", [n, most]), "subject": {"kind": "config"}} if {
	n := count(input.jail.mounts)
	most := input.params["acme/no-network"].most
	n > most
}
`
	mostGo = `package main

import (
	"encoding/json"
	"fmt"
	"os"
)

func main() {
	var input struct {
		Jail   struct{ Mounts []any }
		Params map[string]struct{ Most int }
	}
	if err := json.NewDecoder(os.Stdin).Decode(&input); err != nil {
		panic(err)
	}
	if n, most := len(input.Jail.Mounts), input.Params["acme/no-network"].Most; n > most {
		fmt.Printf("[{\"message\": \"%d mounts, more than %d\", \"subject\": {\"kind\": \"config\"}}]", n, most)
		return
	}
	fmt.Print("[]")
}
`
	mostJSON = `{"severity": "warning", "params": {"type": "object", "properties": {"most": {"type": "integer", "minimum": 0, "default": 1000}}}}`
)

// What ocjail.hcl tells a rule reaches it whatever it is written in, is held to
// what the rule declares, and is nobody's but its layer's and those above.
func TestParams(t *testing.T) {
	const policy = "policy \"acme\" {\n  source = \"rules\"\n}\n"
	const patient = "\ngate {\n  timeout = \"1m\"\n}\n" // however busy the machine is
	for name, build := range map[string]func(*organisation){
		"Rego": func(o *organisation) { o.write("rules/acme/no_network.rego", []byte(mostRego)) },
		"Rego compiled": func(o *organisation) {
			o.write("most.rego", []byte(mostRego))
			if status, out, said := o.ocjail("", "build", filepath.Join(o.dir, "most.rego"), "-o", filepath.Join(o.dir, "rules/acme.wasm")); status != 0 {
				t.Fatalf("%d %s%s", status, out, said)
			}
		},
		"Go": func(o *organisation) {
			o.write("main.go", []byte(mostGo))
			o.guest([]string{"GOOS=wasip1", "GOARCH=wasm", "GOWORK=off", "GO111MODULE=off"}, "go", "build", "-C", o.dir)
			o.write("rules/acme/no-network.json", []byte(mostJSON))
		},
	} {
		t.Run(name, func(t *testing.T) {
			o := newOrganisation(t)
			build(o)
			if found := o.found(shut); len(found) != 0 {
				t.Errorf("by default: %v", found)
			}
			o.write("ocjail.hcl", []byte(policy+`rule "acme/no-network" { params = { most = 0 } }`+patient))
			found := o.found(shut)
			if len(found) != 1 || !strings.HasSuffix(found[0]["message"].(string), " mounts, more than 0") {
				t.Errorf("told 0: %v", found)
			}
			// The project can not loosen it again.
			o.write("project/ocjail.hcl", []byte(`rule "acme/no-network" { params = { most = 5000 } }`))
			status, out, said := o.ocjail(shut, "lint", "--config", filepath.Join(o.dir, "ocjail.hcl"), "-")
			if status != 1 || !strings.Contains(out, "more than 0") ||
				!strings.Contains(out, `error config/untrusted-weakening: params.most = 5000 for rule "acme/no-network" of `) || !strings.Contains(out, "ocjail.hcl:1:37 is ignored") {
				t.Errorf("told 5000 by the project: %d %s%s", status, out, said)
			}
			if err := os.Remove(filepath.Join(o.dir, "project/ocjail.hcl")); err != nil {
				t.Fatal(err)
			}
			for text, want := range map[string]string{
				`params = { mots = 1 }`:   `ocjail.hcl:4:37: params.mots: there is no parameter of this name, did you mean "most"?`,
				`params = { most = -1 }`:  `ocjail.hcl:4:44: expressions are not supported`,
				`params = { most = "1" }`: `ocjail.hcl:4:37: params.most: is a string, and must be a whole number from 0`,
			} {
				o.write("ocjail.hcl", []byte(policy+`rule "acme/no-network" { `+text+" }"+patient))
				if status, out, said := o.ocjail(shut, "lint", "--config", filepath.Join(o.dir, "ocjail.hcl"), "-"); status != 2 || !strings.Contains(said, want) {
					t.Errorf("%s: %d %s%s", text, status, out, said)
				}
			}
		})
	}
}
