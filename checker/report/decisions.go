package report

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/refnil/opencode-jail-devenv/checker/decision"
)

// verdictColor paints what a launch came to.
var verdictColor = map[string]string{decision.Allow: green, decision.Deny: red, decision.Observe: yellow}

// Decision writes a line of the log of launches, for a person whose home is home.
func Decision(w io.Writer, s Style, home string, d decision.Decision) error {
	verdict := s.paint(verdictColor[d.Verdict], pad(Escape(d.Verdict), len(decision.Observe)))
	parts := []string{d.Time.Local().Format(time.DateTime), verdict, Escape(d.Jail), places{home: home}.short(d.Project)}
	for _, list := range []struct {
		what string
		ids  []string
	}{{"", d.Errors}, {"waived: ", d.Waived}, {"observed: ", d.Observed}} {
		if len(list.ids) > 0 {
			parts = append(parts, list.what+Escape(strings.Join(list.ids, ", ")))
		}
	}
	if d.Refusal != "" {
		parts = append(parts, Escape(d.Refusal))
	}
	if len(d.Warnings) > 0 {
		parts = append(parts, plural(len(d.Warnings), "warning"))
	}
	if !slices.Contains([]string{"", decision.ApprovalOff, decision.ApprovalApproved}, d.Approval) {
		parts = append(parts, "approval "+Escape(d.Approval))
	}
	_, err := fmt.Fprintln(w, strings.Join(parts, "  "))
	return err
}
