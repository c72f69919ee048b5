package report

import (
	"io"
)

// Checks is what `ocjail doctor` found: its JSON form.
type Checks struct {
	Version int     `json:"version"` // 1
	Ready   bool    `json:"ready"`   // jails can run here
	Checks  []Check `json:"checks"`
}

// Check is one thing that was looked at.
type Check struct {
	Name   string      `json:"name"`
	Status CheckStatus `json:"status"`
	Detail string      `json:"detail"`
	Mend   string      `json:"mend,omitempty"` // what to do about it; not for OK
}

// CheckStatus is the outcome of a check.
type CheckStatus string

// The outcomes: jails run all the same with a Warn, not with a Fail.
const (
	OK   CheckStatus = "ok"
	Warn CheckStatus = "warn"
	Fail CheckStatus = "fail"
)

var statusColor = map[CheckStatus]string{OK: green, Warn: yellow, Fail: red}

// Text writes c for people, a mend below what it is for.
func (c *Checks) Text(w io.Writer, s Style) error {
	p := &printer{w: w, style: s}
	const indent = 5 + 18
	for _, check := range c.Checks {
		for i, l := range wrap(Escape(check.Detail), s.Width-indent) {
			head := s.paint(statusColor[check.Status], pad(string(check.Status), 5)) + pad(Escape(check.Name), 18)
			if i > 0 {
				head = pad("", indent)
			}
			p.line("%s%s", head, l)
		}
		if check.Mend != "" { // not wrapped: it may be a command to copy
			p.line("%s%s %s", pad("", indent), s.paint(bold, "mend:"), Escape(check.Mend))
		}
	}
	verdict := s.paint(green, "Jails can run here.")
	if !c.Ready {
		verdict = s.paint(red, "Jails can not run here") + ": mend what failed."
	}
	p.line("%s", verdict)
	return p.err
}
