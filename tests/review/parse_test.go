package review

import (
	"encoding/json"
	"testing"

	"github.com/refnil/opencode-jail-devenv/checker/report"
)

func parse(t *testing.T, text string) report.Review {
	t.Helper()
	var v report.Review
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		t.Fatalf("%v in %q", err, text)
	}
	return v
}
