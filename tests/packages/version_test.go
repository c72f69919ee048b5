package packages

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

// Both managers take each version for newer than those above it.
func TestVersionsSort(t *testing.T) {
	var before string
	for i, c := range []struct{ described, want string }{
		{"7679587", "0~git20231114221320.7679587"},
		{"a6fb624-dirty", "0~git20231114221321.a6fb624.dirty"},
		{"v0.1.0-rc.1", "0.1.0~rc.1"},
		{"v0.1.0-rc.1-2-g7679587", "0.1.0~rc.1+2.g7679587"},
		{"v0.1.0-rc.2", "0.1.0~rc.2"},
		{"v0.1.0", "0.1.0"},
		{"v0.1.0-3-ga6fb624", "0.1.0+3.ga6fb624"},
		{"v0.1.0-3-ga6fb624-dirty", "0.1.0+3.ga6fb624.dirty"},
		{"0.1.1-dirty", "0.1.1+dirty"},
		{"v0.10.0", "0.10.0"},
	} {
		env := append(os.Environ(), fmt.Sprint("SOURCE_DATE_EPOCH=", 1700000000+i))
		o := run(t, env, "packages/version.sh", c.described)
		got := strings.TrimSpace(o.output)
		if o.status != 0 || got != c.want {
			t.Errorf("%s: status %d, %s, want %s", c.described, o.status, got, c.want)
		}
		if before != "" {
			run(t, env, "dpkg", "--compare-versions", before+"-1", "lt", got+"-1").is(t, 0, "")
			run(t, env, "rpm", "--eval", fmt.Sprintf("%%{lua:print(rpm.vercmp('%s', '%s'))}", before, got)).is(t, 0, "-1\n")
		}
		before = got
	}
}

func TestVersionsRefused(t *testing.T) {
	for _, described := range []string{"", "release", "v1.0_1", "v1.0-a-b", "v1.0\nEvil: yes", "v1.0 x", "1:2.0"} {
		run(t, append(os.Environ(), "SOURCE_DATE_EPOCH=0"), "packages/version.sh", described).is(t, 1, "is none for a package: name the tag as v1.2.3")
	}
}

func TestScripts(t *testing.T) {
	run(t, os.Environ(), "shellcheck", "packages/build.sh", "packages/manual.sh", "packages/version.sh").is(t, 0, "")
}
