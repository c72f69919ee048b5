package decision_test

import (
	"os"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/refnil/opencode-jail-devenv/checker/decision"
)

// named is how the page calls a type of Go's.
func named(t reflect.Type) string {
	switch {
	case t == reflect.TypeFor[time.Time]():
		return "string"
	case t.Kind() == reflect.Int:
		return "number"
	case t.Kind() == reflect.Slice && t.Elem().Kind() == reflect.Struct:
		return "list of objects"
	case t.Kind() == reflect.Slice:
		return "list of " + named(t.Elem()) + "s"
	}
	return t.Kind().String()
}

func fields(t reflect.Type) (names []string) {
	for f := range t.NumField() {
		name, _, _ := strings.Cut(t.Field(f).Tag.Get("json"), ",")
		names = append(names, name)
	}
	return names
}

// docs/log.md names each field of a line, in order, with its type and a meaning, and
// the fields of the objects in it: who ships the log elsewhere goes by it.
func TestThePageNamesEveryField(t *testing.T) {
	page, err := os.ReadFile("../../docs/log.md")
	check(t, err)
	type row struct{ Name, Type string }
	var got, want []row
	meanings := map[string]string{}
	for _, m := range regexp.MustCompile("(?m)^\\| `(\\w+)` \\| ([\\w ]+) \\| (.+) \\|$").FindAllStringSubmatch(string(page), -1) {
		got = append(got, row{m[1], m[2]})
		meanings[m[1]] = m[3]
	}
	d := reflect.TypeFor[decision.Decision]()
	for i, name := range fields(d) {
		of := d.Field(i).Type
		want = append(want, row{name, named(of)})
		if len(meanings[name]) < 2 {
			t.Errorf("%s: no meaning", name)
		}
		if of.Kind() != reflect.Slice || of.Elem().Kind() != reflect.Struct {
			continue
		}
		for _, inner := range fields(of.Elem()) {
			if !strings.Contains(meanings[name], "`"+inner+"`") {
				t.Errorf("%s: nothing is said of its %s", name, inner)
			}
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	for _, word := range append(decision.Verdicts, decision.ApprovalOff, decision.ApprovalApproved, decision.ApprovalRemembered, decision.ApprovalOnce, decision.ApprovalRefused, decision.ApprovalMissing, decision.ApprovalBroken) {
		if !strings.Contains(meanings["verdict"]+meanings["approval"], "`"+word+"`") {
			t.Errorf("nothing is said of %q", word)
		}
	}
}
