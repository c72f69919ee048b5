package report

import (
	"io"
	"time"

	"github.com/refnil/opencode-jail-devenv/checker/approval"
	"github.com/refnil/opencode-jail-devenv/checker/grants"
)

// Approvals is what `ocjail approve --list` prints.
type Approvals struct {
	Version  int               `json:"version"` // 1
	Approved []approval.Record `json:"approved"`
	Waiting  []approval.Record `json:"waiting"` // refused for want of an approval
}

// NewApprovals describes records, in their order.
func NewApprovals(approved, waiting []approval.Record) *Approvals {
	return &Approvals{Version: 1, Approved: append([]approval.Record{}, approved...), Waiting: append([]approval.Record{}, waiting...)}
}

// Text writes each record with what it grants.
func (a *Approvals) Text(w io.Writer, s Style) error {
	p := &printer{w: w, style: s}
	p.records("approved", a.Approved)
	p.records("waits for approval since", a.Waiting)
	if len(a.Approved)+len(a.Waiting) == 0 {
		p.line("Nothing is approved.")
	}
	return p.err
}

func (p *printer) records(what string, list []approval.Record) {
	for _, r := range list {
		p.line("%s of %s, %s %s:", p.style.paint(bold, Escape(r.Jail)), Escape(r.Project), what, r.Time.Local().Format(time.DateTime))
		p.items(" ", "", grants.Compare(nil, r.Grants).Wider)
	}
}
