package refusals

import (
	"os"
	"strings"
	"testing"

	"github.com/refnil/opencode-jail-devenv/checker/gate/gatetest"
)

func TestMain(m *testing.M) { gatetest.Main(m) }

// Namespaces by descriptor are refused whatever they are of.
func TestNamespaceDescriptors(t *testing.T) {
	w := gatetest.New(t)
	for _, option := range []string{"--userns", "--userns2", "--pidns", "--userns-block-fd"} {
		ns, err := os.Open("/proc/self/ns/user")
		if err != nil {
			t.Fatal(err)
		}
		c := w.Ocjail(append(w.Jail(option, "3"), "--", "sh", "-c", "echo ran >trace")...)
		c.ExtraFiles = []*os.File{ns}
		o := w.Run(c)
		ns.Close()
		if o.Status != 126 || !strings.Contains(o.Stderr, "gate/namespace-descriptor") || w.Read("project/trace") != "" {
			t.Errorf("%s: %+v", option, o)
		}
	}
}
