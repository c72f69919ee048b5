package config

import (
	"strconv"
	"strings"
	"time"

	"github.com/hashicorp/hcl/v2"

	"github.com/refnil/opencode-jail-devenv/checker/config/hclfile"
)

func (r *reader) waivers(raws []rawWaiver) []Waiver {
	var waivers []Waiver
	for _, raw := range raws {
		r.ruleID(raw.Rule, raw.Range)
		if !validPattern(raw.Subject) || hclfile.Escape(raw.Subject) != raw.Subject {
			r.errs.Add(raw.SubjectRange, "write the path or the name that a finding names as its subject; * stands for a part of a path's component, ** for components")
		}
		if strings.TrimSpace(raw.Reason) == "" || strings.TrimSpace(raw.Owner) == "" {
			r.errs.Add(raw.Range, "write a reason and an owner: whoever meets the waiver later must know")
		}
		date, err := time.Parse(time.DateOnly, raw.Expires)
		if err != nil {
			r.errs.Add(raw.ExpiresRange, "write the last day on which it counts as in \"2027-03-01\"")
		}
		waivers = append(waivers, Waiver{
			Rule: raw.Rule, Subject: raw.Subject, Reason: raw.Reason, Owner: raw.Owner, Expires: date.Add(day), Layer: r.layer, Pos: hclfile.Start(raw.Range),
		})
	}
	return waivers
}

// days reads "90d".
func (r *reader) days(s string, at hcl.Range) time.Duration {
	number, ok := strings.CutSuffix(s, "d")
	n, err := strconv.ParseUint(number, 10, 16)
	if !ok || err != nil || n == 0 {
		r.errs.Add(at, "write a number of days, as in \"90d\"")
	}
	return time.Duration(n) * day
}
