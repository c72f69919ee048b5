package wasm

import (
	"strings"
	"testing"

	"github.com/refnil/opencode-jail-devenv/checker/engine/plan"
)

// What a module says of the functions that it calls is one thing, or refused.
func TestFunctionsHaveNumbersOfTheirOwn(t *testing.T) {
	o := Options{Functions: plan.Function}
	if found, err := o.lookUp(map[string]int32{"sprintf": 0, "lower": -1}); err != nil || len(found) != 2 {
		t.Errorf("%v, %v", found, err)
	}
	if _, err := o.lookUp(map[string]int32{"sprintf": 7, "lower": 7}); err == nil || !strings.Contains(err.Error(), "gives two functions the number 7") {
		t.Error(err)
	}
}
