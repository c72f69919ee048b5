package main

import (
	"os/exec"
	"strings"
	"testing"
)

// What is linked costs each launch: a program with OPA in it starts 3 ms later,
// one with wazero 1 ms (see "Why three programs?" in README.md).
func TestWhatIsLinked(t *testing.T) {
	for program, want := range map[string]bool{".": false, "../ocjail-wasm": false, "../ocjail-rules": true} {
		out, err := exec.Command("go", "list", "-deps", program).Output()
		if err != nil {
			t.Fatal(err)
		}
		for _, module := range []string{"net/http", "crypto/tls", "oras.land/oras-go/v2"} { // 1 ms, and no launch needs a network
			if linked := strings.Contains("\n"+string(out), "\n"+module+"\n"); linked != want {
				t.Errorf("%s: %s is linked: %v", program, module, linked)
			}
		}
		for _, module := range []string{"github.com/open-policy-agent/opa", "github.com/tetratelabs/wazero"} {
			want := want || program == "../ocjail-wasm" && strings.HasSuffix(module, "/wazero")
			if linked := strings.Contains(string(out), module+"/"); linked != want {
				t.Errorf("%s: %s is linked: %v", program, module, linked)
			}
		}
		for _, module := range []string{"github.com/hashicorp/hcl", "github.com/zclconf/go-cty", "golang.org/x/text"} { // the launch has read the configuration
			if program == "../ocjail-wasm" && strings.Contains(string(out), module+"/") {
				t.Errorf("%s: %s is linked", program, module)
			}
		}
	}
}
